"""The operators' desk: who calls, what explains it, one key; nothing typed is lost."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from callcenter.calls.actions.seats import sit_at
from callcenter.calls.queries.cards import call_card
from callcenter.calls.types import CallCard, CallOutcome
from callcenter.tickets.types import Priority
from foundation import clock
from tests.factories.callcenter import House, answered, extension_of, street
from tests.factories.foundation import SYSTEM
from tests.factories.webapp import Browser, Page, Portal
from webapp import drafts

FAULT = {"symptom": "no_power", "dangers": "none", "description": "整层没电"}


@pytest.fixture
def agent(portal: Portal) -> Browser:
    """Sit an agent at the desk."""
    actor = portal.town.people["agent"]
    with portal.work() as session:
        sit_at(session, actor, extension_of(actor))
    return portal.browser("agent")


def calls(portal: Portal, houses: int = 1, **more: int) -> tuple[int, list[House]]:
    """Let the first house of a new street call the agent."""
    with portal.work() as session:
        found = street(session, houses, **more)
        return answered(session, portal.town.people["agent"], found[0].phone), found


def card(portal: Portal, call_id: int) -> CallCard:
    with portal.work() as session:
        return call_card(session, call_id)


def log(browser: Browser, call_id: int, version: int = 1, **fields: object) -> Page:
    return browser.post(f"/desk/calls/{call_id}/fault", version=version, **FAULT | fields)


def test_the_desk_shows_the_caller_and_the_form_filled_with_what_is_known(
    portal: Portal, agent: Browser
) -> None:
    _, houses = calls(portal, read=1)
    page = agent.get("/desk")
    assert page.problems == []
    assert houses[0].account_no[-2:] in page.said
    form = page.tree.one("form", data_draft=True)
    phone = form.one("input", name="contact_phone").attrs["value"]
    assert phone.replace(" ", "") == houses[0].phone
    assert page.tree.all("section", id="meter-card")


def test_nobody_is_promised_a_crew_in_minutes_that_depend_on_where_they_live(
    portal: Portal, agent: Browser
) -> None:
    with portal.work() as session:
        call_id = answered(session, portal.town.people["agent"], "13900009999")
    script = agent.get(f"/desk?call={call_id}").tree.one("ol", class_="say scroll fill").text
    assert "告知您抢修人员何时到场" in script
    assert "分钟" not in script


def test_dangers_a_contact_and_a_place_reach_the_crew(portal: Portal, agent: Browser) -> None:
    call_id, _ = calls(portal)
    log(
        agent,
        call_id,
        dangers=["line_down", "shock"],
        contact_name="守夜人",
        contact_phone="138 1111 2222",
        address="屋后田埂",
        crew_id=str(portal.town.crew_id),
    )
    number = str(card(portal, call_id).ticket_no)
    task = portal.browser("crew").get(f"/m/tasks/{number}")
    assert task.tree.all("a", href="tel:13811112222")
    for page in (task, portal.browser("dispatcher").get(f"/tickets/{number}")):
        assert page.problems == []
        for said in ("电线掉落", "有人触电", "屋后田埂"):
            assert said in page.said


def test_dangers_told_later_make_a_ticket_critical(portal: Portal, agent: Browser) -> None:
    first, houses = calls(portal)
    log(agent, first, symptom="flicker")
    number = str(card(portal, first).ticket_no)
    assert portal.card(number).priority is Priority.MINOR
    with portal.work() as session:
        second = answered(session, portal.town.people["agent"], houses[0].phone)
    log(agent, second, symptom="flicker", dangers=["smoke"], do=f"add:{number}")
    assert portal.card(number).priority is Priority.CRIT
    assert portal.card(number).evidence["dangers"] == ["smoke"]


def test_who_calls_again_hears_of_the_promise_that_runs(portal: Portal, agent: Browser) -> None:
    first, houses = calls(portal)
    log(agent, first, symptom="flicker")
    number = str(card(portal, first).ticket_no)
    with portal.work() as session:
        second = answered(session, portal.town.people["agent"], houses[0].phone)
    script = agent.get(f"/desk?call={second}").tree.one("ol", class_="say scroll fill").text
    assert f"您的报修 {number} 已受理" in script
    assert "前到达现场" in script
    assert "分钟" not in script


def test_a_number_that_is_none_is_refused(portal: Portal, agent: Browser) -> None:
    call_id, _ = calls(portal)
    page = log(agent, call_id, contact_phone="not a number")
    assert page.status == 422
    assert page.tree.one("input", name="contact_phone").attrs["value"] == "not a number"


def test_another_account_brings_its_own_place_and_crew(portal: Portal, agent: Browser) -> None:
    call_id, houses = calls(portal, 2)
    agent.post(
        f"/drafts/call:{call_id}", description="整层没电", address="别处", symptom="no_power"
    )
    other = houses[1].meter.point_id
    agent.post(f"/desk/calls/{call_id}/point", version=1, point_id=str(other))
    form = agent.get(f"/desk?call={call_id}").tree.one("form", data_draft=True)
    assert form.one("textarea", name="description").text == "整层没电"
    assert form.one("input", name="address").attrs["value"] not in {"", "别处"}


def test_what_strangers_told_is_shown_to_nobody_unknown(portal: Portal, agent: Browser) -> None:
    with portal.work() as session:
        stranger = answered(session, portal.town.people["agent"], None)
    agent.post(f"/desk/calls/{stranger}/close", version=1, outcome="answered", note="私事")
    with portal.work() as session:
        unknown = answered(session, portal.town.people["agent"], "13912345678")
    assert "私事" not in agent.get(f"/desk?call={unknown}").said


def test_one_key_makes_the_ticket_and_the_page_says_its_number(
    portal: Portal, agent: Browser
) -> None:
    call_id, _ = calls(portal)
    page = agent.follow(log(agent, call_id))
    done = card(portal, call_id)
    assert done.outcome is CallOutcome.TICKET
    assert str(done.ticket_no) in page.said
    assert portal.card(str(done.ticket_no)).description.startswith("整层没电")


def test_what_is_missing_is_said_and_what_was_typed_stays(portal: Portal, agent: Browser) -> None:
    call_id, _ = calls(portal)
    page = agent.post(f"/desk/calls/{call_id}/fault", version=1, description="灯不亮")
    assert page.status == 422
    assert page.tree.one("textarea", name="description").text == "灯不亮"
    assert len(page.tree.one("div", data_error_summary=True).all("li")) == 2
    assert not page.tree.one("div", id="desk").attrs.get("data-part")  # not re-read under hands
    assert card(portal, call_id).outcome is None


def test_who_comes_second_learns_who_was_first_and_keeps_what_was_typed(
    portal: Portal, agent: Browser
) -> None:
    call_id, _ = calls(portal)
    log(agent, call_id)
    supervisor = portal.browser("supervisor")
    page = log(supervisor, call_id, description="班长补充")
    assert page.status == 409
    assert portal.town.people["agent"].name in page.said
    assert page.tree.one("textarea", name="description").text == "班长补充"
    ticket_no = str(card(portal, call_id).ticket_no)
    (button,) = page.tree.all("button", formaction=f"/desk/calls/{call_id}/note")
    assert ticket_no in button.text
    noted = supervisor.post(f"/desk/calls/{call_id}/note", description="班长补充")
    assert noted.location == f"/tickets/{ticket_no}"
    assert "班长补充" in supervisor.follow(noted).said


def test_a_known_outage_is_offered_and_takes_the_call_without_a_ticket(
    portal: Portal, agent: Browser
) -> None:
    with portal.work() as session:
        houses = street(session, 5, boxes=5)
        me = portal.town.people["agent"]
        first = [answered(session, me, one.phone) for one in houses[:3]]
    for call_id in first:
        log(agent, call_id)
    with portal.work() as session:
        call_id = answered(session, me, houses[3].phone)
    page = agent.get(f"/desk?call={call_id}")
    (attach,) = [
        one for one in page.tree.all("button", name="do") if "attach" in one.attrs["value"]
    ]
    before = tickets(portal)
    done = agent.follow(log(agent, call_id, do=attach.attrs["value"]))
    assert card(portal, call_id).outcome is CallOutcome.OUTAGE
    assert attach.attrs["value"].split(":")[1] in done.said
    assert tickets(portal) == before


def tickets(portal: Portal) -> int:
    with portal.work() as session:
        return int(session.scalar(text("SELECT count(*) FROM callcenter.ticket")) or 0)


def test_a_draft_survives_a_closed_browser_and_goes_when_the_form_is_sent(
    portal: Portal, agent: Browser
) -> None:
    call_id, _ = calls(portal)
    kept = agent.post(f"/drafts/call:{call_id}", description="楼道有焦味", symptom="flicker")
    assert kept.status == 204
    another = portal.browser("agent")  # the same person, a new browser
    page = another.get(f"/desk?call={call_id}")
    assert page.tree.one("textarea", name="description").text == "楼道有焦味"
    supervisor = portal.browser("supervisor").get(f"/desk?call={call_id}")
    assert supervisor.tree.one("textarea", name="description").text == ""
    log(another, call_id)
    with portal.work() as session:
        assert drafts.kept(session, portal.town.people["agent"], f"call:{call_id}") is None


def test_a_draft_is_sealed_in_the_database(portal: Portal, agent: Browser) -> None:
    agent.post("/drafts/call:7", description="秘密")
    with portal.work() as session:
        kept = session.scalar(text("SELECT content FROM webapp.draft WHERE key = 'call:7'"))
    assert "秘密".encode() not in bytes(kept)


@pytest.mark.parametrize(
    ("key", "text_", "status"),
    [("call:7", "x" * 30_000, 422), ("../etc", "x", 404), ("call:7", "x", 204)],
)
def test_a_draft_has_a_length_and_a_name(agent: Browser, key: str, text_: str, status: int) -> None:
    answer = agent.post(f"/drafts/{key.replace('/', '%2F')}", description=text_)
    assert answer.status == status


def test_drafts_nobody_touched_for_a_month_are_forgotten(portal: Portal) -> None:
    actor = portal.town.people["agent"]
    with clock.frozen(clock.now() - timedelta(days=31)), portal.work() as session:
        drafts.save(session, actor, "call:1", {"description": ["alt"]})
    with portal.work() as session:
        drafts.save(session, actor, "call:2", {"description": ["neu"]})
        assert drafts.load(session, actor, "call:1") == {}
        drafts.forget_old(session, SYSTEM)
        keys = session.scalars(text("SELECT key FROM webapp.draft WHERE person_id = :p"),
                               {"p": actor.id}).all()  # fmt: skip
    assert "call:2" in keys
    assert "call:1" not in keys


def test_an_unknown_caller_gets_a_search_and_a_point_chosen_by_hand(
    portal: Portal, agent: Browser
) -> None:
    with portal.work() as session:
        (house,) = street(session, 1)
        call_id = answered(session, portal.town.people["agent"], None)
    page = agent.get(f"/desk?call={call_id}&q={house.account_no}")
    (found,) = page.tree.all("button", name="point_id")
    agent.post(f"/desk/calls/{call_id}/point", version=1, point_id=found.attrs["value"])
    assert card(portal, call_id).point_id == house.meter.point_id


def test_a_call_is_finished_without_a_ticket_with_a_word(portal: Portal, agent: Browser) -> None:
    call_id, _ = calls(portal)
    refused = agent.post(f"/desk/calls/{call_id}/close", version=1, outcome="answered")
    back = agent.follow(refused)
    assert "请写明答复了客户什么" in back.said
    assert back.tree.all("form", id=f"fault-{call_id}")
    agent.post(f"/desk/calls/{call_id}/close", version=1, outcome="inside", note="请检查漏保")
    assert card(portal, call_id).outcome is CallOutcome.INSIDE


def test_the_state_and_the_extension_are_chosen_at_the_desk(portal: Portal) -> None:
    browser = portal.browser("supervisor")
    browser.post("/desk/extension", extension="8102")
    page = browser.follow(browser.post("/desk/state", state="ready"))
    (pressed,) = page.tree.all("button", name="state", aria_pressed="true")
    assert pressed.attrs["value"] == "ready"


def test_without_the_demo_no_button_plays_the_telephone(portal: Portal, agent: Browser) -> None:
    call_id, _ = calls(portal)
    assert agent.post(f"/desk/calls/{call_id}/phone/answer").status == 409


def test_the_log_shows_an_agent_the_own_calls_and_a_supervisor_all(
    portal: Portal, agent: Browser
) -> None:
    with portal.work() as session:
        other = portal.town.people["supervisor"]
        sit_at(session, other, extension_of(other))
        (house,) = street(session, 1)
        call_id = answered(session, other, house.phone)
    assert agent.get(f"/calls?id={call_id}").status == 404
    assert f"call-{call_id}" not in agent.get("/calls?view=all").html
    assert f"call-{call_id}" in portal.browser("supervisor").get("/calls?view=all").html
