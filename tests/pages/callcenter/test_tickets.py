"""Tickets: views, one ticket with its moves, and what was typed when a form has gaps."""

from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import text

from callcenter.tickets.actions.moving import move_ticket
from callcenter.tickets.books import flows
from callcenter.tickets.queries import VIEWS, ticket_counts
from callcenter.tickets.types import TicketKind
from foundation import clock
from foundation.actor import Role, Scope
from foundation.flow.definition import Flow
from tests.factories.webapp import Browser, Page, Portal
from webapp.pages.callcenter.tickets import STAGES


def listed(page: Page) -> list[str]:
    return [
        link.attrs["href"].rsplit("/", 1)[1]
        for link in page.tree.all("a", class_="open m")
        if link.attrs["href"].startswith("/tickets/")
    ]


def move(browser: Browser, portal: Portal, ticket_no: str, name: str, **fields: object) -> Page:
    version = portal.card(ticket_no).version
    return browser.post(f"/tickets/{ticket_no}/move/{name}", **{"version": version} | fields)


def moves_offered(page: Page) -> set[str]:
    forms = [form.attrs.get("action", "") for form in page.tree.all("form")]
    return {action.rsplit("/", 1)[1] for action in forms if "/move/" in action}


@pytest.fixture(scope="module")
def some(portal: Portal) -> dict[str, str]:
    """Open tickets in different places of their flow."""
    crew_id = str(portal.town.crew_id)
    found = {name: portal.ticket(title=f"试验 {name}") for name in ("new", "void", "sent")}
    portal.move(found["sent"], "dispatcher", "dispatch", crew_id=crew_id)
    with portal.work() as session:  # half of its time is used, and a little more
        session.execute(
            text(
                "UPDATE foundation.flow_clock SET started_at = now() - interval '11 minutes',"
                " due_at = now() + interval '9 minutes' WHERE case_id = :case"
            ),
            {"case": portal.card(found["sent"]).case_id},
        )
    with portal.work() as session:
        move_ticket(session, portal.town.people["dispatcher"], found["void"], "void",
                    version=1, note="误报")  # fmt: skip
    found["inspection"] = portal.ticket(kind=TicketKind.INSPECTION, title="查表 100%")
    found["restored"] = portal.sent_ticket(title="已复电")
    for name in ("accept", "arrive"):
        portal.move(found["restored"], "crew", name)
    portal.move(
        found["restored"], "crew", "begin", measures=["no_voltage", "earthed", "no_back_feed",
                                                      "signs"]
    )  # fmt: skip
    portal.move(found["restored"], "crew", "restore", cause="overload", work_done="换熔丝")
    return found


@pytest.mark.parametrize(
    ("view", "holds"),
    [
        ("open", {"new", "sent", "inspection", "restored"}),
        ("undispatched", {"new", "inspection"}),
        ("due", {"sent"}),
        ("restored", {"restored"}),
        ("today", {"new", "sent", "void", "inspection", "restored"}),
        ("archived", {"void"}),
        ("nothing", {"new", "sent", "inspection", "restored"}),
    ],
)
def test_a_view_holds_what_its_name_says(
    dispatcher: Browser, some: dict[str, str], view: str, holds: set[str]
) -> None:
    found = listed(dispatcher.get(f"/tickets?view={view}"))
    assert {name for name, number in some.items() if number in found} == holds


def test_a_promise_that_stands_still_is_not_late(portal: Portal) -> None:
    with portal.work() as session:
        before = ticket_counts(session, Scope.everything())["overdue"]
    number = portal.ticket(title="试验 挂起")
    for pausing, more in (("NULL", 1), ("now() - interval '2 hours'", 0)):
        with portal.work() as session:
            session.execute(
                text(
                    "UPDATE foundation.flow_clock SET due_at = now() - interval '1 hour',"
                    f" paused_at = {pausing} WHERE case_id = :case"
                ),
                {"case": portal.card(number).case_id},
            )
        with portal.work() as session:
            assert ticket_counts(session, Scope.everything())["overdue"] == before + more


