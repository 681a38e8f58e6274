"""What is missing, and how much of what was expected is there."""

from dataclasses import dataclass
from datetime import datetime

SLOT_BUSY, SLOT_HELD, NO_POLLER = "slot_busy", "slot_held", "no_poller"
"""Reasons for a gap that no terminal gave: the round before still ran, there was no room for
readings, no poller lived."""


@dataclass(frozen=True, slots=True)
class Missed:
    """One interval of one meter without a reading."""

    meter_id: int
    slot: datetime
    interval_s: int


@dataclass(frozen=True, slots=True)
class Completeness:
    """Intervals that ended in a span of time.

    Attributes:
        expected: meters in service times their intervals.
        read: of them there is a reading; late, backfilled: of those, not read on time.
        missing: of them there is none.
        checked_to: intervals that end later are not judged yet.
    """

    expected: int
    read: int
    late: int
    backfilled: int
    missing: int
    checked_to: datetime | None

    @property
    def share(self) -> float | None:
        """Give the share that is there; None where nothing was expected (曲线完整率)."""
        return self.read / self.expected if self.expected else None


@dataclass(frozen=True, slots=True)
class DarkSpan:
    """A transformer area without power: what is not read then is no failure of collecting."""

    area_id: int
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class AreaHour:
    """How one hour of one transformer area was read.

    Attributes:
        hour: its start.
        expected: intervals that began in it and are judged, those without power left out.
        missing: of them there is no reading.
        dark: intervals left out because the area had no power.
    """

    area_id: int
    hour: datetime
    expected: int
    missing: int
    dark: int

    @property
    def share(self) -> float | None:
        """Give the share that was read; None where nothing was to be read with power."""
        return (self.expected - self.missing) / self.expected if self.expected else None


@dataclass(frozen=True, slots=True)
class MissingMeter:
    """What one meter lacks in a span of time.

    Attributes:
        intervals: how many it lacks.
        first, last: starts of the oldest and the newest of them.
        why: code of the reason of the newest, if it is known.
        asked_at: when somebody last asked for one of them to be read again; asked_by: who.
        silent_since, last_error: how its terminal stands now.
    """

    meter_id: int
    meter_no: str
    point_id: int
    area_id: int
    area_no: str
    area_name: str
    feeder_id: int
    feeder_no: str
    interval_s: int
    intervals: int
    first: datetime
    last: datetime
    why: str | None
    asked_at: datetime | None
    asked_by: str | None
    terminal_no: str | None
    profile: str | None
    silent_since: datetime | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class MissingRun:
    """Intervals in a row that one meter lacks.

    Attributes:
        first: start of the first; last: start of the last.
        why: code of the reason of the last, if it is known.
    """

    first: datetime
    last: datetime
    interval_s: int
    intervals: int
    why: str | None
    asked_at: datetime | None
