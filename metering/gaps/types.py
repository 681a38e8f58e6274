"""What is missing, and how much of what was expected is there."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Missed:
    """One interval of one meter without a reading."""

    meter_id: int
    slot: datetime
    interval_s: int


@dataclass(frozen=True, slots=True)
class AreaHour:
    """How much of what was expected of an area in an hour is there.

    Attributes:
        hour: its start.
        expected: intervals that began in it, of meters that were to be read.
        missing: of them on the gap list; an hour that is not judged yet has none.
    """

    area_id: int
    hour: datetime
    expected: int
    missing: int


@dataclass(frozen=True, slots=True)
class LackingMeter:
    """A meter with missed intervals.

    Attributes:
        gaps: how many; oldest, newest: starts of the first and the last.
        silent_since: its terminal has not answered since then; None if it answers.
        last_error: stable code of its terminal's last failure.
    """

    meter_id: int
    meter_no: str
    point_no: str
    area_id: int
    terminal_no: str | None
    gaps: int
    oldest: datetime
    newest: datetime
    silent_since: datetime | None
    last_error: str | None


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
