"""Who is asked when and by whom, and when a terminal counts as silent."""

import hashlib
import zlib
from datetime import datetime

from metering.polling.types import SHARDS

SILENT_AFTER = 3
"""Failed rounds in a row after which a terminal counts as silent."""

SPREAD = 3
"""Connections start over the first third of an interval."""

SAID_EVERY = 16
"""A terminal that stays silent is written down again only every so many rounds."""


def is_clock_wrong(drift_s: float | None, limit_s: int) -> bool:
    """Whether a terminal's clock is wrong: too far from ours, or showing no date at all."""
    return drift_s is None or abs(drift_s) > limit_s


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


def next_slot(last_s: int | None, now_s: float, interval_s: int) -> tuple[int, int]:
    """Give the slot to be asked next, and how many before it were missed.

    A round that outlasts its interval does not make the next ones queue up: of the slots
    that began meanwhile only the present one is asked, at once.

    Args:
        last_s: start of the slot asked last; None at the beginning [s since 1970].
        now_s: any time [s since 1970].
        interval_s: length of the interval [s].
    """
    present = int(now_s // interval_s) * interval_s
    if last_s is None or present <= last_s:
        return (present if last_s is None else last_s + interval_s), 0
    return present, (present - last_s) // interval_s - 1


def was_begun(planned_s: float, begun_to: datetime | None) -> bool:
    """Whether a round was begun by the owner before.

    Args:
        planned_s: when it was to begin [s since 1970].
        begun_to: rounds planned up to this instant were begun; the database keeps whole
            microseconds, so that it may lie a little before the round it speaks of.
    """
    return begun_to is not None and planned_s <= begun_to.timestamp() + 0.001


def is_late(slot_s: float, at_s: float, interval_s: int) -> bool:
    """Whether a reading came after its own interval had ended."""
    return at_s >= slot_s + interval_s


def patience_s(failed_rounds: int, timeout_s: float) -> float:
    """Give how long to wait for a terminal: a silent one must not hold up its neighbours."""
    return timeout_s if failed_rounds < SILENT_AFTER else min(timeout_s, 1.0)


def is_worth_saying(failed: int) -> bool:
    """Whether another failed round of a terminal is written down."""
    return failed <= SILENT_AFTER or failed % SAID_EVERY == 0


def shard_of(address: str) -> int:
    """Give the shard of a connection; the database computes the same.

    Args:
        address: host and port.
    """
    return hashlib.md5(address.encode(), usedforsecurity=False).digest()[0]


def share(pollers: int, *, shards: int = SHARDS) -> int:
    """Give how many shards are one poller's fair part."""
    return -(-shards // max(1, pollers))


def lease_margin_s(ttl_s: float) -> float:
    """Give how long before a lease's end its owner stops sending [s]."""
    return min(2.0, ttl_s / 5)


def beat_every_s(ttl_s: float) -> float:
    """Give how often a lease is renewed [s]."""
    return min(2.0, ttl_s / 5)
