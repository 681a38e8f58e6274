"""Outages, as others see them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar

from foundation.errors import BadData, LostRace, Refused
from foundation.events import Event


class OutageKind(StrEnum):
    """Why there is no supply."""

    FAULT = "fault"  # 故障停电
    PLANNED = "planned"  # 计划停电


class OutageScope(StrEnum):
    """How much of the network it takes."""

    BOX = "box"  # 表箱
    AREA = "area"  # 台区


class OutageState(StrEnum):
    """Where an outage stands."""

    DETECTED = "detected"  # 监测到
    CONFIRMED = "confirmed"  # 已确认
    SENT = "sent"  # 已派单
    REPAIRING = "repairing"  # 抢修中
    PARTLY_RESTORED = "partly_restored"  # 部分恢复
    RESTORED = "restored"  # 已恢复
    PLANNED = "planned"  # 计划


class OutageSource(StrEnum):
    """What made it known."""

    ALERT = "alert"
    CALL = "call"
    MANUAL = "manual"


class Power(StrEnum):
    """Whether a meter shows voltage."""

    ON = "on"
    DARK = "dark"
    SILENT = "silent"  # it has a terminal that says nothing fresh
    UNREAD = "unread"  # it has no terminal


class Verdict(StrEnum):
    """Where the fault most likely is, seen from one point."""

    INSIDE = "inside"  # 疑似户内故障: the meter has voltage
    VOLTAGE = "voltage"  # 电压异常: it has voltage, and an alert says that it is not right
    POINT = "point"  # 表箱至电表: this meter alone is dark
    BOX = "box"  # 表箱失电
    AREA = "area"  # 台区失电
    UNKNOWN = "unknown"  # 无法判断


class OutageMoveRefused(Refused):
    """An outage in this state cannot be moved so; facts: outage_no, state, target."""

    code = "outage_move_refused"


class OutageMoved(LostRace):
    """Somebody changed the outage first; facts: outage_no, by, at, state."""

    code = "outage_moved"


class EtaReasonMissing(BadData):
    """An expected time that moves later needs a reason."""

    code = "eta_reason_missing"


class OutageKnown(Refused):
    """A fault of this place is open already; facts: outage_no."""

    code = "outage_known"


class EtaRefused(BadData):
    """The expected time lies before the outage began, or the window ends before it begins."""

    code = "eta_refused"


class OutageNoteMissing(BadData):
    """Calling an outage over by hand needs a note that says how it is known."""

    code = "outage_note_missing"


@dataclass(frozen=True, slots=True)
class Suspicion:
    """When reports and dark meters are one outage."""

    window_minutes: int
    area_accounts: int
    box_accounts: int
    dark_share: Decimal
    dark_least: int
    silent_accounts: int
    silent_share: Decimal


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old a reading may be."""

    minutes: int


@dataclass(frozen=True, slots=True)
class Restoration:
    """What proves it over, and what is promised at first."""

    share: Decimal
    expected_minutes: dict[str, int]


@dataclass(frozen=True, slots=True)
class MatchLimits:
    """Limits of two kinds of evidence."""

    box_share: Decimal
    close_minutes: int


@dataclass(frozen=True, slots=True)
class Matching:
    """What each kind of evidence weighs, of 100."""

    show: int
    weights: dict[str, int]
    limits: MatchLimits


