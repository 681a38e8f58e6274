"""One connection to a terminal or gateway: who asks next, and which reply is an answer.

A reply is an answer only if transaction, protocol, unit, function, byte count and length agree
with the request in flight; anything else is counted and never becomes a value.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from heapq import heappop, heappush
from typing import TypeAlias

from metering.modbus.errors import ExceptionReply, GarbledReply, LinkDown, NoReply
from metering.modbus.mbap import EXCEPTION_FLAG, READ_REQUEST
from metering.modbus.plan import Block
from metering.modbus.wire import Wire

LinkError: TypeAlias = LinkDown | NoReply | ExceptionReply | GarbledReply

BACKOFF_FIRST_S = 0.25
BACKOFF_LIMIT_S = 30.0
SILENT_LIMIT = 3
"""Requests in a row without a byte back after which the connection is taken for dead."""
NEVER = float("inf")
REMEMBERED = 256
"""How many given-up transactions are remembered, to tell our late reply from a stray one."""

Observe: TypeAlias = Callable[[int, str, float], None]
"""Called once per finished request: unit, outcome (`ok` or an error code), seconds in flight."""


class Priority(IntEnum):
    """Who goes first; within one priority, who came first."""

    CONTROL = 0
    ALARM = 1
    ON_DEMAND = 2
    POLL = 3
    BACKFILL = 4


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
    connects: int = 0
    connect_failures: int = 0


@dataclass(slots=True, eq=False)
class Request:
    """One read on its way."""

    unit: int
    block: Block
    timeout_s: float
    answer: asyncio.Future[bytes]
    transaction: int = -1
    sent_at: float = 0.0


class Link:
    """A client of one address: connects when asked, keeps one request in flight.

    It belongs to the event loop it is made in.

    Args:
        host: name or address.
        port: TCP port.
        connect_timeout_s: longest wait for a connection [s].
        min_gap_ms: pause between a reply and the next request [ms].
        connect_pause_ms: pause between connecting and the first request [ms].
        observe: called once per finished request.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        connect_timeout_s: float = 3.0,
        min_gap_ms: int = 0,
        connect_pause_ms: int = 0,
        observe: Observe | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self.counters = Counters()
        self._loop = asyncio.get_running_loop()  # once: asking for it costs a system call
        self._connect_timeout_s = connect_timeout_s
        self._min_gap_s = min_gap_ms / 1000
        self._connect_pause_s = connect_pause_ms / 1000
        self._observe = observe
        self._waiting: list[tuple[Priority, int, Request]] = []
        self._in_flight: Request | None = None
        self._given_up: dict[int, None] = {}
        self._numbers = 0
        self._transaction = random.randrange(1 << 16)  # noqa: S311  no secret
        self._wire: Wire | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._wake: asyncio.TimerHandle | None = None
        self._sweep: asyncio.TimerHandle | None = None
        self._sweep_due = NEVER
        self._send_at = 0.0
        self._retry_at = 0.0
        self._failures = 0
        self._silent = 0
        self._is_closed = False

    @property
    def is_up(self) -> bool:
        """Whether a connection stands."""
        return self._wire is not None

    @property
    def queued(self) -> int:
        """Requests that wait for their turn."""
        return len(self._waiting)

    async def read(
        self, unit: int, block: Block, *, timeout_s: float, priority: Priority = Priority.POLL
    ) -> bytes:
        """Read one block and return its data bytes.

        Args:
            unit: unit identifier, 0 to 255.
            block: what to read.
            timeout_s: longest wait for the reply, counted from the moment of sending [s]; also
                the longest wait for a reconnect that is being held back.
            priority: who goes first.

        Raises:
            LinkDown: no connection, or it was lost before the reply.
            NoReply: no reply within timeout_s.
            ExceptionReply: the unit or its gateway answered with a Modbus exception.
            GarbledReply: the reply does not fit the request.
        """
        if self._is_closed:
            raise self._down("closed")
        if self._wire is None and self._retry_at - self._loop.time() > timeout_s:
            raise self._down("backing off")
        request = Request(unit, block, timeout_s, self._loop.create_future())
        if self._waiting or not self._sent(request):
            self._numbers += 1
            heappush(self._waiting, (priority, self._numbers, request))
        return await request.answer

    async def close(self) -> None:
        """Hang up; whoever waits gets LinkDown, and so does every later read."""
        self._is_closed = True
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait([self._connecting])
        wire = self._wire
        self._hang_up(self._down("closed"), backing_off=False)
        self._fail_waiting("closed")
        for timer in (self._wake, self._sweep):
            if timer is not None:
                timer.cancel()
        if wire is not None:
            await wire.gone.wait()

    # sending

    def _pump(self) -> None:
        """Send the next request if there is one and it may be sent."""
        while self._waiting and self._waiting[0][2].answer.done():
            heappop(self._waiting)  # its caller gave up
        if self._waiting and self._sent(self._waiting[0][2]):
            heappop(self._waiting)

    def _sent(self, request: Request) -> bool:
        """Send a request if it may leave now; if not, see to it that `_pump` is called in time."""
        if self._in_flight is not None or self._is_closed:
            return False
        if self._wire is not None and self._wire.unframer.left:
            self._garbled("bytes nobody asked for")
        wire, now = self._wire, self._loop.time()
        if wire is None:
            if self._connecting is None:
                self._connecting = self._loop.create_task(self._connect())
            return False
        if now < self._send_at:
            self._wake_in(self._send_at - now)
            return False
        self._transaction = transaction = (self._transaction + 1) & 0xFFFF
        if self._given_up:
            self._given_up.pop(transaction, None)
        request.transaction, request.sent_at = transaction, now
        self._in_flight = request
        self.counters.requests += 1
        block = request.block
        wire.transport.write(
            READ_REQUEST.pack(
                transaction, 0, 6, request.unit, block.function, block.address, block.count
            )
        )
        if now + request.timeout_s < self._sweep_due:
            self._sweep_at(now + request.timeout_s)
        return True

    def _wake_in(self, wait_s: float) -> None:
        if self._wake is None:
            self._wake = self._loop.call_later(wait_s, self._woken)

    def _woken(self) -> None:
        self._wake = None
        self._pump()

    # deadlines: one timer per link, armed anew only when it fires or must fire earlier

    def _sweep_at(self, when: float) -> None:
        if self._sweep is not None:
            self._sweep.cancel()
        self._sweep_due = when
        self._sweep = self._loop.call_at(when, self._swept)

    def _swept(self) -> None:
        self._sweep, self._sweep_due = None, NEVER
        request = self._in_flight
        if request is None:
            return
        deadline = request.sent_at + request.timeout_s
        if deadline > self._loop.time():
            self._sweep_at(deadline)
            return
        self.counters.timeouts += 1
        self._silent += 1
        if self._wire is not None and self._wire.unframer.holds_part:
            self._garbled("the reply broke off")
        else:
            self._remember(request.transaction)
            self._finish(request, NoReply(**self._facts(request)))
            if self._silent >= SILENT_LIMIT:
                self._hang_up(self._down("silent"), backing_off=True)
        self._pump()

    def _remember(self, transaction: int) -> None:
        self._given_up[transaction] = None
        if len(self._given_up) > REMEMBERED:
            del self._given_up[next(iter(self._given_up))]

    # receiving, called by the wire

    def take(self, transaction: int, unit: int, pdu: bytes) -> None:
        """Match one frame with the request in flight."""
        request = self._in_flight
        self._silent = 0
        if request is None or transaction != request.transaction:
            if transaction in self._given_up:
                del self._given_up[transaction]
                self.counters.late += 1
            else:
                self.counters.stray += 1
            return
        block = request.block
        function, expected = block.function, block.payload_bytes
        if (
            unit == request.unit
            and pdu[0] == function
            and pdu[1] == expected
            and len(pdu) == expected + 2
        ):
            self.counters.replies += 1
            self._finish(request, pdu[2:])
        elif unit == request.unit and pdu[0] == function | EXCEPTION_FLAG and len(pdu) == 2:  # noqa: PLR2004  function and code
            self.counters.exceptions += 1
            self._finish(request, ExceptionReply(pdu[1], **self._facts(request)))
        else:
            self.counters.garbled += 1
            self._finish(request, GarbledReply(why="no answer to this", **self._facts(request)))
        self._failures = 0
        if self._waiting:
            self._pump()

    def broken(self, wire: Wire) -> None:
        """The stream is no Modbus TCP any more."""
        if wire is self._wire:
            self._garbled("no Modbus TCP")
            self._pump()

    def lost(self, wire: Wire) -> None:
        """The other side hung up, or the connection broke."""
        if wire is not self._wire:
            return
        if wire.unframer.holds_part:
            self._garbled("the reply broke off")
        else:
            self._hang_up(self._down("lost"), backing_off=self._in_flight is not None)
        self._pump()

    def _garbled(self, why: str) -> None:
        self.counters.garbled += 1
        facts = self._facts(self._in_flight) if self._in_flight else {}
        self._hang_up(GarbledReply(why=why, **facts), backing_off=True)

    def _finish(self, request: Request, outcome: bytes | LinkError) -> None:
        self._in_flight = None
        if self._min_gap_s:
            self._send_at = self._loop.time() + self._min_gap_s
        if self._observe is not None:
            word = "ok" if isinstance(outcome, bytes) else outcome.code
            self._observe(request.unit, word, self._loop.time() - request.sent_at)
        answer = request.answer
        if answer.done():
            return  # its caller gave up
        if isinstance(outcome, bytes):
            answer.set_result(outcome)
        else:
            answer.set_exception(outcome)

    # connecting

    async def _connect(self) -> None:
        """Wait out the backoff, connect, and go on; on failure tell everyone who waits."""
        why = ""
        try:
            await asyncio.sleep(max(0.0, self._retry_at - self._loop.time()))
            async with asyncio.timeout(self._connect_timeout_s):
                _, wire = await self._loop.create_connection(
                    lambda: Wire(self), self.host, self.port
                )
        except (OSError, UnicodeError) as error:
            why = str(error) or type(error).__name__
        finally:
            self._connecting = None
        if not why and wire.gone.is_set():
            why = "lost at once"
        if why:
            self.counters.connect_failures += 1
            self._hold_back()
            self._fail_waiting(why)
            return
        self._wire = wire
        self.counters.connects += 1
        self._silent = 0
        if self._connect_pause_s:
            self._send_at = self._loop.time() + self._connect_pause_s
        self._pump()

    def _hold_back(self) -> None:
        """Full jitter: wait anything from nothing to a limit that doubles with each failure."""
        limit_s = min(BACKOFF_LIMIT_S, BACKOFF_FIRST_S * 2.0 ** min(self._failures, 16))
        self._failures += 1
        wait_s = random.uniform(0, limit_s)  # noqa: S311  no secret
        self._retry_at = self._loop.time() + wait_s

    def _hang_up(self, error: LinkError, *, backing_off: bool) -> None:
        """Drop the connection; the request in flight gets the error, the others wait on."""
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.drop()
        if self._in_flight is not None:
            self._finish(self._in_flight, error)
        if backing_off:
            self._hold_back()

    def _fail_waiting(self, why: str) -> None:
        waiting, self._waiting = self._waiting, []
        for _, _, request in waiting:
            if not request.answer.done():
                request.answer.set_exception(self._down(why))

    def _down(self, why: str) -> LinkDown:
        return LinkDown(host=self.host, port=self.port, why=why)

    def _facts(self, request: Request) -> dict[str, object]:
        block = request.block
        return {
            "host": self.host,
            "port": self.port,
            "unit": request.unit,
            "function": block.function,
            "address": block.address,
        }
