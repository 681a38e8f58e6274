"""The portal on a database of its own, the people of a small town, and their browsers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import Any

from sqlalchemy import Connection, event, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from callcenter.crews.actions import add_crew
from callcenter.crews.types import CrewKind
from callcenter.tickets.actions.moving import move_ticket
from callcenter.tickets.actions.opening import open_ticket
from callcenter.tickets.queries import ticket_card
from callcenter.tickets.types import NewTicket, TicketCard, TicketKind, TicketSource
from foundation import clock
from foundation.actor import Actor, Role, Scope
from foundation.db import unit_of_work
from foundation.office import Office
from foundation.settings import Settings, settings
from loadmgmt.alerts.queries import alert_cards
from loadmgmt.alerts.scanner import judge_next
from loadmgmt.alerts.thresholds import load_thresholds
from loadmgmt.alerts.types import AlertCard
from metering.api.types import COVER_OPEN
from tests.factories import customers, foundation, metering
from tests.factories.foundation import SYSTEM
from tests.factories.html import Node, parse
from tests.factories.metering import Fitted
from webapp import database
from webapp.app import create_app
from webapp.auth import accounts
from webapp.auth.models import Account, SignIn

PASSWORD = "gridhall-test"
PEOPLE: dict[str, tuple[Role, ...]] = {
    **{role.value: (role,) for role in Role},
    "dispatcher2": (Role.DISPATCHER,),
    "crew2": (Role.CREW,),
}
"""Who works in the town: sign-in and roles."""
_TOKENS = count(1)
_ADDRESSES = count(1)


@dataclass(frozen=True)
class Town:
    """What every copy of the town's database begins with."""

    people: dict[str, Actor]
    area: tuple[int, str, int]
    meter: Fitted
    crew_id: int
    inspectors_id: int


def build_town(session: Session) -> Town:
    """Make the town: people in every role, two crews, a customer with a meter that is read."""
    people = {}
    for username, roles in PEOPLE.items():
        people[username] = foundation.person(session, *roles)
        accounts.set_password(
            session, SYSTEM, people[username].id or 0, username=username, password=PASSWORD
        )
    area = metering.area(session)
    crews = [
        add_crew(session, name, kind=kind, unit_id=area[2], members=[people[member].id or 0])
        for name, kind, member in (
            ("抢修一班", CrewKind.REPAIR, "crew"),
            ("用检一班", CrewKind.INSPECTION, "inspector"),
        )
    ]
    town = Town(people, area, fit(session, area), *crews)
    read(session, town.meter)
    return town


def fit(
    session: Session, area: tuple[int, str, int], *, profile: str | None = "demo_single"
) -> Fitted:
    """Fit a meter with a customer at a new point."""
    fitted = metering.meter(session, place=area, profile=profile)
    customers.account(session, fitted.point_id, address=f"青禾镇试验路 {next(_ADDRESSES)} 号")
    return fitted


def read(session: Session, *meters: Fitted, u_a: float = 220.0, inputs: int | None = None) -> None:
    """Store a reading of each meter now, and judge it."""
    now = clock.now()
    metering.stored(
        session,
        *(metering.reading(one.meter_id, now, u_a=u_a, i_a=1.0, inputs=inputs) for one in meters),
    )
    while judge_next(session, SYSTEM, load_thresholds()):
        pass


@dataclass
class Page:
    """An answer of the portal."""

    answer: TestResponse

    @property
    def status(self) -> int:
        """Give the HTTP status."""
        return self.answer.status_code

    @property
    def location(self) -> str:
        """Give where it leads."""
        return self.answer.headers.get("Location", "")

    @property
    def html(self) -> str:
        """Give the text as sent."""
        return self.answer.get_data(as_text=True)

    @cached_property
    def _parsed(self) -> tuple[Node, list[str]]:
        return parse(self.html)

    @property
    def tree(self) -> Node:
        """Give the elements."""
        return self._parsed[0]

    @property
    def problems(self) -> list[str]:
        """Say what is wrong with the page's HTML."""
        return self._parsed[1]

    @property
    def said(self) -> str:
        """Give the words a reader sees."""
        return self.tree.text

    def row_texts(self) -> list[str]:
        """Give the words of each line of the page's tables."""
        return [row.text for body in self.tree.all("tbody") for row in body.all("tr")]


