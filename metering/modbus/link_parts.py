"""What a link counts, how long it waits for what, and how a question is framed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from foundation.errors import GridhallError
from metering.modbus.errors import ExceptionReply, GarbledReply, LinkDown, NoReply
from metering.modbus.lanes import Question, Request
from metering.modbus.mbap import EXCEPTION_FLAG, HEADER
from metering.modbus.rtu import SILENCE_S, framed_rtu

LinkError: TypeAlias = LinkDown | NoReply | ExceptionReply | GarbledReply

SILENT_LIMIT = 3
"""Requests in a row without a byte back after which the connection is taken for dead.

Not if all of them went to one unit of several: then it is the unit that is dead.
"""
NEVER = float("inf")
_EXCEPTION_BYTES = 2
REMEMBERED = 256
"""How many given-up transactions are remembered, to tell our late reply from a stray one."""
MOST_DEPTH = 16
"""Modbus TCP gateways take 1 to 16 transactions at a time.

Source: MODBUS Messaging on TCP/IP Implementation Guide V1.0b, section 4.2.1.
"""
LATE_FACTOR = 1.5
"""A late reply is waited for this much longer than the unit's slowest so far."""

Observe: TypeAlias = Callable[[int, str, float], None]
"""Called once per finished request: unit, outcome (`ok` or an error code), seconds in flight."""
Forbids: TypeAlias = Callable[[], GridhallError | None]
"""Called right before each request leaves: an error, and it fails with that and does not leave."""


@dataclass(slots=True)
class Counters:
    """What happened on a link since it was made; only ever grows."""

    requests: int = 0
    replies: int = 0
    exceptions: int = 0
    timeouts: int = 0
    garbled: int = 0
    late: int = 0
    stray: int = 0
    rested: int = 0
    connects: int = 0
    connect_failures: int = 0


class Silence:
    """How many requests in a row brought no byte back, and whom they went to."""

    __slots__ = ("_requests", "_units")

    def __init__(self) -> None:
        self._requests = 0
        self._units: set[int] = set()

    def lasts(self, units: set[int]) -> None:
        """Nothing came in time from some units."""
        self._requests += 1
        self._units |= units

    def ends(self) -> None:
        """Something came, or the connection is a new one."""
        self._requests = 0
        self._units.clear()

    def is_deadly(self, *, among: int) -> bool:
        """Whether the connection is to be taken for dead.

        Args:
            among: units the link has asked so far.
        """
        is_one_of_many = len(self._units) == 1 < among
        return self._requests >= SILENT_LIMIT and not is_one_of_many


def facts_of(host: str, port: int, request: Request) -> dict[str, object]:
    """Say which request an error is about."""
    return {
        "host": host,
        "port": port,
        "unit": request.unit.number,
        "function": request.block.function,
        "address": request.block.address,
    }


def framed_request(request: Request, *, is_rtu: bool) -> bytes:
    """Frame any question; the transaction is the request's."""
    pdu = request.pdu if isinstance(request, Question) else request.block.question
    unit = request.unit.number
    if is_rtu:
        return framed_rtu(unit, pdu)
    return HEADER.pack(request.transaction, 0, len(pdu) + 1, unit) + pdu


def said_to(request: Request, pdu: bytes) -> bytes | int | None:
    """Take a reply that is not the plain one to a read.

    Returns:
        The data of an answer to what is no read; the code of an exception; None if the reply
        is no answer to this request.
    """
    function = request.block.function
    if len(pdu) == _EXCEPTION_BYTES and pdu[0] == function | EXCEPTION_FLAG:
        return pdu[1]
    if isinstance(request, Question) and pdu[0] == function:
        return request.accept(pdu)
    return None


def hold_against(request: Request, outcome: bytes | LinkError, now: float) -> None:
    """Hold an outcome for or against the unit; a lost connection says nothing of it.

    Args:
        request: which was sent.
        outcome: what came of it.
        now: the loop's clock [s].
    """
    is_own = isinstance(outcome, ExceptionReply) and not outcome.is_of_gateway
    if isinstance(outcome, LinkDown):
        request.unit.let_go()
    elif isinstance(outcome, bytes) or is_own:
        request.unit.answered(now - request.sent_at)
    else:
        request.unit.failed(now)


def quiet_s(request: Request) -> float:
    """How long a late reply to a request may yet come over RTU framing [s].

    A unit that never answered is given the request's whole patience once more.
    """
    known_s = LATE_FACTOR * request.unit.slowest_s
    return min(max(known_s, SILENCE_S), request.timeout_s) if known_s else request.timeout_s
