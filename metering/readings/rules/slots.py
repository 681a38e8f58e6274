"""Nominal intervals: which one an instant lies in."""

from datetime import datetime


def slot_of(at: datetime, interval_s: int) -> datetime:
    """Give the start of the nominal interval an instant lies in.

    Args:
        at: aware.
        interval_s: length of the interval, a divisor of a day [s].
    """
    seconds = int(at.timestamp())
    return datetime.fromtimestamp(seconds - seconds % interval_s, tz=at.tzinfo)
