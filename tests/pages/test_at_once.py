"""Two people at once: one wins, the other is told, and nothing is done twice."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import text

from foundation.actor import Role
from foundation.staff.queries import active_admins, person
from tests.factories import foundation
from tests.factories.foundation import SYSTEM
from tests.factories.webapp import PASSWORD, Browser, Page, Portal
from webapp.auth.accounts import set_password

TIMES = 4


def at_once(*acts: Callable[[], Page]) -> list[Page]:
    """Do several things at the same moment."""
    begin = threading.Barrier(len(acts))
    pages: list[Page] = []

    def do(act: Callable[[], Page]) -> None:
        begin.wait(timeout=10)
        pages.append(act())

    threads = [threading.Thread(target=do, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    return pages


def ready(portal: Portal, username: str) -> Browser:
    browser = portal.browser(username)
    browser.see_form()
    return browser


def test_a_page_that_takes_long_does_not_hold_up_the_others_of_its_reader(portal: Portal) -> None:
    browser = ready(portal, "dispatcher")
    with portal.work() as session:
        session.execute(text("UPDATE webapp.sign_in SET seen_at = now() - interval '5 minutes'"))
    with portal.work() as session:  # as a request that has noted its reader and still goes on
        session.execute(text("UPDATE webapp.sign_in SET seen_at = now() - interval '2 minutes'"))
        (page,) = at_once(lambda: browser.get("/alerts"))
        assert page.status == 200


@pytest.mark.parametrize("time", range(TIMES))
def test_an_alert_is_acknowledged_by_one(portal: Portal, time: int) -> None:
    assert time < TIMES
    alert = portal.alert()
    browsers = [ready(portal, name) for name in ("dispatcher", "dispatcher2")]
    pages = at_once(
        *(
            lambda one=one: one.post(f"/alerts/{alert.id}/acknowledge", version=alert.version)
            for one in browsers
        )
    )
    assert sorted(page.status for page in pages) == [302, 409]


@pytest.mark.parametrize("time", range(TIMES))
def test_an_alert_gets_one_ticket(portal: Portal, time: int) -> None:
    assert time < TIMES
    alert = portal.alert()
    browsers = [ready(portal, name) for name in ("dispatcher", "agent", "supervisor")]
    pages = at_once(
        *(lambda one=one: one.post(f"/alerts/{alert.id}/ticket", title="停电") for one in browsers)
    )
    assert sorted(page.status for page in pages) == [302, 409, 409]
    with portal.work() as session:
        (ticket_no,) = session.execute(
            text("SELECT ticket_no FROM callcenter.ticket WHERE alert_id = :id"), {"id": alert.id}
        ).scalars()
    assert all(ticket_no in page.said for page in pages if page.status == 409)


@pytest.mark.parametrize("time", range(TIMES))
def test_a_ticket_is_moved_by_one(portal: Portal, time: int) -> None:
    assert time < TIMES
    ticket_no = portal.ticket()
    browsers = [ready(portal, name) for name in ("dispatcher", "dispatcher2")]
    pages = at_once(
        *(
            lambda one=one: one.post(
                f"/tickets/{ticket_no}/move/dispatch", version=1, crew_id=portal.town.crew_id
            )
            for one in browsers
        )
    )
    assert sorted(page.status for page in pages) == [302, 409]
    assert portal.card(ticket_no).version == 2


@pytest.mark.parametrize("time", range(TIMES))
def test_two_administrators_cannot_disable_each_other(portal: Portal, time: int) -> None:
    assert time < TIMES
    with portal.work() as session:
        session.execute(text("DELETE FROM foundation.role_grant WHERE role = 'admin'"))
        two = [foundation.person(session, Role.ADMIN) for _ in range(2)]
        for one in two:
            set_password(session, SYSTEM, one.id or 0, username=one.name, password=PASSWORD)
        cards = [person(session, one.id or 0) for one in two]
    browsers = [ready(portal, one.name) for one in two]

    def disable(browser: Browser, which: int) -> Page:
        card = cards[which]
        return browser.post(
            f"/admin/users/{card.id}",
            version=card.version,
            name=card.name,
            pinyin=card.pinyin,
            unit_id=card.unit_id,
            roles=["admin"],
        )

    at_once(lambda: disable(browsers[0], 1), lambda: disable(browsers[1], 0))
    with portal.work() as session:
        assert active_admins(session) == 1


@pytest.mark.parametrize("time", range(TIMES))
def test_numbers_of_tickets_opened_at_once_have_no_gap_and_no_double(
    portal: Portal, time: int
) -> None:
    assert time < TIMES
    browsers = [ready(portal, name) for name in ("dispatcher", "agent", "supervisor")]
    pages = at_once(
        *(
            lambda one=one: one.post("/tickets/new", title="停电", kind="repair", priority="minor")
            for one in browsers
        )
    )
    numbers = sorted(int(page.location.rsplit("-", 1)[1]) for page in pages)
    assert numbers == list(range(numbers[0], numbers[0] + 3))
