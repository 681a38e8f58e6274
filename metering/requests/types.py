"""On-demand reads (召测): asked by a person, answered by the owner of the link."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from foundation.errors import Refused

REQUEST_CHANNEL = "metering_request"  # NOTIFY: the links' owner looks for requests


class NoTerminal(Refused):
    """This meter has no terminal, so nobody can ask it; facts: meter_no."""

    code = "no_terminal"


class RequestState(StrEnum):
    """What became of a request."""

    ASKED = "asked"
    ANSWERED = "answered"
    FAILED = "failed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class RawBlock:
    """One block as a terminal answered it.

    Attributes:
        function: of the read.
        address: of its first register, or first bit.
        data: the reply's data bytes, in hexadecimal.
    """

    function: int
    address: int
    data: str


@dataclass(frozen=True, slots=True)
class RawRead:
    """The newest on-demand read whose reply was kept."""

    at: datetime
    asked_by: str
    blocks: tuple[RawBlock, ...]


@dataclass(frozen=True, slots=True)
class ReadRequestCard:
    """An on-demand read as a screen shows it.

    Attributes:
        error: stable code of what went wrong, if it failed.
        seconds: from asking to the answer, if there is one.
    """

    id: int
    meter_id: int
    state: RequestState
    asked_by: str
    asked_at: datetime
    answered_at: datetime | None
    error: str | None

    @property
    def seconds(self) -> float | None:
        """Give how long the answer took [s]."""
        if self.answered_at is None:
            return None
        return (self.answered_at - self.asked_at).total_seconds()
