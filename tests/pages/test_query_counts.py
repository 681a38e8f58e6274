"""No page asks in a loop: it runs as many statements with thirty rows as with one."""

from collections.abc import Iterator

import pytest

from callcenter.callbacks.queries import callback_cards
from callcenter.calls.actions.seats import sit_at
from callcenter.calls.actions.working import log_fault
from customers.applications.actions.steps import add_note
from customers.archive.queries import supply_cards
from foundation.actor import Desk, Scope
from foundation.postgres import EmbeddedServer
from foundation.staff.actions import set_desks
from loadmgmt.alerts.queries import alert_cards
from loadmgmt.api.outages import outage_cards
from tests.factories import foundation
from tests.factories.applications import Connections
from tests.factories.callcenter import NO_POWER, answered, extension_of, mend, street
from tests.factories.databases import own_database
from tests.factories.foundation import SYSTEM
from tests.factories.webapp import PEOPLE, Browser, Portal, Town, fit, read
from tests.pages.conftest import TOWN
from webapp.auth.accounts import set_password

MANY = 30
ADDRESSES = {
    "supervisor": (
        "/home",
        "/alerts",
        "/alerts?part=rows",
        "/alerts?view=today",
        "/alerts?part=tree",
        "/alerts?id={alert}",
        "/forecast",
        "/commission",
        "/commission?q=ZD",
        "/profiles",
        "/meters",
        "/meters?q=青禾镇",
        "/meters/{meter}",
        "/meters/{meter}?tab=events",
        "/meters/{meter}?tab=daily",
        "/collection",
        "/collection/missing",
        "/terminals",
        "/tickets",
        "/tickets?view=today",
        "/tickets/{ticket}",
        "/desk?part=seat",
        "/desk?call={call}",
        "/calls?view=all",
        "/callbacks?view=due",
        "/callbacks?view=later&id={callback}",
        "/outages",
        "/outages/{outage}",
        "/admin/switch",
        "/admin/channels",
        "/apps",
        "/apps?as=board",
        "/apps?part=rows",
        "/apps/{app}",
        "/apps/{app}?tab=papers",
        "/tasks",
        "/archive",
        "/customers",
        "/customers?q=吴小满",
        "/customers/{account}",
        "/admin/users",
        "/admin/audit",
        "/admin/jobs",
        "/nav",
    ),
    "crew": ("/home", "/m/tasks", "/m/tasks/{ticket}"),
    "admin": ("/admin/users?id={person}", "/home"),
}
PATHS = [(username, path) for username, paths in ADDRESSES.items() for path in paths]
MOST = 45  # statements of the heaviest page


class Filled(Portal):
    """A town in which there is so much of everything."""

    def fill(self, rows: int) -> dict[str, object]:
        """Make so many meters with alerts, tickets of the crew, notes and persons."""
        area = self.town.area
        with self.work() as session:
            meters = [fit(session, area) for _ in range(rows)]
            read(session, *meters, u_a=190.0)
            alerts = alert_cards(session, Scope.everything(), limit=rows)
            for _ in range(rows - 1):
                foundation.person(session, *PEOPLE["agent"])
            set_password(
                session,
                foundation.SYSTEM,
                foundation.person(session, *PEOPLE["agent"]).id or 0,
                username="somebody",
                password="long-enough-one",
            )
        assert len(alerts) == rows
        tickets = [self.sent_ticket(point_id=alert.point_id, alert_id=alert.id) for alert in alerts]
        crew = self.browser("crew")
        for _ in range(rows):
            crew.post(f"/m/tasks/{tickets[0]}/note", text="到了")
        with self.work() as session:
            office = Connections(session)
            cases = [office.submitted() for _ in range(rows)]
            for _ in range(rows):
                office.papers(cases[0])
                add_note(session, office.clerk, cases[0], "看过了")
            set_desks(session, SYSTEM, self.town.people["supervisor"].unit_id or 0, list(Desk))
            (known,) = supply_cards(session, [meters[0].point_id]).values()
        return self.telephone(rows) | {
            "app": cases[0],
            "account": known.account_no,
            "alert": alerts[0].id,
            "meter": meters[0].meter_no,
            "ticket": tickets[0],
            "person": self.town.people["agent"].id,
        }

    def telephone(self, rows: int) -> dict[str, object]:
        """Make so many calls, outages with their tickets, and customers to be called back."""
        agent = self.town.people["agent"]
        with self.work() as session:
            sit_at(session, agent, extension_of(agent))
            for _ in range(rows):  # a street each: an outage each
                for house in street(session, 3):
                    call = answered(session, agent, house.phone)
                    log_fault(session, agent, call, NO_POWER, version=1)
            outages = outage_cards(session, Scope.everything(), view="active", limit=rows)
            houses = street(session, rows + 1, boxes=rows + 1)
            shown = answered(session, agent, houses[0].phone)
        assert len(outages) == rows
        for house in houses[1:]:
            mend(self, self.sent_ticket(point_id=house.meter.point_id, contact_phone=house.phone))
        with self.work() as session:
            waiting = callback_cards(session, Scope.everything(), view="all", limit=rows)
        assert len(waiting) == rows
        return {"call": shown, "outage": outages[0].outage_no, "callback": waiting[0].id}


class Counter:
    """One portal with little in it and one with much, the same people at both."""

    def __init__(self, portals: dict[int, Filled]) -> None:
        self.portals = portals
        self.facts = {rows: portal.fill(rows) for rows, portal in portals.items()}
        self.browsers: dict[tuple[int, str], Browser] = {
            (rows, username): portal.browser(username)
            for rows, portal in portals.items()
            for username in ADDRESSES
        }

    def statements(self, rows: int, username: str, path: str) -> list[str]:
        address = path.format(**self.facts[rows])
        browser = self.browsers[rows, username]
        browser.get(address)  # what is kept by the process is kept from here on
        with self.portals[rows].counted() as seen:
            assert browser.get(address).status == 200
        return seen


@pytest.fixture(scope="module")
def counter(server: EmbeddedServer, town: Town) -> Iterator[Counter]:
    """Fill two copies of the town."""
    with own_database(server, TOWN) as small, own_database(server, TOWN) as large:
        portals = {1: Filled(small, town), MANY: Filled(large, town)}
        yield Counter(portals)
        for portal in portals.values():
            portal.close()


@pytest.mark.parametrize(("username", "path"), PATHS)
def test_a_page_runs_as_many_statements_with_thirty_rows_as_with_one(
    counter: Counter, username: str, path: str
) -> None:
    few = counter.statements(1, username, path)
    many = counter.statements(MANY, username, path)
    assert len(many) == len(few), "\n".join(sorted(set(many) - set(few)) or many)
    assert len(many) <= MOST