def test_every_view_has_a_tab_with_its_count(dispatcher: Browser, some: dict[str, str]) -> None:
    page = dispatcher.get("/tickets")
    links = {link.attrs["href"] for link in page.tree.all("a")}
    assert some
    for view in VIEWS:
        assert any(f"view={view}" in href or href == "/tickets" for href in links), view


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ("kind=inspection", {"inspection"}),
        ("kind=repair&view=undispatched", {"new"}),
        ("q=JC-", {"inspection"}),
        ("q=100%25", {"inspection"}),
        ("q=试验 se", {"sent"}),
        ("q=%25&kind=repair", set()),
        ("q=nothing", set()),
        ("kind=nothing&q=查表", {"inspection"}),
    ],
)
def test_a_list_is_narrowed_by_kind_number_and_title(
    dispatcher: Browser, some: dict[str, str], query: str, holds: set[str]
) -> None:
    found = listed(dispatcher.get(f"/tickets?{query}"))
    assert {name for name, number in some.items() if number in found} == holds


def test_a_long_list_of_the_past_goes_on_where_it_ended(
    portal: Portal, dispatcher: Browser
) -> None:
    for number in range(52):
        portal.ticket(title=f"很多 {number}")
    first = dispatcher.get("/tickets?view=today&q=很多")
    assert len(listed(first)) == 50
    second = dispatcher.get(first.tree.one("a", rel="next").attrs["href"])
    assert len(listed(second)) == 2
    assert set(listed(first)).isdisjoint(listed(second))


@pytest.mark.parametrize(
    ("after", "status"), [("x", 200), ("-1", 200), ("99999999999999999999", 400)]
)
def test_an_address_that_makes_no_sense_is_no_error_of_ours(
    dispatcher: Browser, after: str, status: int
) -> None:
    assert dispatcher.get(f"/tickets?view=today&after={after}").status == status


def test_a_number_no_ticket_has_is_not_found(dispatcher: Browser) -> None:
    assert dispatcher.get("/tickets/GD-0").status == 404
    assert dispatcher.post("/tickets/GD-0/move/dispatch", version=1).status == 404
    assert dispatcher.post("/tickets/GD-0/note", text="x").status == 404


def test_a_ticket_is_opened_by_hand_at_a_meter(portal: Portal, dispatcher: Browser) -> None:
    one = portal.meter()
    page = dispatcher.post(
        "/tickets/new", title=" 停电 ", description="整栋", kind="repair", priority="crit",
        meter_no=one.meter_no,
    )  # fmt: skip
    ticket = portal.card(page.location.rsplit("/", 1)[1])
    assert (ticket.title, ticket.priority, ticket.point_id) == ("停电", "crit", one.point_id)
    assert ticket.opened_by == portal.town.people["dispatcher"].name
    shown = dispatcher.follow(page).said
    assert "停电" in shown
    assert "吴小满" in shown


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"title": " "}, ["f-title"]),
        ({"kind": "flood"}, ["f-kind"]),
        ({"priority": ""}, ["f-priority"]),
        ({"title": "", "kind": "", "priority": "x"}, ["f-title", "f-kind", "f-priority"]),
    ],
)
def test_a_new_ticket_with_gaps_comes_back_with_all_that_was_typed(
    dispatcher: Browser, fields: dict[str, str], wrong: list[str]
) -> None:
    typed = {"title": "停电", "description": "三楼 <b>", "kind": "repair", "priority": "minor"}
    page = dispatcher.post("/tickets/new", **typed | fields)
    assert page.status == 422
    assert page.problems == []
    links = page.tree.one("div", data_error_summary=True).all("a")
    assert [link.attrs["href"] for link in links] == [f"#{one}" for one in wrong]
    assert page.tree.one("textarea", name="description").text == "三楼 <b>"
    for one in wrong:
        assert page.tree.all(id=one)


def test_a_new_ticket_at_a_meter_nobody_has_says_so_and_loses_nothing(
    dispatcher: Browser,
) -> None:
    page = dispatcher.post(
        "/tickets/new", title="停电", description="三楼", kind="repair", priority="minor",
        meter_no="M-0",
    )  # fmt: skip
    assert page.status == 404


def test_a_move_without_a_form_is_made_at_once(portal: Portal, dispatcher: Browser) -> None:
    ticket_no = portal.ticket()
    page = move(dispatcher, portal, ticket_no, "dispatch", crew_id=str(portal.town.crew_id))
    assert page.location == f"/tickets/{ticket_no}"
    card = portal.card(ticket_no)
    assert (card.status, card.crew_id) == ("sent", portal.town.crew_id)
    shown = dispatcher.follow(page)
    assert shown.tree.all("div", data_toast="ok")
    assert "抢修一班" in shown.said


