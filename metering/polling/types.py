"""What a round leaves behind, who owns which connections, and what the pollers tell others."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from foundation.errors import Unreachable
from foundation.events import Event
from metering.modbus.errors import NotSent

SHARD_CHANNEL = "metering_shard"  # NOTIFY: shards became free
SHARDS = 256
"""Connections are owned by shards of all connections of a site: their hash, this many."""


class LeaseEnded(NotSent):
    """The connection may belong to another poller by now: nothing is sent any more."""

    code = "lease_ended"


class SpoolFull(Unreachable):
    """The spool holds as much as it may; facts: bytes, limit."""

    code = "spool_full"


class WithoutLease(StrEnum):
    """What a poller does when it cannot renew its leases."""

    AUTO = "auto"  # spool if it was alone at its site when it last knew, else stop
    SPOOL = "spool"  # reads on, into the spool
    STOP = "stop"  # ends with the lease; what is missed is read late


@dataclass(frozen=True, slots=True)
class TerminalsSilent(Event):
    """Terminals that did not answer for several rounds in a row.

    Each entry: terminal_id, terminal_no, point_id, since (ISO), error (stable code).
    """

    name: ClassVar[str] = "TerminalsSilent"
    terminals: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class TerminalsBack(Event):
    """Terminals that answer again; each entry as in TerminalsSilent."""

    name: ClassVar[str] = "TerminalsBack"
    terminals: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """A terminal that did not answer.

    Attributes:
        failed: rounds in a row it has not answered.
        error: stable code.
    """

    terminal_id: int
    shard: int
    at: datetime
    failed: int
    error: str


@dataclass(frozen=True, slots=True)
class Back:
    """A terminal that answers again."""

    terminal_id: int
    shard: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Gained:
    """A shard that was taken.

    Attributes:
        last_slot: rounds planned up to this instant were begun by the owner before.
        was_released: it was handed over; else its owner was lost, and what it had not
            stored is not known.
    """

    shard: int
    epoch: int
    last_slot: datetime | None
    was_released: bool


@dataclass(frozen=True, slots=True)
class Beat:
    """What a poller says of itself, and asks for, at every heartbeat.

    Attributes:
        worker: the process, new with every start.
        held: shards it holds, with their epochs.
        resumes: also keeps leases that ran out, as long as nobody took them.
        spool_since: oldest slot of a reading that is not stored yet.
    """

    worker: UUID
    name: str
    site: str
    ttl_s: float
    held: frozenset[int] = frozenset()
    resumes: bool = False
    terminals: int = 0
    spool_bytes: int = 0
    spool_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What came of a heartbeat.

    Attributes:
        renewed: shards that are still its own, with their epochs.
        gained: shards it took.
        live: pollers of its site that live.
        share: how many shards are its fair part.
    """

    renewed: dict[int, int]
    gained: list[Gained]
    live: int
    share: int


@dataclass(frozen=True, slots=True)
class MissedSlots:
    """Slots a connection was not asked in.

    Attributes:
        why: `busy` (the round before still ran) or `held` (no room for readings).
    """

    address: str
    at: datetime
    slots: int
    why: str


@dataclass(frozen=True, slots=True)
class PollerRow:
    """A poller as a screen shows it."""

    worker: UUID
    name: str
    site: str
    started_at: datetime
    beat_at: datetime
    is_live: bool
    shards: int
    terminals: int
    spool_bytes: int
    spool_since: datetime | None


@dataclass(frozen=True, slots=True)
class ConnectionRow:
    """A connection that missed slots on a day."""

    day: date
    address: str
    slots: int
    why: str
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """What the database remembers of a meter when a poller takes it over.

    Attributes:
        read_at: when it was last read.
        registers: wh_import, wh_export, varh_import then.
        p: power then [W].
        events: kinds of its events that last.
    """

    meter_id: int
    read_at: datetime
    registers: tuple[int | None, int | None, int | None]
    p: float | None
    events: tuple[str, ...] = field(default=())
