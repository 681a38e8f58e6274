"""Which intervals ended within a span of time."""

from collections.abc import Iterator
from datetime import UTC, datetime

from metering.gaps.types import Missed


def intervals_ended(first: datetime, last: datetime, interval_s: int) -> Iterator[datetime]:
    """Give the starts of the intervals that ended after `first` and not after `last`.

    Args:
        first: aware; an interval that ended then was seen before.
        last: aware.
        interval_s: length of the intervals, counted from midnight UTC [s].
    """
    end = int(first.timestamp() // interval_s + 1) * interval_s
    while end <= last.timestamp():
        yield datetime.fromtimestamp(end - interval_s, tz=UTC)
        end += interval_s


def still_readable(missed: Missed, *, now: datetime, window_s: int) -> bool:
    """Whether a missed interval is in its late window."""
    ended_s = now.timestamp() - missed.slot.timestamp() - missed.interval_s
    return 0 <= ended_s < window_s
