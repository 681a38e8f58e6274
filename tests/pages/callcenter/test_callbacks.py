"""Call-backs: the answer archives or reopens; two who call at once are told."""

from datetime import UTC, datetime, timedelta

import pytest

from callcenter.callbacks.books import callback_rules
from callcenter.callbacks.queries import callback_card, callback_cards
from callcenter.callbacks.types import CallbackCard, CallbackState
from callcenter.calls.actions.seats import sit_at
from callcenter.calls.actions.working import log_fault
from foundation import clock
from foundation.actor import Scope
from tests.factories.callcenter import NO_POWER, answered, extension_of, mend, street
from tests.factories.webapp import Browser, Page, Portal
from webapp.pages.callcenter.tickets import STAGES

MORNING = datetime(2027, 6, 18, 2, 0, tzinfo=UTC)  # ten o'clock


@pytest.fixture
def waiting(portal: Portal) -> CallbackCard:
    """Let somebody's fault be mended."""
    agent = portal.town.people["agent"]
    with portal.work() as session:
        sit_at(session, agent, extension_of(agent))
        (house,) = street(session, 1)
        call = answered(session, agent, house.phone)
        ticket_no = str(log_fault(session, agent, call, NO_POWER, version=1).ticket_no)
    mend(portal, ticket_no)
    with portal.work() as session:
        return callback_cards(session, Scope.everything(), view="all", limit=500)[-1]


def answer(browser: Browser, one: CallbackCard, **fields: object) -> Page:
    path = f"/callbacks/{one.id}/answer?id={one.id}&view=due"
    return browser.post(path, **{"version": one.version, "agreed": "1"} | fields)


def state(portal: Portal, one: CallbackCard) -> CallbackState:
    with portal.work() as session:
        return callback_card(session, one.id).state


def test_a_satisfied_customer_archives_the_ticket(portal: Portal, waiting: CallbackCard) -> None:
    browser = portal.browser("agent")
    page = answer(browser, waiting, solved="yes", satisfaction="5")
    assert page.status == 302
    assert portal.card(waiting.ticket_no).step == "archived"


def test_the_ticket_says_whom_it_waits_for_and_how_far_it_came(
    portal: Portal, waiting: CallbackCard
) -> None:
    dispatcher = portal.browser("dispatcher")
    path = f"/tickets/{waiting.ticket_no}"
    page = dispatcher.get(path)
    assert "等待客服回访客户" in page.said
    (now,) = page.tree.all("li", class_="stage now")
    assert "回访" in now.text
    assert len(page.tree.all("li", class_="stage done")) == len(STAGES["repair"]) - 2
    answer(portal.browser("agent"), waiting, solved="yes", satisfaction="5")
    assert "等待客服回访客户" not in dispatcher.get(path).said


def test_an_unhappy_one_without_a_reason_is_refused_and_nothing_is_lost(
    portal: Portal, waiting: CallbackCard
) -> None:
    browser = portal.browser("agent")
    page = answer(browser, waiting, solved="no", satisfaction="1")
    assert page.status == 422
    (chosen,) = page.tree.one("form", data_guard=True).all("input", name="solved", checked=True)
    assert chosen.attrs["value"] == "no"
    assert answer(browser, waiting, solved="no", note="晚上又跳闸").status == 302
    assert portal.card(waiting.ticket_no).step == "new"
    assert portal.card(waiting.ticket_no).round == 2


def test_that_the_customer_agreed_is_not_forgotten_when_something_else_is_missing(
    portal: Portal, waiting: CallbackCard
) -> None:
    with clock.frozen(MORNING.replace(hour=15)):  # eleven at night
        page = answer(portal.browser("agent"), waiting, solved="no", satisfaction="1")
    assert page.status == 422
    assert page.tree.all("input", name="agreed", checked=True)


def test_who_comes_second_learns_who_called_and_keeps_the_note(
    portal: Portal, waiting: CallbackCard
) -> None:
    answer(portal.browser("agent"), waiting, solved="yes", satisfaction="4")
    page = answer(portal.browser("supervisor"), waiting, solved="no", note="客户说没好")
    assert page.status == 409
    assert portal.town.people["agent"].name in page.said
    assert state(portal, waiting) is CallbackState.SATISFIED


def test_who_was_not_reached_comes_again_later(portal: Portal, waiting: CallbackCard) -> None:
    path = f"/callbacks/{waiting.id}/attempt?id={waiting.id}"
    with clock.frozen(MORNING):
        portal.browser("agent").post(path, version=waiting.version, result="no_answer")
    with portal.work() as session:
        one = callback_card(session, waiting.id)
    assert (one.state, one.attempts) == (CallbackState.WAITING, 1)
    assert one.due_at == MORNING + timedelta(hours=callback_rules().retry_hours)


def test_who_is_called_no_more_is_said_so(portal: Portal, waiting: CallbackCard) -> None:
    browser = portal.browser("agent")
    path = f"/callbacks/{waiting.id}/attempt?id={waiting.id}"
    page = browser.post(path, version=waiting.version, result="wrong_number", agreed="1")
    assert "不再回访该客户" in browser.follow(page).said
    assert state(portal, waiting) is CallbackState.GIVEN_UP


@pytest.mark.parametrize(("hour", "boxes"), [(11, 0), (12, 2), (14, 0), (23, 2)])
def test_the_list_names_the_quiet_hours_while_they_last(
    portal: Portal, waiting: CallbackCard, hour: int, boxes: int
) -> None:
    with clock.frozen(MORNING.replace(tzinfo=clock.office_zone(), hour=hour)):
        page = portal.browser("agent").get(f"/callbacks?id={waiting.id}")
    assert page.status == 200
    assert ("此时不回访" in page.said) == (boxes > 0)
    assert len(page.tree.all("input", name="agreed")) == boxes