@dataclass(frozen=True, slots=True)
class OutageRules:
    """What outages.toml says."""

    source: str
    suspect: Suspicion
    fresh: Freshness
    restore: Restoration
    match: Matching

    @property
    def window(self) -> timedelta:
        """Give within which time reports belong together."""
        return timedelta(minutes=self.suspect.window_minutes)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many meters of a box or an area show voltage."""

    on: int = 0
    dark: int = 0
    silent: int = 0
    unread: int = 0

    @property
    def read(self) -> int:
        """Give those that are read at all."""
        return self.on + self.dark + self.silent

    @property
    def all(self) -> int:
        """Give all of them."""
        return self.read + self.unread


@dataclass(frozen=True, slots=True)
class MeterPower:
    """One meter and whether it shows voltage."""

    point_id: int
    meter_id: int
    meter_no: str
    box_no: str
    power: Power
    volts: float | None = None
    read_at: datetime | None = None
    silent_since: datetime | None = None

    def lost_power(self, since: datetime) -> bool:
        """Whether it is dark, or its terminal has fallen silent since an instant."""
        if self.power is Power.DARK:
            return True
        fell_silent = self.silent_since is not None and self.silent_since >= since
        return self.power is Power.SILENT and fell_silent


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands around a point.

    Attributes:
        own: whether its own meter shows voltage.
        dark_since: since when its own meter is dark, if an alert says so.
        box, area: tallies with the point itself in them.
        box_accounts, area_accounts: accounts that called within the window, this one too.
        neighbours: the meters of its box, by number.
    """

    point_id: int
    area_id: int
    box_no: str
    own: Power
    dark_since: datetime | None
    box: Tally
    area: Tally
    box_accounts: int
    area_accounts: int
    neighbours: tuple[MeterPower, ...]
    verdict: Verdict = Verdict.UNKNOWN


@dataclass(frozen=True, slots=True)
class OutageCard:
    """An outage as lists and other rooms see it.

    Attributes:
        affected: points it takes.
        was_dark: of them, meters that have shown no voltage; only they can prove it over.
        back: of those, meters that show voltage again.
        reports: calls that belong to it.
    """

    id: int
    outage_no: str
    kind: OutageKind
    scope: OutageScope
    state: OutageState
    source: OutageSource
    area_id: int
    box_no: str | None
    feeder_id: int
    unit_id: int
    cause: str
    started_at: datetime
    eta_at: datetime | None
    planned_to: datetime | None
    restored_at: datetime | None
    alert_id: int | None
    ticket_no: str | None
    opened_by: str
    version: int
    affected: int
    was_dark: int
    back: int
    reports: int

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.restored_at is None

    @property
    def still_dark(self) -> int:
        """Give the meters that were dark and do not show voltage yet."""
        return self.was_dark - self.back


@dataclass(frozen=True, slots=True)
class OutageMatch:
    """How well an outage explains what happens at a point.

    Attributes:
        score: 0 to 100.
        evidence: codes, strongest first.
        facts: what the codes' sentences need.
    """

    outage: OutageCard
    score: int
    evidence: tuple[str, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutageMember:
    """One point an outage takes."""

    point_id: int
    power: Power
    was_dark: bool
    back_at: datetime | None


@dataclass(frozen=True, slots=True)
class OutagePast:
    """One line of an outage's history."""

    at: datetime
    what: str
    from_state: OutageState | None
    to_state: OutageState
    actor_name: str
    note: str
    eta_before: datetime | None
    eta_at: datetime | None


@dataclass(frozen=True, slots=True)
class OutageReport:
    """One report that belongs to an outage; `ref` is the reporter's own number of it."""

    source: str
    ref: int
    point_id: int
    reported_at: datetime


@dataclass(frozen=True, slots=True)
class NewOutage:
    """An outage registered by hand.

    Attributes:
        starts_at: since when; for a planned one, from when.
        ends_at: expected end; for a planned one, the end of its window.
    """

    kind: OutageKind
    area_id: int
    starts_at: datetime
    ends_at: datetime | None = None
    box_no: str | None = None
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Reported:
    """What became of a report.

    Attributes:
        outage: the outage it belongs to, if there is one now.
        created: whether this report made the outage known.
    """

    verdict: Verdict
    outage: OutageCard | None = None
    created: bool = False


@dataclass(frozen=True, slots=True)
class OutageChanged(Event):
    """Outages that changed.

    Each entry: id, outage_no, what (detected, confirmed, ticket, working, eta, cause,
    partly_restored, restored), state, source, area_id, ticket_no, still_dark (point ids).
    """

    name: ClassVar[str] = "OutageChanged"
    outages: tuple[dict[str, Any], ...]
