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
