"""The crew's phone: own tasks alone, progress by the phone's clock."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from callcenter.tickets.queries import ticket_history
from foundation import clock
from foundation.actor import Scope
from loadmgmt.api.outage_moves import end_outage
from loadmgmt.api.outages import outage_card, register_outage
from loadmgmt.api.types import NewOutage, OutageKind
from tests.factories.foundation import SYSTEM
from tests.factories.webapp import Browser, Page, Portal

SAFE = ["no_voltage", "earthed", "no_back_feed", "signs"]


@pytest.fixture
def crew(portal: Portal) -> Browser:
    """Give a member of the crew their phone."""
    return portal.browser("crew")


def move(browser: Browser, portal: Portal, ticket_no: str, name: str, **fields: object) -> Page:
    version = portal.card(ticket_no).version
    return browser.post(f"/m/tasks/{ticket_no}/move/{name}", **{"version": version} | fields)


def listed(page: Page) -> list[str]:
    found = [link.attrs["href"] for link in page.tree.all("a", class_="card link")]
    return [href.rsplit("/", 1)[1] for href in found]


def test_only_the_tasks_of_the_own_crew_are_listed(portal: Portal, crew: Browser) -> None:
    mine, others = portal.sent_ticket(title="变压器异响"), portal.ticket()
    page = crew.get("/m/tasks")
    assert mine in listed(page)
    assert others not in listed(page)
    assert "变压器异响" in page.said
    assert mine not in listed(portal.browser("crew2").get("/m/tasks"))
    assert crew.get("/m/tasks?part=rows", script=True).tree.all("html") == []


def test_what_waits_for_others_stands_below_without_a_clock(portal: Portal, crew: Browser) -> None:
    done, held, mine = (portal.sent_ticket() for _ in range(3))
    for name, fields in (
        ("accept", {}),
        ("arrive", {}),
        ("begin", {"measures": SAFE}),
        ("restore", {"cause": "loose_connection", "work_done": "紧固"}),
    ):
        portal.move(done, "crew", name, **fields)
    portal.move(held, "crew", "accept")
    version = portal.card(held).version
    path = f"/tickets/{held}/move/hold"
    portal.browser("dispatcher").post(path, version=version, note="等待备件")
    page = crew.get("/m/tasks")
    order = listed(page)
    assert order.index(mine) < min(order.index(done), order.index(held))
    assert page.said.index("等待他人") < page.said.index(done)
    assert page.said.index(mine) < page.said.index("等待他人")


def test_a_task_of_another_crew_looks_as_if_there_were_none(portal: Portal) -> None:
    ticket_no = portal.sent_ticket()
    stranger = portal.browser("crew2")
    assert stranger.get(f"/m/tasks/{ticket_no}").status == 404
    assert stranger.get("/m/tasks/GD-0").status == 404


@pytest.mark.parametrize(("what", "status"), [("move/accept", 403), ("note", 404), ("read", 404)])
def test_nothing_can_be_done_to_a_task_of_another_crew(
    portal: Portal, what: str, status: int
) -> None:
    ticket_no = portal.sent_ticket(point_id=portal.meter().point_id)
    stranger = portal.browser("crew2")
    page = stranger.post(f"/m/tasks/{ticket_no}/{what}", version=2, text="我来过")
    assert page.status == status
    assert portal.card(ticket_no).status == "sent"
    with portal.work() as session:
        notes = session.execute(
            text("SELECT count(*) FROM callcenter.ticket_note n JOIN callcenter.ticket t"
                 " ON t.id = n.ticket_id WHERE t.ticket_no = :no"), {"no": ticket_no}
        ).scalar_one()  # fmt: skip
    assert notes == 0


def test_the_whole_way_of_a_repair_on_the_phone(portal: Portal, crew: Browser) -> None:
    ticket_no = portal.sent_ticket(point_id=portal.town.meter.point_id)
    for name, fields in (
        ("accept", {}),
        ("arrive", {}),
        ("begin", {"measures": SAFE}),
        ("restore", {"cause": "loose_connection", "work_done": "紧固"}),
    ):
        page = move(crew, portal, ticket_no, name, **fields)
        assert page.location == f"/m/tasks/{ticket_no}", page.said[:400]
        shown = crew.follow(page)
        assert shown.status == 200
        assert shown.problems == []
        assert shown.tree.all("div", data_toast="ok")
    assert portal.card(ticket_no).status == "restored"
    assert "没有电表可以证实" in crew.get(f"/m/tasks/{ticket_no}").said
    assert "没有可证实的电表" in portal.browser("dispatcher").get(f"/tickets/{ticket_no}").said


def test_an_outage_waits_for_the_meters_that_were_dark(portal: Portal, crew: Browser) -> None:
    with portal.work() as session:
        area_id = portal.town.area[0]
        new = NewOutage(OutageKind.FAULT, area_id, clock.now() - timedelta(minutes=5))
        outage = outage_card(session, Scope.everything(), register_outage(session, SYSTEM, new))
        dark = session.execute(
            text("UPDATE loadmgmt.outage_member SET was_dark = true WHERE outage_id = :id"),
            {"id": outage.id},
        ).rowcount
    ticket_no = portal.sent_ticket(outage_id=outage.id, area_id=area_id)
    for name, fields in (
        ("accept", {}),
        ("arrive", {}),
        ("begin", {"measures": SAFE}),
        ("restore", {"cause": "loose_connection", "work_done": "紧固"}),
    ):
        move(crew, portal, ticket_no, name, **fields)
    for page in (
        crew.get(f"/m/tasks/{ticket_no}"),
        portal.browser("dispatcher").get(f"/tickets/{ticket_no}"),
    ):
        assert f"失电的 {dark} 块电表有 95% 恢复电压后自动办结" in page.said


def test_a_ticket_whose_outage_is_over_says_so(portal: Portal) -> None:
    with portal.work() as session:
        area_id = portal.meter().area_id
        new = NewOutage(OutageKind.FAULT, area_id, clock.now() - timedelta(minutes=5), box_no="B-X")
        outage = outage_card(session, Scope.everything(), register_outage(session, SYSTEM, new))
    ticket_no = portal.ticket(outage_id=outage.id, area_id=area_id)
    dispatcher = portal.browser("dispatcher")
    assert "已结束" not in dispatcher.get(f"/tickets/{ticket_no}").said
    with portal.work() as session:
        end_outage(session, SYSTEM, outage.outage_no, version=None, note="已送电")
    page = dispatcher.get(f"/tickets/{ticket_no}")
    assert page.problems == []
    assert f"停电 {outage.outage_no} 已于" in page.said
    assert page.tree.all("a", href=f"/outages/{outage.outage_no}")


def test_every_way_from_a_task_opens_for_the_crew(portal: Portal, crew: Browser) -> None:
    ticket_no = portal.sent_ticket(point_id=portal.town.meter.point_id)
    page = crew.get(f"/m/tasks/{ticket_no}")
    ways = {link.attrs["href"] for link in page.tree.all("a", href=True)}
    for href in sorted(one for one in ways if one.startswith("/")):
        assert crew.get(href).status == 200, href
    assert "tel:13800138000" in ways


def test_work_does_not_begin_before_every_measure_is_ticked(portal: Portal, crew: Browser) -> None:
    ticket_no = portal.sent_ticket()
    move(crew, portal, ticket_no, "accept")
    move(crew, portal, ticket_no, "arrive")
    page = move(crew, portal, ticket_no, "begin", measures=["earthed", "signs"])
    assert page.status == 422
    assert page.problems == []
    ticked = [one.attrs["value"] for one in page.tree.all("input", checked=True)]
    assert ticked == ["earthed", "signs"]
    assert page.tree.one("div", data_error_summary=True)
    assert portal.card(ticket_no).status == "on_site"


def test_what_was_typed_is_still_there_when_a_report_has_gaps(
    portal: Portal, crew: Browser
) -> None:
    ticket_no = portal.sent_ticket()
    for name, fields in (("accept", {}), ("arrive", {}), ("begin", {"measures": SAFE})):
        move(crew, portal, ticket_no, name, **fields)
    page = move(crew, portal, ticket_no, "restore", cause="", work_done="换了 <熔丝>")
    assert page.status == 422
    assert page.tree.one("textarea", name="work_done").text == "换了 <熔丝>"


def done_at(portal: Portal, ticket_no: str) -> datetime:
    with portal.work() as session:
        return ticket_history(session, portal.card(ticket_no).case_id)[-1].done_at


def ten_minutes_older(portal: Portal, ticket_no: str) -> None:
    with portal.work() as session:
        session.execute(
            text("UPDATE foundation.flow_history SET done_at = done_at - interval '10 minutes'"
                 " WHERE case_id = (SELECT case_id FROM callcenter.ticket WHERE ticket_no = :no)"),
            {"no": ticket_no},
        )  # fmt: skip


def test_progress_counts_from_when_it_was_done_by_the_phones_clock(
    portal: Portal, crew: Browser
) -> None:
    ticket_no = portal.sent_ticket()
    ten_minutes_older(portal, ticket_no)
    then = (clock.now() - timedelta(minutes=7)).replace(microsecond=0)
    local = then.astimezone(clock.office_zone()).isoformat()
    move(crew, portal, ticket_no, "accept", done_at=local)
    assert done_at(portal, ticket_no) == then


@pytest.mark.parametrize(
    "said",
    ["", "soon", "2026-06-18T10:00:00", "2999-01-01T00:00:00+00:00", "0001-01-01T00:00+14:00"],
)
def test_a_phone_that_does_not_know_the_time_is_not_believed(
    portal: Portal, crew: Browser, said: str
) -> None:
    ticket_no = portal.sent_ticket()
    before = clock.now()
    page = move(crew, portal, ticket_no, "accept", done_at=said)
    assert page.status == 302
    assert before <= done_at(portal, ticket_no) <= datetime.now(UTC)


def test_a_ticket_sent_back_needs_a_reason_and_leaves_the_list(
    portal: Portal, crew: Browser
) -> None:
    ticket_no = portal.sent_ticket()
    assert move(crew, portal, ticket_no, "send_back").status == 422
    page = move(crew, portal, ticket_no, "send_back", note="车坏了")
    assert portal.card(ticket_no).crew_id is None
    assert page.location in {"/m/tasks", f"/m/tasks/{ticket_no}"}
    assert crew.follow(page).status == 200
    assert ticket_no not in listed(crew.get("/m/tasks"))


def test_a_remark_from_the_field_is_seen_at_the_desk(portal: Portal, crew: Browser) -> None:
    ticket_no = portal.sent_ticket()
    page = crew.post(f"/m/tasks/{ticket_no}/note", text="表箱上锁")
    assert page.location == f"/m/tasks/{ticket_no}"
    assert "表箱上锁" in portal.browser("dispatcher").get(f"/tickets/{ticket_no}").said


def test_the_meter_of_a_task_is_read_on_the_spot(portal: Portal, crew: Browser) -> None:
    meter = portal.meter()
    ticket_no = portal.sent_ticket(point_id=meter.point_id)
    assert crew.post(f"/m/tasks/{ticket_no}/read").status == 302
    with portal.work() as session:
        asked = session.execute(
            text("SELECT asked_by FROM metering.read_request WHERE meter_id = :id"),
            {"id": meter.meter_id},
        ).scalar_one()
    assert asked == portal.town.people["crew"].name


def test_a_task_without_a_place_has_no_meter_to_read(portal: Portal, crew: Browser) -> None:
    ticket_no = portal.sent_ticket()
    assert crew.post(f"/m/tasks/{ticket_no}/read").status == 302
    assert crew.get(f"/m/tasks/{ticket_no}").status == 200


def test_who_works_at_a_desk_has_no_tasks_in_the_field(portal: Portal, dispatcher: Browser) -> None:
    ticket_no = portal.sent_ticket()
    assert dispatcher.get("/m/tasks").status == 403
    assert move(dispatcher, portal, ticket_no, "accept").status == 403
