"""The alert console: notice, judge, act; of two who act at once, one learns who was first."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from callcenter.tickets.queries import ticket_card, tickets_at
from callcenter.tickets.types import TicketCard
from foundation import clock
from foundation.actor import Scope
from loadmgmt.alerts.actions import wake_suppressed
from loadmgmt.alerts.queries import alert_card, alert_cards
from loadmgmt.alerts.scanner import judge_next
from loadmgmt.alerts.thresholds import load_thresholds
from loadmgmt.alerts.types import AlertCard, AlertKind, AlertState
from metering.api.types import Supply
from tests.factories import metering
from tests.factories.foundation import SYSTEM
from tests.factories.webapp import Browser, Page, Portal, fit, read


def now(portal: Portal, alert: AlertCard) -> AlertCard:
    with portal.work() as session:
        return alert_card(session, Scope.everything(), alert.id)


def act(browser: Browser, alert: AlertCard, what: str, **fields: object) -> Page:
    version = {} if what in {"read", "ticket"} else {"version": alert.version}
    return browser.post(f"/alerts/{alert.id}/{what}", **version | fields)


def rows(page: Page) -> list[str]:
    body = page.tree.one("section", id="rows")
    return [row.attrs["id"] for row in body.all("tr") if row.attrs.get("id", "").startswith("al")]


def test_an_alert_stands_in_the_list_with_what_is_known(
    portal: Portal, dispatcher: Browser
) -> None:
    alert = portal.alert()
    page = dispatcher.get("/alerts")
    assert f"alert-{alert.id}" in rows(page)
    line = page.tree.one("tr", id=f"alert-{alert.id}").text
    assert "电压越下限" in line
    assert "190.0 V" in line
    assert "未确认" in line


def test_the_panel_shows_place_evidence_and_what_one_may_do(
    portal: Portal, dispatcher: Browser
) -> None:
    alert = portal.alert()
    panel = dispatcher.get(f"/alerts?id={alert.id}").tree.one("section", id="panel")
    assert "吴小满" in panel.text
    assert "190.0 V" in panel.text
    assert "198.0 V" in panel.text
    actions = [form.attrs["action"] for form in panel.all("form")]
    assert [one.split("/")[3].split("?")[0] for one in actions] == ["acknowledge", "read"]
    seen_by_inspector = portal.browser("inspector").get(f"/alerts?id={alert.id}")
    names = {form.attrs["action"].split("?")[0] for form in seen_by_inspector.tree.all("form")}
    assert f"/alerts/{alert.id}/acknowledge" not in names
    assert f"/alerts/{alert.id}/ticket" in names


def test_a_phase_without_current_opens_on_the_current_and_says_when_it_is_over(
    portal: Portal, dispatcher: Browser
) -> None:
    with portal.work() as session:
        one = metering.meter(session, supply=Supply.THREE_380, profile="eastron_sdm630")
        for minutes, amps in ((30, 0.0), (15, 5.0), (0, 5.0)):
            at = clock.now() - timedelta(minutes=minutes)
            volts = dict.fromkeys(("u_a", "u_b", "u_c"), 220.0)
            metering.stored(
                session, metering.reading(one.meter_id, at, i_a=amps, i_b=5.0, i_c=5.0, **volts)
            )
            while judge_next(session, SYSTEM, load_thresholds()):
                pass
        (card,) = alert_cards(session, Scope.everything(), area_id=one.area_id)
    assert card.kind is AlertKind.CURRENT_LOSS
    page = dispatcher.get(f"/alerts?id={card.id}").tree
    shown = page.one("section", id="curve-card")
    assert [link.text for link in shown.all("a", class_="btn btn-sm active")][1:] == ["电流"]
    assert "以下为当时情况" in page.one("section", id="panel").text
    chosen = dispatcher.get(f"/alerts?id={card.id}&curve=voltage").tree
    active = chosen.one("section", id="curve-card").all("a", class_="btn btn-sm active")
    assert [link.text for link in active][1:] == ["电压"]


def test_views_and_places_narrow_the_list(portal: Portal, dispatcher: Browser) -> None:
    new, mine = portal.alert(), portal.alert()
    with portal.work() as session:
        elsewhere = fit(session, metering.area(session))
        read(session, elsewhere, u_a=190.0)
    act(dispatcher, mine, "acknowledge")
    is_listed = {
        view: {f"alert-{one.id}" in rows(dispatcher.get(f"/alerts?view={view}")) for one in (new,)}
        for view in ("standing", "open", "mine", "today")
    }
    assert is_listed == {"standing": {True}, "open": {True}, "mine": {False}, "today": {True}}
    assert rows(dispatcher.get("/alerts?view=mine"))[0] == f"alert-{mine.id}"
    there = rows(dispatcher.get(f"/alerts?node=a{elsewhere.area_id}"))
    assert len(there) == 1
    assert f"alert-{new.id}" in rows(dispatcher.get(f"/alerts?node=a{new.area_id}"))
    assert f"alert-{new.id}" in rows(dispatcher.get(f"/alerts?node=f{new.feeder_id}"))
    assert rows(dispatcher.get("/alerts?node=a999999")) == []


@pytest.mark.parametrize(
    ("part", "id_"),
    [("counts", "counts"), ("tree", "tree"), ("rows", "rows"), ("panel", "panel"),
     ("curve", "curve-card")],
)  # fmt: skip
def test_a_part_is_read_again_alone(dispatcher: Browser, part: str, id_: str) -> None:
    page = dispatcher.get(f"/alerts?part={part}", script=True)
    assert page.status == 200
    assert [node.attrs["id"] for node in page.tree.all("section")] == [id_]
    assert page.problems == []


@pytest.mark.parametrize(
    "query",
    [
        "id=²", "id=99999999999999999999", "id=-1", "id=x", "id=", "node=f²", "node=a", "node=x9",
        "node=a99999999999999999999", "view=nothing", "curve=nothing", "day=2026-02-30",
        "day=9999-12-31", "day=0001-01-01", "part=nothing",
    ],
)  # fmt: skip
def test_an_address_that_makes_no_sense_shows_what_it_can(dispatcher: Browser, query: str) -> None:
    assert dispatcher.get(f"/alerts?{query}").status in {200, 400, 404}


def test_an_alert_that_does_not_exist_is_not_found(dispatcher: Browser) -> None:
    assert dispatcher.get("/alerts?id=999999").status == 404
    assert dispatcher.post("/alerts/999999/acknowledge", version=1).status == 404


def test_acknowledging_names_the_handler_and_leads_back_to_the_same_view(
    portal: Portal, dispatcher: Browser
) -> None:
    alert = portal.alert()
    page = dispatcher.post(
        f"/alerts/{alert.id}/acknowledge?view=open&node=f1&part=panel", version=alert.version
    )
    assert page.location == f"/alerts?view=open&node=f1&id={alert.id}"
    after = now(portal, alert)
    person = portal.town.people["dispatcher"]
    assert (after.state, after.handler) == (AlertState.ACKED, person.name)
    assert person.name in dispatcher.follow(page).said


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_of_two_dispatchers_the_second_is_told_who_was_first_and_when(
    portal: Portal, dispatcher: Browser, language: str
) -> None:
    alert = portal.alert()
    other = portal.browser("dispatcher2")
    other.post("/me/language", language=language)
    assert act(dispatcher, alert, "acknowledge").status == 302
    page = act(other, alert, "suppress", minutes=30)
    other.post("/me/language", language="zh-CN")
    assert page.status == 409
    at = clock.now().astimezone(clock.office_zone())
    assert portal.town.people["dispatcher"].name in page.said
    assert f"{at:%H:}" in page.said
    assert ("已确认" in page.said) is (language == "zh-CN")
    assert page.tree.one("html").attrs["lang"] == language
    assert now(portal, alert).state is AlertState.ACKED


def test_a_script_that_comes_second_is_answered_by_a_toast(
    portal: Portal, dispatcher: Browser
) -> None:
    alert = portal.alert()
    act(dispatcher, alert, "acknowledge")
    page = dispatcher.post(f"/alerts/{alert.id}/acknowledge", script=True, version=alert.version)
    assert (page.status, page.tree.all("html")) == (409, [])
    assert page.tree.one("div", data_toast="warn")


def test_a_suppressed_alert_comes_back_when_its_time_is_over(
    portal: Portal, dispatcher: Browser
) -> None:
    alert = portal.alert()
    assert act(dispatcher, alert, "suppress", minutes=120, reason="检修中").status == 302
    assert now(portal, alert).state is AlertState.SUPPRESSED
    assert "检修中" in dispatcher.get(f"/alerts?id={alert.id}").said
    for minutes, state in ((119, AlertState.SUPPRESSED), (121, AlertState.OPEN)):
        with clock.frozen(clock.now() + timedelta(minutes=minutes)), portal.work() as session:
            wake_suppressed(session, SYSTEM)
        assert now(portal, alert).state is state


@pytest.mark.parametrize("minutes", ["5", "1000000", "", "x"])
def test_a_span_that_is_not_offered_is_the_shortest_one(
    portal: Portal, dispatcher: Browser, minutes: str
) -> None:
    alert = portal.alert()
    act(dispatcher, alert, "suppress", minutes=minutes)
    with portal.work() as session:
        until = session.execute(
            text("SELECT suppressed_until FROM loadmgmt.alert WHERE id = :id"), {"id": alert.id}
        ).scalar_one()
    assert timedelta(minutes=29) < until - clock.now() <= timedelta(minutes=30)


def test_calling_an_alert_false_needs_a_reason(portal: Portal, dispatcher: Browser) -> None:
    alert = portal.alert()
    page = act(dispatcher, alert, "false", reason=" ")
    assert page.status == 422
    assert now(portal, alert).state is AlertState.OPEN
    assert act(dispatcher, alert, "false", reason="表计调试").status == 302
    assert now(portal, alert).state is AlertState.FALSE
    assert "表计调试" in dispatcher.get(f"/alerts?id={alert.id}").said


def test_theft_is_closed_by_hand_with_what_was_found(portal: Portal, dispatcher: Browser) -> None:
    meter = portal.meter()
    alert = portal.alert(meter=meter, theft=True)
    assert act(dispatcher, alert, "close", reason="表盖已复位").status == 409
    with portal.work() as session:
        for older in ("10 minutes", "5 minutes"):
            session.execute(text(f"UPDATE metering.reading SET ts = ts - interval '{older}'"))
            read(session, meter, inputs=0)
    alert = now(portal, alert)
    assert alert.condition_ended_at is not None
    assert alert.ended_at is None
    assert act(dispatcher, alert, "close", reason=" ").status == 422
    assert now(portal, alert).ended_at is None
    assert act(dispatcher, alert, "close", reason="表盖已复位").status == 302
    after = now(portal, alert)
    assert after.state is AlertState.CLEARED
    assert after.ended_at is not None
    assert "表盖已复位" in dispatcher.get(f"/alerts?id={alert.id}").said
    assert act(dispatcher, alert, "close", reason="再来").status == 302
    assert now(portal, alert) == after


def test_a_meter_is_read_now_once_however_many_ask(portal: Portal, dispatcher: Browser) -> None:
    meter = portal.meter()
    alert = portal.alert(meter=meter)
    other = portal.browser("agent")
    assert act(dispatcher, alert, "read").location == f"/alerts?id={alert.id}"
    assert act(other, alert, "read").status == 302
    with portal.work() as session:
        asked = session.execute(
            text("SELECT asked_by, state FROM metering.read_request WHERE meter_id = :id"),
            {"id": meter.meter_id},
        ).all()
    assert [tuple(row) for row in asked] == [(portal.town.people["dispatcher"].name, "asked")]


def test_a_meter_without_a_terminal_cannot_be_read(portal: Portal, dispatcher: Browser) -> None:
    meter = portal.meter(profile=None)
    alert = portal.alert(meter=meter)
    page = act(dispatcher, alert, "read")
    assert page.status == 409
    assert meter.meter_no in page.said


def ticket_of(portal: Portal, page: Page) -> TicketCard:
    with portal.work() as session:
        return ticket_card(session, page.location.rsplit("/", 1)[1])


def test_a_repair_is_opened_from_an_alert_with_its_evidence(
    portal: Portal, dispatcher: Browser
) -> None:
    alert = portal.alert()
    page = act(dispatcher, alert, "ticket", title="电压低", description="客户来电")
    ticket = ticket_of(portal, page)
    assert (ticket.kind, ticket.title, ticket.alert_id) == ("repair", "电压低", alert.id)
    assert ticket.priority == "major"
    evidence = ticket.evidence
    assert (evidence["kind"], evidence["phases"], evidence["measured"], evidence["limit"]) == (
        "under_voltage",
        "a",
        "190.000",
        "198.000",
    )
    after = now(portal, alert)
    assert (after.state, after.ticket_no) == (AlertState.WORKING, ticket.ticket_no)
    assert "190.0 V" in dispatcher.follow(page).said


def test_theft_is_inspected_rather_than_repaired(portal: Portal, dispatcher: Browser) -> None:
    alert = portal.alert(theft=True)
    ticket = ticket_of(portal, act(dispatcher, alert, "ticket", title=""))
    assert ticket.kind == "inspection"
    assert ticket.ticket_no.startswith("JC-")
    assert ticket.title.startswith("开表盖")
    assert ticket.evidence["kind"] == "cover_open"


def test_an_alert_has_one_open_ticket_and_the_refusal_names_it(
    portal: Portal, dispatcher: Browser
) -> None:
    alert = portal.alert()
    ticket = ticket_of(portal, act(dispatcher, alert, "ticket", title="一"))
    page = act(portal.browser("agent"), alert, "ticket", title="二")
    assert page.status == 409
    assert ticket.ticket_no in page.said
    with portal.work() as session:
        assert len(tickets_at(session, [alert.point_id or 0])) == 1


def test_a_customer_on_life_support_makes_any_ticket_urgent(
    portal: Portal, dispatcher: Browser
) -> None:
    alert = portal.alert()
    with portal.work() as session:
        session.execute(
            text("UPDATE customers.account SET life_support_until = '2099-01-01'"
                 " WHERE point_id = :id"),
            {"id": alert.point_id},
        )  # fmt: skip
    assert dispatcher.get(f"/alerts?id={alert.id}").tree.all("div", role="alert")
    assert ticket_of(portal, act(dispatcher, alert, "ticket", title="一")).priority == "crit"


@pytest.mark.parametrize("what", ["acknowledge", "suppress", "false", "close", "ticket"])
@pytest.mark.parametrize("username", ["crew", "clerk", "admin"])
def test_who_may_not_act_changes_nothing(portal: Portal, username: str, what: str) -> None:
    alert = portal.alert()
    page = act(portal.browser(username), alert, what, reason="x", title="x", minutes=30)
    assert page.status == 403
    assert now(portal, alert) == alert


def test_without_the_token_of_a_form_nothing_is_acknowledged(
    portal: Portal, dispatcher: Browser
) -> None:
    alert = portal.alert()
    page = dispatcher.post_without_token(f"/alerts/{alert.id}/acknowledge", version=alert.version)
    assert page.status == 400
    assert now(portal, alert).state is AlertState.OPEN


def test_yesterdays_curve_can_be_chosen(portal: Portal, dispatcher: Browser) -> None:
    alert = portal.alert()
    card = dispatcher.get(f"/alerts?id={alert.id}").tree.one("section", id="curve-card")
    yesterday = clock.business_date() - timedelta(days=1)
    hrefs = [link.attrs["href"] for link in card.all("a")]
    assert f"/alerts?id={alert.id}&day={yesterday.isoformat()}" in hrefs