@pytest.mark.parametrize(
    ("name", "status"), [("proved", 409), ("ask_customer", 409), ("satisfied", 409), ("merge", 403)]
)
def test_a_move_made_elsewhere_is_refused_to_everybody(
    portal: Portal, name: str, status: int
) -> None:
    ticket_no = portal.ticket()
    page = move(portal.browser("supervisor"), portal, ticket_no, name, note="试试")
    assert page.status == status
    assert portal.card(ticket_no).status == "new"


def test_a_move_with_gaps_comes_back_with_what_was_typed(portal: Portal) -> None:
    inspector = portal.browser("inspector")
    ticket_no = portal.ticket(kind=TicketKind.INSPECTION)
    portal.move(ticket_no, "inspector", "dispatch", crew_id=str(portal.town.inspectors_id))
    for name in ("accept", "arrive"):
        portal.move(ticket_no, "inspector", name)
    typed = {"finding": "theft", "second_inspector": " ", "seal_no": "F-77", "seen": "表前跨线"}
    page = move(inspector, portal, ticket_no, "report", **typed, note="夜里")
    assert page.status == 422
    assert page.problems == []
    form = page.tree.one("section", id="correct")
    assert [a.attrs["href"] for a in form.one("div", data_error_summary=True).all("a")] == [
        "#f-second_inspector"
    ]
    assert form.one("input", name="seal_no").attrs["value"] == "F-77"
    assert form.one("textarea", name="seen").text == "表前跨线"
    assert form.one("input", name="note").attrs["value"] == "夜里"
    assert [one.attrs["value"] for one in form.all("input", checked=True)] == ["theft"]
    assert portal.card(ticket_no).status == "on_site"
    assert (
        move(inspector, portal, ticket_no, "report", **typed | {"second_inspector": "郑"}).status
        == 302
    )
    assert portal.card(ticket_no).status == "done"


@pytest.mark.parametrize(
    ("crew_id", "status"),
    [("", 422), ("x", 422), ("²", 422), ("999999", 404), ("99999999999999999999", 422)],
)
def test_a_ticket_is_given_only_to_a_crew_there_is(
    portal: Portal, dispatcher: Browser, crew_id: str, status: int
) -> None:
    ticket_no = portal.ticket()
    page = move(dispatcher, portal, ticket_no, "dispatch", crew_id=crew_id)
    assert page.status == status
    assert portal.card(ticket_no).status == "new"


def test_a_move_that_needs_a_reason_is_refused_without(portal: Portal, dispatcher: Browser) -> None:
    ticket_no = portal.ticket()
    page = move(dispatcher, portal, ticket_no, "void", note=" ")
    assert page.status == 422
    assert portal.card(ticket_no).status == "new"
    assert move(dispatcher, portal, ticket_no, "void", note="重复").status == 302
    assert "重复" in dispatcher.get(f"/tickets/{ticket_no}").said


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_who_moves_second_is_told_who_was_first(
    portal: Portal, dispatcher: Browser, language: str
) -> None:
    ticket_no = portal.ticket()
    crew_id = str(portal.town.crew_id)
    other = portal.browser("dispatcher2")
    other.post("/me/language", language=language)
    move(dispatcher, portal, ticket_no, "dispatch", crew_id=crew_id)
    page = move(other, portal, ticket_no, "dispatch", version=1, crew_id=crew_id)
    other.post("/me/language", language="zh-CN")
    assert page.status == 409
    assert portal.town.people["dispatcher"].name in page.said
    assert ("派" in page.tree.one("main").text) is (language == "zh-CN")


def test_a_step_takes_only_its_own_moves(portal: Portal, dispatcher: Browser) -> None:
    ticket_no = portal.ticket()
    assert move(dispatcher, portal, ticket_no, "archive").status == 409
    assert move(dispatcher, portal, ticket_no, "no_such_move").status == 409


