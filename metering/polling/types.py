"""What a round leaves behind."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from foundation.events import Event
from metering.readings.types import NewReading


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
class Outcome:
    """What became of asking one terminal in one slot.

    Attributes:
        slot: start of the nominal interval.
        at: when the answer, or the failure, was there.
        reading: None if nothing usable came.
        error: stable code of the failure, if there was one.
    """

    terminal_id: int
    meter_id: int
    slot: datetime
    at: datetime
    reading: NewReading | None
    error: str | None
