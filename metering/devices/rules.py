"""How often a point is read, and until when a missed interval may be read late."""

from dataclasses import dataclass

from metering.network.types import PointClass

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Late:
    """What the late window of an interval is made of."""

    intervals: int
    limit_s: int
    grace_s: int


@dataclass(frozen=True, slots=True)
class Clocks:
    """How often terminals' clocks are looked at, and beyond what drift they are wrong."""

    check_every_s: int
    first_within_s: int
    look_every_s: int
    limit_s: int


@dataclass(frozen=True, slots=True)
class Timetable:
    """What timetable.toml says."""

    source: str
    interval_s: dict[str, int]
    late: Late
    clocks: Clocks

    def __post_init__(self) -> None:
        if set(self.interval_s) != set(PointClass):
            raise ValueError("every class of point, and no other, has an interval")
        if any(seconds <= 0 or DAY_S % seconds for seconds in self.interval_s.values()):
            raise ValueError("an interval is no divisor of a day")
        if self.late.intervals < 0 or self.late.limit_s < 0 or self.late.grace_s < 0:
            raise ValueError("a late window is negative")


def interval_of(timetable: Timetable, point_class: PointClass) -> int:
    """Give how often a point of a class is read [s]."""
    return timetable.interval_s[point_class]


def late_window_s(timetable: Timetable, interval_s: int) -> int:
    """Give how long after its end an interval may still be read late [s]."""
    return min(timetable.late.intervals * interval_s, timetable.late.limit_s)