@pytest.mark.parametrize(
    ("username", "offered"),
    [
        ("dispatcher", {"dispatch", "void"}),
        ("supervisor", {"dispatch", "void"}),
        ("agent", {"dispatch"}),
        ("clerk", set()),
        ("inspector", set()),
        ("admin", set()),
    ],
)
def test_only_moves_of_the_role_are_offered(
    portal: Portal, some: dict[str, str], username: str, offered: set[str]
) -> None:
    page = portal.browser(username).get(f"/tickets/{some['new']}")
    assert moves_offered(page) == offered


@pytest.mark.parametrize(("username", "status"), [("clerk", 403), ("admin", 403), ("crew2", 403)])
def test_a_move_of_another_role_is_refused_and_changes_nothing(
    portal: Portal, username: str, status: int
) -> None:
    ticket_no = portal.ticket()
    browser = portal.browser(username)
    assert move(browser, portal, ticket_no, "void", note="x").status == status
    assert portal.card(ticket_no).version == 1


def test_a_ticket_that_has_ended_offers_nothing(dispatcher: Browser, some: dict[str, str]) -> None:
    assert moves_offered(dispatcher.get(f"/tickets/{some['void']}")) == set()


def test_a_remark_is_shown_and_an_empty_one_is_none(portal: Portal, dispatcher: Browser) -> None:
    ticket_no = portal.ticket()
    dispatcher.post(f"/tickets/{ticket_no}/note", text="客户有氧气瓶\n两小时")
    dispatcher.post(f"/tickets/{ticket_no}/note", text="  ")
    page = dispatcher.get(f"/tickets/{ticket_no}")
    assert "客户有氧气瓶" in page.said
    with portal.work() as session:
        count = session.execute(
            text("SELECT count(*) FROM callcenter.ticket_note n JOIN callcenter.ticket t"
                 " ON t.id = n.ticket_id WHERE t.ticket_no = :no"), {"no": ticket_no}
        ).scalar_one()  # fmt: skip
    assert count == 1


def test_promises_run_on_the_page(portal: Portal, dispatcher: Browser) -> None:
    ticket_no = portal.ticket()
    chips = dispatcher.get(f"/tickets/{ticket_no}").tree.all("span", data_sla=True)
    assert {chip.attrs["data-state"] for chip in chips} == {"ok"}
    assert all(chip.attrs["data-due"] for chip in chips)
    with clock.frozen(clock.now() + timedelta(hours=2)):
        late = dispatcher.get(f"/tickets/{ticket_no}").tree.all("span", data_sla=True)
        assert {chip.attrs["data-state"] for chip in late} == {"over"}
        row = dispatcher.get(f"/tickets?q={ticket_no}").tree.one("span", data_sla=True)
        assert row.attrs["data-state"] == "over"


def test_the_history_is_told_in_words(dispatcher: Browser, some: dict[str, str]) -> None:
    said = dispatcher.get(f"/tickets/{some['restored']}").said
    for word in ("派发", "接单", "恢复送电", "换熔丝"):
        assert word in said


def test_the_part_of_a_ticket_is_read_again_alone(
    dispatcher: Browser, some: dict[str, str]
) -> None:
    page = dispatcher.get(f"/tickets/{some['new']}?part=ticket", script=True)
    assert page.tree.all("html") == []
    assert page.tree.one("div", id="ticket")
    rows = dispatcher.get("/tickets?view=due&part=rows", script=True)
    assert rows.tree.one("div", id="rows").attrs["data-part"] == "/tickets?view=due&part=rows"


def test_the_straight_way_of_a_flow_is_drawn_as_the_flow_goes() -> None:
    for flow in flows().all():
        stages = [step for step in STAGES[flow.name] if step in flow.steps]
        assert stages[0] == flow.start
        assert all(goes(flow, one, other) for one, other in pairwise(stages))
        assert flow.is_end(stages[-1])


def goes(flow: Flow, step: str, to: str) -> bool:
    return any(way.to == to for way in flow.steps[step].moves.values())


def test_somebody_of_every_role_that_may_can_open_a_ticket(portal: Portal) -> None:
    for role in (Role.AGENT, Role.DISPATCHER, Role.INSPECTOR, Role.SUPERVISOR):
        page = portal.browser(role.value).post(
            "/tickets/new", title="停电", kind="repair", priority="minor"
        )
        assert page.status == 302