class Browser:
    """Somebody's browser: keeps cookies, sends the token of the forms it has seen."""

    def __init__(self, portal: "Portal") -> None:
        self._client = portal.app.test_client()
        self._csrf = ""

    def get(self, path: str, *, script: bool = False) -> Page:
        """Open an address, as a link or as a script that wants a part."""
        headers = {"HX-Request": "true"} if script else {}
        return Page(self._client.get(path, headers=headers))

    def head(self, path: str) -> Page:
        """Ask for the headers of an address alone."""
        return Page(self._client.head(path, buffered=True))

    def post(self, path: str, *, script: bool = False, **fields: Any) -> Page:
        """Send a form."""
        if not self._csrf:
            self.see_form()
        headers = {"HX-Request": "true"} if script else {}
        data = {"csrf_token": self._csrf} | fields
        return Page(self._client.post(path, data=data, headers=headers))

    def post_without_token(self, path: str, **fields: Any) -> Page:
        """Send a form that another site made up."""
        return Page(self._client.post(path, data=fields))

    def follow(self, page: Page) -> Page:
        """Go where an answer leads."""
        assert page.status in {302, 303}, page.said[:300]
        return self.get(page.location)

    def see_form(self, path: str = "/home") -> None:
        """Open a page and remember the token of its forms."""
        page = self.get(path)
        page = self.follow(page) if page.status == 302 else page
        self._csrf = page.tree.all("input", name="csrf_token")[0].attrs["value"]

    def sign_in(self, username: str, password: str = PASSWORD, **more: str) -> Page:
        """Sign in through the form."""
        self.see_form("/login")
        page = self.post("/login", username=username, password=password, **more)
        self._csrf = ""
        return page

    def cookie(self, name: str = "gridhall") -> str | None:
        """Give a cookie it keeps."""
        found = self._client.get_cookie(name)
        return found.value if found else None

    def take_cookie(self, value: str) -> None:
        """Put a cookie kept from before."""
        self._client.set_cookie("gridhall", value)

    def hold(self, token: str) -> None:
        """Hold the token of a sign-in."""
        with self._client.session_transaction() as cookie:
            cookie["token"] = token

    def stream(self, path: str) -> TestResponse:
        """Open an answer that does not end."""
        return self._client.get(path, buffered=False)


@dataclass
class Portal:
    """The portal on a database of its own."""

    addresses: database.Addresses
    town: Town
    settings: Settings = field(default_factory=settings)

    def __post_init__(self) -> None:
        """Open it."""
        self.office = Office(self.settings, self.addresses.office, "test")
        self.app = create_app(self.office)

    def close(self) -> None:
        """Give its connections back."""
        self.office.close()

    @contextmanager
    def work(self) -> Iterator[Session]:
        """Change the office as somebody else would: committed at the end."""
        with unit_of_work(self.office.engine) as session:
            yield session

    def browser(self, username: str = "") -> Browser:
        """Give a browser; somebody sits at it if a sign-in is named."""
        browser = Browser(self)
        if username:
            token = f"token-{next(_TOKENS)}"
            with self.work() as session:
                account = session.scalars(select(Account).where(Account.username == username)).one()
                now = clock.now()
                session.add(
                    SignIn(
                        token_hash=accounts._hash(token),
                        account_id=account.id,
                        started_at=now,
                        seen_at=now,
                        address="127.0.0.1",
                        browser="a test",
                    )
                )
            browser.hold(token)
        return browser

    def meter(self, **more: Any) -> Fitted:
        """Fit another meter with a customer."""
        with self.work() as session:
            return fit(session, self.town.area, **more)

    def alert(self, *, theft: bool = False, meter: Fitted | None = None) -> AlertCard:
        """Let a meter show what deserves an alert: a sag, or an open cover."""
        one = meter or self.meter()
        with self.work() as session:
            if theft:
                read(session, one, inputs=COVER_OPEN)
            else:
                read(session, one, u_a=190.0)
            cards = alert_cards(session, Scope.everything(), area_id=one.area_id)
            return next(card for card in cards if card.point_id == one.point_id)

    def ticket(
        self, *, kind: TicketKind = TicketKind.REPAIR, title: str = "试验工单", **more: Any
    ) -> str:
        """Open a ticket by hand."""
        with self.work() as session:
            new = NewTicket(kind, title, TicketSource.MANUAL, **more)
            return open_ticket(session, self.town.people["dispatcher"], new)

    def card(self, ticket_no: str) -> TicketCard:
        """Give a ticket as it stands."""
        with self.work() as session:
            return ticket_card(session, ticket_no)

    def move(self, ticket_no: str, username: str, move: str, **form: Any) -> None:
        """Move a ticket as a person would."""
        with self.work() as session:
            version = ticket_card(session, ticket_no).version
            actor = self.town.people[username]
            move_ticket(session, actor, ticket_no, move, version=version, form=form)

    def sent_ticket(self, **more: Any) -> str:
        """Open a repair ticket that is given to the crew."""
        ticket_no = self.ticket(**more)
        self.move(ticket_no, "dispatcher", "dispatch", crew_id=str(self.town.crew_id))
        return ticket_no

    @contextmanager
    def looking_only(self) -> Iterator[None]:
        """Let the database refuse whatever the portal writes meanwhile."""

        def close_it(connection: Connection) -> None:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")

        event.listen(self.office.engine, "begin", close_it)
        try:
            yield
        finally:
            event.remove(self.office.engine, "begin", close_it)

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """Collect the statements the portal runs meanwhile."""
        seen: list[str] = []

        def note(*facts: Any) -> None:
            seen.append(facts[2])

        event.listen(self.office.engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(self.office.engine, "before_cursor_execute", note)
