"""Tickets, as others see them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from foundation.errors import BadData, NotAllowed, Refused
from foundation.events import Event
from foundation.flow.limits import ClockState


class TicketKind(StrEnum):
    """What kind of work a ticket asks for."""

    REPAIR = "repair"  # 故障报修 GD
    INSPECTION = "inspection"  # 用电检查 JC

    @property
    def prefix(self) -> str:
        """Give the letters its number begins with."""
        return {TicketKind.REPAIR: "GD", TicketKind.INSPECTION: "JC"}[self]


class Priority(StrEnum):
    """How urgent; the order is the order of lists."""

    CRIT = "crit"  # 紧急
    MAJOR = "major"  # 重要
    MINOR = "minor"  # 一般
    INFO = "info"  # 提示


class TicketSource(StrEnum):
    """Where a ticket comes from."""

    ALERT = "alert"
    CALL = "call"
    MANUAL = "manual"
    OUTAGE = "outage"


class TicketExists(Refused):
    """A ticket already works on this alert or outage; facts: ticket_no."""

    code = "ticket_exists"


class NotYourCrew(NotAllowed):
    """The ticket is given to another crew; facts: crew."""

    code = "not_your_crew"


class TitleMissing(BadData):
    """A ticket needs a title that says what is wrong."""

    code = "title_missing"


@dataclass(frozen=True, slots=True)
class NewTicket:
    """What a ticket is opened with.

    Attributes:
        evidence: what the alert shows, in codes and facts; kept as it was.
        outage_id: the outage it works on.
        contact_name, contact_phone: who asked, where that is not the account's own contact.
        notify: whether the contact wants notices.
        apart: kept apart from outages, though one is near (单独派发).
    """

    kind: TicketKind
    title: str
    source: TicketSource
    description: str = ""
    priority: Priority = Priority.MINOR
    point_id: int | None = None
    area_id: int | None = None
    alert_id: int | None = None
    outage_id: int | None = None
    contact_name: str = ""
    contact_phone: str = ""
    notify: bool = False
    apart: bool = False
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TicketCard:
    """A ticket as lists and other rooms see it."""

    id: int
    ticket_no: str
    kind: TicketKind
    source: TicketSource
    title: str
    description: str
    priority: Priority
    status: str
    step: str
    version: int
    case_id: int
    flow: str
    flow_version: int
    point_id: int | None
    area_id: int | None
    unit_id: int | None
    alert_id: int | None
    crew_id: int | None
    crew_name: str | None
    evidence: Mapping[str, Any]
    opened_by: str
    opened_at: datetime
    moved_at: datetime
    ended_at: datetime | None
    proved_at: datetime | None
    outage_id: int | None
    round: int
    merged_into: str | None
    clocks: tuple[ClockState, ...] = ()

    @property
    def running(self) -> ClockState | None:
        """Give the promise that is due next, if one runs."""
        return next((clock for clock in self.clocks if clock.met_at is None), None)


@dataclass(frozen=True, slots=True)
class TicketContact:
    """Whom to call about a ticket, phone number in the open."""

    name: str | None
    phone: str | None
    notify: bool


@dataclass(frozen=True, slots=True)
class TicketNote:
    """An internal remark."""

    at: datetime
    by: str
    text: str


@dataclass(frozen=True, slots=True)
class TicketOpened(Event):
    """Tickets that are new; each entry: ticket_no, kind, point_id, area_id."""

    name: ClassVar[str] = "TicketOpened"
    tickets: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class TicketRestored(Event):
    """Tickets whose supply is proved to be back; each entry: ticket_no, point_id, area_id."""

    name: ClassVar[str] = "TicketRestored"
    tickets: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class TicketClosed(Event):
    """Tickets that were archived; each entry: ticket_no, kind."""

    name: ClassVar[str] = "TicketClosed"
    tickets: tuple[dict[str, Any], ...]
