"""What an event is: something that has happened, as a batch of plain values."""

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all domain events; subclasses hold JSON-able values only."""

    name: ClassVar[str] = ""

    def payload(self) -> dict[str, Any]:
        """Give the fields as JSON-able values."""
        return dataclasses.asdict(self)


@dataclass(frozen=True, slots=True)
class Signal:
    """A hint to open screens that something changed; no content, it may be lost."""

    topic: str
    id: str = ""
    version: int = 0
