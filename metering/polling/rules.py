"""Who is asked when, and when a terminal counts as silent."""

import zlib
from datetime import datetime, timedelta

SILENT_AFTER = 3
"""Failed rounds in a row after which a terminal counts as silent."""

SPREAD = 3
"""Connections start over the first third of an interval."""


def stagger_s(connection: str, interval_s: int) -> float:
    """Give how far into an interval a connection starts, the same every time.

    Args:
        connection: host and port.
        interval_s: length of the interval [s].

    Returns:
        Seconds from 0 to a third of the interval.
    """
    share = zlib.crc32(connection.encode()) / 2**32
    return share * interval_s / SPREAD


def next_start(now: datetime, connection: str, interval_s: int) -> datetime:
    """Give when a connection is next to be asked, strictly after now."""
    offset = stagger_s(connection, interval_s)
    seconds = now.timestamp()
    slot = (seconds - offset) // interval_s + 1
    return datetime.fromtimestamp(slot * interval_s + offset, tz=now.tzinfo)


def is_due(slot: datetime, interval_s: int) -> bool:
    """Whether a terminal of this interval is asked in a slot of a faster connection."""
    return int(slot.timestamp()) % interval_s == 0


def is_late(slot: datetime, at: datetime, interval_s: int) -> bool:
    """Whether a reading came after its own interval had ended."""
    return at >= slot + timedelta(seconds=interval_s)


def patience_s(failed_rounds: int, timeout_s: float) -> float:
    """Give how long to wait for a terminal: a silent one must not hold up its neighbours."""
    return timeout_s if failed_rounds < SILENT_AFTER else min(timeout_s, 1.0)
