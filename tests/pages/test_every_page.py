"""Every page, for every role, in both languages: its answer, its headers, its HTML."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import pytest
from sqlalchemy import select

from callcenter.callbacks.queries import callback_cards
from callcenter.calls.actions.seats import sit_at
from callcenter.calls.actions.working import log_fault
from callcenter.tickets.queries import tickets_at
from callcenter.tickets.types import TicketKind
from customers.applications.actions.steps import add_note
from foundation import clock
from foundation.actor import Desk, Role, Scope
from foundation.staff.actions import set_desks
from loadmgmt.api.outages import outage_cards, register_outage
from loadmgmt.api.types import NewOutage, OutageKind
from metering.api.commissioning import decide, waiting_targets
from metering.api.requests import ask_write
from metering.api.types import NewWrite, WriteKind
from metering.devices.models import Terminal
from tests.factories.applications import Connections
from tests.factories.callcenter import NO_POWER, answered, extension_of, mend, street
from tests.factories.foundation import SYSTEM
from tests.factories.html import Node
from tests.factories.webapp import Browser, Page, Portal
from webapp.app import SECURITY_HEADERS
from webapp.auth.guard import is_open, may_use
from webapp.context import LANGUAGES

SHARP = "<i>\"&'试验</i>"  # what a careless page would let through as markup
ADDRESSES = (
    "/home",
    "/nav?at=home",
    "/alerts",
    "/alerts?id={alert}",
    "/alerts?id={theft}&curve=current&view=today&node=f1",
    "/alerts?id={theft}&curve=power&day=2026-01-01",
    "/alerts?part=counts",
    "/alerts?part=tree",
    "/alerts?part=rows&view=mine",
    "/alerts?part=panel&id={alert}",
    "/alerts?part=curve&id={alert}",
    "/forecast",
    "/forecast?day=2026-01-01&model=prophet",
    "/forecast?part=body",
    "/forecast/export",
    "/meters",
    "/meters?q=M-9",
    "/meters?q=nothing",
    "/meters/{meter}",
    "/meters/{meter}?tab=curves&curve=power",
    "/meters/{meter}?tab=daily",
    "/meters/{meter}?tab=events",
    "/meters/{meter}?part=values",
    "/meters/{meter}?part=curve",
    "/meters/{bare}",
    "/collection",
    "/collection?part=day&day=2026-01-01&feeder=1",
    "/collection/missing",
    "/collection/missing?hour=3&feeder=1&area={area}",
    "/terminals",
    "/terminals?view=silent&q=ZD",
    "/terminals/{terminal}",
    "/terminals/{terminal}?tab=link",
    "/terminals/{terminal}?tab=raw&curve=power",
    "/terminals/{terminal}?part=values",
    "/terminals/{terminal}?part=curve",
    "/terminals/{terminal}?part=raw",
    "/devices/import",
    "/devices/import/{list}",
    "/devices/import/{list}?view=known&after=1",
    "/meters/{meter}/command?kind=close",
    "/commission",
    "/commission?view=done",
    "/commission?view=shelf",
    "/commission?q=ZD",
    "/commission/{waiting}",
    "/profiles",
    "/profiles/demo_terminal",
    "/profiles/new",
    "/profiles/new?copy=schneider_pm5100_as_printed",
    "/commands",
    "/commands?view=all&part=rows",
    "/commands/{command}",
    "/commands/{command}?part=state",
    "/tickets",
    "/tickets?view=undispatched&kind=repair&q=GD",
    "/tickets?view=today",
    "/tickets?view=archived",
    "/tickets?part=rows",
    "/tickets/new",
    "/tickets/{plain}",
    "/tickets/{sent}",
    "/tickets/{inspection}",
    "/tickets/{sent}?part=ticket",
    "/apps",
    "/apps?view=late&q=YK&as=board",
    "/apps?part=rows",
    "/apps/new",
    "/apps/{accept}",
    "/apps/{survey}?tab=facts",
    "/apps/{survey}?tab=papers",
    "/apps/{fit_meter}",
    "/apps/{archive}?tab=archive",
    "/apps/{archive}?part=case",
    "/apps/{archived}",
    "/apps/{archived}?tab=log",
    "/tasks",
    "/tasks?part=rows",
    "/archive",
    "/customers",
    "/customers?q=林小满",
    "/customers/{account}",
    "/customers/{account}?part=now",
    "/p/apply",
    "/p/apply/{survey}",
    "/m/tasks",
    "/m/tasks?part=rows",
    "/desk",
    "/desk?part=seat",
    "/desk?part=desk",
    "/desk/bar",
    "/desk?call={call}",
    "/desk?call={call}&q=试验",
    "/desk?call={call}&part=meter",
    "/desk?call={unknown}",
    "/desk?call={finished}",
    "/calls",
    "/calls?part=rows",
    "/calls?view=all&id={call}",
    "/calls?view=waiting",
    "/callbacks",
    "/callbacks?view=closed",
    "/callbacks?part=rows",
    "/callbacks?view=later&id={callback}",
    "/outages",
    "/outages?part=rows",
    "/outages?view=planned",
    "/outages?view=past",
    "/outages/{outage}",
    "/outages/{outage}?part=outage",
    "/outages/{planned}",
    "/admin/switch",
    "/admin/channels",
    "/admin/channels?state=skipped",
    "/admin/simulator",
    "/admin/users",
    "/admin/users?tab=roles",
    "/admin/users?tab=desks",
    "/admin/users?id={person}",
    "/admin/users?add",
    "/admin/audit",
    "/admin/audit?act=ticket&who=x&record=1",
    "/admin/jobs",
)
OWN = {"crew": "/m/tasks/{sent}", "inspector": "/m/tasks/{inspection}"}
NOT_PAGES = {
    "/api/v1/openapi.json",
    "/healthz",
    "/readyz",
    "/metrics",
    "/events",
    "/logo",
    "/login",
    "/",
}
FILES = {
    "search.find",
    "app_files.read",
    "intake.read",
    "imports.template",
}  # answers without HTML, tested with their pages


@pytest.fixture(scope="module")
def facts(portal: Portal) -> dict[str, object]:
    """Fill the town with one thing of each kind; give what addresses need."""
    alert, theft, bare = portal.alert(), portal.alert(theft=True), portal.meter(profile=None)
    inspector = portal.browser("inspector")
    inspector.post(f"/alerts/{theft.id}/ticket", title=SHARP, description=SHARP)
    with portal.work() as session:
        (inspection,) = tickets_at(session, [theft.point_id or 0])
    portal.move(
        inspection.ticket_no, "inspector", "dispatch", crew_id=str(portal.town.inspectors_id)
    )
    sent = portal.sent_ticket(title=SHARP, point_id=portal.town.meter.point_id)
    browser = portal.browser("crew")
    browser.post(f"/m/tasks/{sent}/note", text=SHARP)
    clerk = portal.browser("clerk")
    head = "area_no,point_no,box_no,supply,meter_no"
    listed = clerk.post("/devices/import", file=(BytesIO(f"{head}\n{SHARP},,,,".encode()), "a.csv"))
    with portal.work() as session:
        terminal = session.scalars(select(Terminal.terminal_no).order_by(Terminal.id)).first()
    with portal.work() as session:
        asked = NewWrite(portal.town.meter.meter_id, WriteKind.CLOSE, "other", note=SHARP)
        command = ask_write(session, portal.town.people["dispatcher"], asked)
    return (
        telephone(portal)
        | connections(portal)
        | {
            "area": portal.town.area[1],
            "terminal": terminal,
            "list": listed.location.rsplit("/", 1)[1],
            "alert": alert.id,
            "theft": theft.id,
            "meter": portal.town.meter.meter_no,
            "bare": bare.meter_no,
            "command": command,
            "waiting": decided(portal),
            "plain": portal.ticket(kind=TicketKind.REPAIR, title=SHARP),
            "sent": sent,
            "inspection": inspection.ticket_no,
            "person": portal.town.people["agent"].id,
        }
    )


def telephone(portal: Portal) -> dict[str, object]:
    """Let people call: a known one, an unknown one, one that is served; outages of each kind."""
    agent = portal.town.people["agent"]
    with portal.work() as session:
        sit_at(session, agent, extension_of(agent))
        houses = street(session, 5, read=2, boxes=2, life_support=True)
        for house in houses[1:4]:
            call = answered(session, agent, house.phone)
            report = replace(NO_POWER, contact_name=SHARP, description=SHARP)
            log_fault(session, agent, call, report, version=1)
        unknown = answered(session, agent, None)
        shown = answered(session, agent, houses[0].phone)
        (outage,) = outage_cards(session, Scope.everything(), view="active")
        planned = NewOutage(
            kind=OutageKind.PLANNED,
            area_id=portal.town.meter.area_id,
            starts_at=clock.now() + timedelta(days=1),
            ends_at=clock.now() + timedelta(days=2),
            cause=SHARP,
        )
        planned_no = register_outage(session, portal.town.people["dispatcher"], planned)
    return {
        "call": shown,
        "unknown": unknown,
        "finished": call,
        "outage": outage.outage_no,
        "planned": planned_no,
        "callback": waiting_callback(portal),
    }


def waiting_callback(portal: Portal) -> int:
    """Let a ticket be mended whose customer is to be called back."""
    agent = portal.town.people["agent"]
    with portal.work() as session:
        (house,) = street(session, 1)
        call = answered(session, agent, house.phone)
        ticket_no = str(log_fault(session, agent, call, NO_POWER, version=1).ticket_no)
    mend(portal, ticket_no)
    with portal.work() as session:
        return callback_cards(session, Scope.everything(), view="all")[0].id


def decided(portal: Portal) -> str:
    """Take a terminal out of service for a reason; give its number."""
    with portal.work() as session:
        (first, *_) = waiting_targets(session, Scope.everything(), search="ZD")
        supervisor = portal.town.people["supervisor"]
        decide(session, supervisor, first.terminal_no, in_service=False, reason=SHARP, newest=0)
    return first.terminal_no


def connections(portal: Portal) -> dict[str, object]:
    """Bring a case to each step of its way; the people of the town sit at every desk."""
    found: dict[str, object] = {}
    with portal.work() as session:
        office = Connections(session)
        set_desks(session, SYSTEM, portal.town.people["clerk"].unit_id or 0, list(Desk))
        for step in ("accept", "survey", "archive", "first_readings", "fit_meter"):
            found[step] = office.submitted() if step == "accept" else office.at(step)
            office.shelf.insert(0, office.stock())
            add_note(session, office.clerk, str(found[step]), SHARP)
        closed = office.submitted(applicant_name=SHARP, address=SHARP)
        office.do(closed, "withdraw", note=SHARP)
        account_no = office.card(str(found["first_readings"])).account_no
    return found | {"archived": closed, "account": account_no}


@pytest.fixture(scope="module", params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def browsers(portal: Portal, language: str) -> dict[str, Browser]:
    """Sit somebody of every role at a browser."""
    found = {}
    for role in Role:
        found[role.value] = portal.browser(role.value)
        found[role.value].post("/me/language", language=language)
    return found


def inline(tree: Node) -> Iterator[str]:
    """Name what a strict content policy would block."""
    for node in tree.walk():
        if node.tag == "style" or "style" in node.attrs:
            yield f"style on <{node.tag}>"
        yield from (f"{name} on <{node.tag}>" for name in node.attrs if name.startswith("on"))
        if node.tag == "script" and "src" not in node.attrs:
            assert node.attrs.get("type") == "application/json"
        for name in ("src", "href", "action"):
            value = node.attrs.get(name, "")
            if value.startswith(("http:", "https:", "//", "javascript:")):
                yield f"{name}={value}"


def check(page: Page, language: str) -> None:
    assert page.problems == []
    assert list(inline(page.tree)) == []
    for html in page.tree.all("html"):
        assert html.attrs["lang"] == language
        assert page.tree.all("title")
        assert page.tree.all("main", id="main")
    assert SHARP not in page.html
    for field in page.tree.all("label", for_=True):
        assert page.tree.all(id=field.attrs["for"]), field.attrs["for"]
    unnamed = [one.attrs for one in page.tree.all("button") if not name_of(one)]
    assert unnamed == []


def name_of(button: Node) -> str:
    return button.attrs.get("aria-label", "") or button.text


def allowed(portal: Portal, role: str, address: str) -> bool:
    adapter = portal.app.url_map.bind("localhost")
    endpoint, _ = adapter.match(address.split("?", maxsplit=1)[0])
    return may_use(portal.town.people[role], portal.app.view_functions[endpoint])


def headers_of(page: Page) -> dict[str, str]:
    return {name: page.answer.headers.get(name, "") for name in SECURITY_HEADERS}


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_opens_for_those_who_may_use_it_and_looks_missing_to_others(
    portal: Portal,
    facts: dict[str, object],
    browsers: dict[str, Browser],
    language: str,
    address: str,
) -> None:
    path = address.format(**facts)
    for role, browser in browsers.items():
        page = browser.get(path)
        expected = 200 if allowed(portal, role, path) else 403
        assert page.status == expected, (role, page.said[:500])
        check(page, language)
        assert headers_of(page) == SECURITY_HEADERS
        assert page.answer.headers["Cache-Control"] == "no-store"
        if expected == 403:
            assert page.tree.one("h1").text == missing(browser).tree.one("h1").text


def missing(browser: Browser) -> Page:
    return browser.get("/no/such/page")


@pytest.mark.parametrize("role", OWN)
def test_a_task_opens_for_its_own_crew(
    facts: dict[str, object], browsers: dict[str, Browser], language: str, role: str
) -> None:
    path = OWN[role].format(**facts)
    for part in ("", "?part=task"):
        page = browsers[role].get(path + part)
        assert page.status == 200
        check(page, language)


def test_the_address_of_a_part_answers_with_that_part(
    portal: Portal, facts: dict[str, object]
) -> None:
    seen = set()
    browsers = {username: portal.browser(username) for username in ("supervisor", *OWN)}
    paths = [
        *(("supervisor", address) for address in ADDRESSES if "part=" not in address),
        *OWN.items(),
    ]
    for role, address in paths:
        page = browsers[role].get(address.format(**facts))
        for part in page.tree.all(data_part=True):
            answer = browsers[role].get(part.attrs["data-part"], script=True)
            assert answer.status in {200, 403}, part.attrs["data-part"]
            if answer.status == 200:
                assert answer.tree.one(id=part.attrs["id"]).tag == part.tag
                assert part.attrs.get("data-topics") != ""
                seen.add(part.attrs["id"])
    assert {"nav", "desk", "counts", "tree", "rows", "panel", "task"} <= seen
    assert {"callbar", "seat", "meter-card", "outage"} <= seen


def test_links_and_forms_lead_somewhere_and_forms_that_change_carry_a_token(
    portal: Portal, facts: dict[str, object]
) -> None:
    adapter = portal.app.url_map.bind("localhost")
    browser = portal.browser("supervisor")
    for address in ADDRESSES:
        page = browser.get(address.format(**facts))
        for link in page.tree.all("a", href=True):
            href = link.attrs["href"]
            if href.startswith("/") and not href.startswith("/static/"):
                adapter.match(href.split("?")[0].split("#")[0])
            else:
                assert href == "" or href[0] in "#?" or href.startswith("tel:"), href
        for form in page.tree.all("form", action=True):
            method = form.attrs["method"].upper()
            adapter.match(form.attrs["action"].split("?")[0], method=method)
            assert method == "GET" or form.all("input", name="csrf_token"), (address, form.attrs)


def test_looking_at_a_page_writes_nothing(portal: Portal, facts: dict[str, object]) -> None:
    browsers = {username: portal.browser(username) for username in ("supervisor", *OWN)}
    paths = [*(("supervisor", address) for address in ADDRESSES), *OWN.items()]
    with portal.looking_only():
        for username, address in paths:
            page = browsers[username].get(address.format(**facts))
            assert page.status in {200, 403}, address
        assert browsers["supervisor"].post("/me/theme", theme="dark").status == 500


def test_every_page_of_the_portal_is_looked_at_here(portal: Portal) -> None:
    adapter = portal.app.url_map.bind("localhost")
    known = [one.format_map(_Anything()).split("?")[0] for one in (*ADDRESSES, *OWN.values())]
    seen = {adapter.match(one)[0] for one in known}
    pages = {
        rule.endpoint
        for rule in portal.app.url_map.iter_rules()
        if "GET" in (rule.methods or set())
        and rule.rule not in NOT_PAGES
        and rule.endpoint != "static"
    }
    assert seen == pages - FILES
    for path in NOT_PAGES - {"/events"}:
        endpoint, _ = adapter.match(path)
        assert is_open(portal.app.view_functions[endpoint])


class _Anything(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "1"


@pytest.mark.parametrize("path", ["/login", "/no/such/page"])
def test_pages_for_everybody_are_as_clean(portal: Portal, language: str, path: str) -> None:
    browser = portal.browser()
    browser.post("/me/language", language=language, next="/login")
    page = browser.get(path)
    check(page, language)
    assert headers_of(page) == SECURITY_HEADERS
