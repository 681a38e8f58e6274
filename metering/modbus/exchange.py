"""One connection: its queue, its requests in flight, its deadlines, and its coming and going.

A reply is an answer only if transaction, protocol, unit, function, byte count and length agree
with a request in flight. RTU frames carry no transaction: there, after a request without its
answer, the connection is closed, and the next stays quiet until no late reply can come any more.
"""

import asyncio
import random

from foundation.errors import GridhallError
from metering.modbus.breaker import Unit
from metering.modbus.errors import ExceptionReply, GarbledReply, LinkDown, NoReply, UnitResting
from metering.modbus.lanes import Lanes, Priority, Request
from metering.modbus.link_parts import (
    MOST_DEPTH,
    NEVER,
    REMEMBERED,
    Counters,
    Forbids,
    LinkError,
    Observe,
    Silence,
    facts_of,
    framed_request,
    hold_against,
    quiet_s,
    said_to,
)
from metering.modbus.mbap import READ_LENGTH, READ_REQUEST, joined
from metering.modbus.reach import RTU, Framing, TlsFiles, opener, silence_s
from metering.modbus.reconnect import Reconnect
from metering.modbus.rtu import NO_TRANSACTION
from metering.modbus.wire import Wire


class Exchange:
    """The mechanics of a link; see `link.Link`."""

    # more names than a dictionary of instances keeps fast (30 in CPython)
    __slots__ = (
        "_busy", "_connect_pause_s", "_connect_timeout_s", "_connecting", "_forbids", "_given_up",
        "_in_flight", "_is_closed", "_is_doubtful", "_is_plain", "_is_rtu", "_lanes", "_loop",
        "_min_gap_s", "_observe", "_open", "_quiet_until", "_reconnect", "_send_at", "_silence",
        "_sweep", "_sweep_due", "_transaction", "_waiting", "_wake", "_wire", "counters", "depth",
        "framing", "host", "port", "units",
    )  # fmt: skip

    def __init__(
        self,
        host: str,
        port: int,
        *,
        framing: Framing = "mbap",
        depth: int = 1,
        connect_timeout_s: float = 3.0,
        min_gap_ms: int = 0,
        connect_pause_ms: int = 0,
        line: str = "",
        tls: TlsFiles | None = None,
        observe: Observe | None = None,
        forbids: Forbids | None = None,
    ) -> None:
        self.host, self.port, self.framing = host, port, framing
        self.counters = Counters()
        self._loop = asyncio.get_running_loop()  # once: asking for it costs a system call
        self._is_rtu = framing in RTU
        self._open = opener(host, port, framing, line=line, tls=tls)
        self.depth = 1 if self._is_rtu else max(1, min(depth, MOST_DEPTH))
        self._connect_timeout_s = connect_timeout_s
        self._min_gap_s = max(min_gap_ms / 1000, silence_s(framing, line))
        self._connect_pause_s = connect_pause_ms / 1000
        self._observe, self._forbids = observe, forbids
        self.units: dict[int, Unit] = {}
        """Everyone asked so far, and how they stand."""
        self._is_plain = self.depth == 1 and not self._min_gap_s and observe is None
        self._lanes = Lanes()
        self._waiting = self._lanes.heap
        self._in_flight: dict[int, Request] = {}
        self._busy: set[int] = set()
        self._given_up: dict[int, None] = {}
        self._transaction = random.randrange(1 << 16)  # noqa: S311  no secret
        self._wire: Wire | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._reconnect = Reconnect()
        self._wake: asyncio.TimerHandle | None = None
        self._sweep: asyncio.TimerHandle | None = None
        self._sweep_due = NEVER
        self._send_at = self._quiet_until = 0.0
        self._silence = Silence()
        self._is_closed = False
        self._is_doubtful = True  # nothing was answered since it was connected, or last silent

    async def close(self) -> None:
        """Hang up; whoever waits gets LinkDown, and so does every later read."""
        self._is_closed = True
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait([self._connecting])
        wire = self._wire
        self._hang_up(self._down("closed"), backing_off=False)
        self._fail_waiting("closed")
        for timer in filter(None, (self._wake, self._sweep)):
            timer.cancel()
        if wire is not None:
            await wire.gone.wait()

    def ask(self, request: Request) -> None:
        """Send a request now or let it wait; its answer or error goes to its receiver at once.

        For rounds: a task's step for each reply costs as much as the link itself.
        """
        wire, unit = self._wire, request.unit
        if (wire is None or unit.failures) and (refused := self._refused(request)):
            request.answer.set_exception(refused)
        elif wire is not None and not (
            self._in_flight or self._waiting or self._send_at or wire.unframer.left
        ):
            self._send(request)  # nothing else goes on: the usual
        elif self._waiting or unit.number in self._busy or not self._is_ready():
            self._lanes.add(request)
            if self.depth > 1:
                self._pump()  # another lane may be free
        else:
            self._send(request)

    def _refused(self, request: Request) -> GridhallError | None:
        """Say why there is no point in waiting, if there is none.

        A round is kept from waiting for a unit that never answers; whoever insists is let by.
        """
        now = self._loop.time()
        if self._wire is None:
            if self._is_closed:
                return self._down("closed")
            if self._reconnect.at - now > request.timeout_s:
                return self._down("backing off")
            if self._forbids is not None and (forbidden := self._forbids()):
                return forbidden
        unit = request.unit
        is_kept_out = request.priority >= Priority.POLL and len(self.units) > 1
        if is_kept_out and not unit.may_be_asked(now):
            self.counters.rested += 1
            return UnitResting(**self._facts(request), seconds=unit.rests_for_s(now))
        return None

    # sending

    def _pump(self) -> None:
        """Send what waits as long as something may be sent."""
        while self._waiting and self._is_ready():
            if (request := self._lanes.take(self._busy)) is None:
                return
            self._send(request)

    def _is_ready(self) -> bool:
        """Whether a request may leave now; if not, see to it that `_pump` is called in time."""
        if len(self._in_flight) >= self.depth or self._is_closed:
            return False
        wire = self._wire
        if wire is not None and wire.unframer.left and not self._in_flight:
            self._garbled("bytes nobody asked for")
            wire = None
        if wire is None:
            if self._connecting is None:
                self._connecting = self._loop.create_task(self._connect())
            return False
        if self._send_at:
            wait_s = self._send_at - self._loop.time()
            if wait_s > 0:
                if self._wake is None:
                    self._wake = self._loop.call_later(wait_s, self._woken)
                return False
            self._send_at = 0.0
        return True

    def _woken(self) -> None:
        self._wake = None
        self._pump()

    def _send(self, request: Request) -> None:
        wire, unit = self._wire, request.unit.number
        if wire is None:
            return
        if self._forbids is not None and (forbidden := self._forbids()):
            request.unit.let_go()
            request.answer.set_exception(forbidden)
            return
        request.sent_at = now = self._loop.time()
        if self._is_rtu:
            request.transaction = NO_TRANSACTION
            data = framed_request(request, is_rtu=True)
        else:
            self._transaction = transaction = (self._transaction + 1) & 0xFFFF
            if self._given_up:
                self._given_up.pop(transaction, None)
            request.transaction = transaction
            block = request.block
            if block.reply_head >= 0:
                data = READ_REQUEST.pack(transaction, READ_LENGTH, unit, block.question)
            else:
                data = framed_request(request, is_rtu=False)
        self._in_flight[request.transaction] = request
        if self.depth > 1:
            self._busy.add(unit)
        self.counters.requests += 1
        wire.transport.write(data)
        if now + request.timeout_s < self._sweep_due:
            self._sweep_at(now + request.timeout_s)

    # deadlines: one timer per link, armed anew only when it fires or must fire earlier

    def _sweep_at(self, when: float) -> None:
        if self._sweep is not None:
            self._sweep.cancel()
        self._sweep_due = when
        self._sweep = self._loop.call_at(when, self._swept)

    def _swept(self) -> None:
        self._sweep, self._sweep_due = None, NEVER
        now = self._loop.time()
        overdue = [one for one in self._in_flight.values() if one.deadline <= now]
        if overdue:
            self._give_up(overdue)
        if self._in_flight:
            self._sweep_at(min(one.deadline for one in self._in_flight.values()))
        self._pump()

    def _give_up(self, overdue: list[Request]) -> None:
        """Nothing came in time; on RTU framing no later reply may find this connection."""
        self.counters.timeouts += len(overdue)
        self._silence.lasts({one.unit.number for one in overdue})
        self._is_doubtful = True
        if self._wire is not None and self._wire.unframer.holds_part:
            self._garbled("the reply broke off", overdue[0])
            return
        for request in overdue:
            self._given_up[request.transaction] = None
            self._finish(request, NoReply(**self._facts(request)))
        while len(self._given_up) > REMEMBERED:
            del self._given_up[next(iter(self._given_up))]
        if (is_dead := self._silence.is_deadly(among=len(self.units))) or self._is_rtu:
            self._hang_up(self._down("silent"), backing_off=is_dead)
        if self._is_rtu:
            self._quiet_until = self._loop.time() + quiet_s(overdue[0])

    # receiving, called by the wire

    def take(self, transaction: int, unit: int, head: int, data: bytes) -> None:
        """Match one frame with the requests in flight."""
        request = self._in_flight.get(transaction)
        if request is None:
            self._silence.ends()
            self._unasked(transaction)
            return
        asked, block = request.unit, request.block
        if head == block.reply_head and len(data) == block.payload_bytes and unit == asked.number:
            self.counters.replies += 1
            if self._is_plain and not asked.failures:
                del self._in_flight[transaction]  # what _finish comes to, at half its cost
                if not request.answer.done():
                    request.answer.set_result(data)
            else:
                self._finish(request, data)
        else:
            self._judge(request, unit, joined(head, data))
        if self._is_doubtful:
            self._is_doubtful = False
            self._silence.ends()
            self._reconnect.failures = 0
        if self._waiting:
            self._pump()

    def _judge(self, request: Request, unit: int, pdu: bytes) -> None:
        """Take an exception, or the answer to what is no read; refuse anything else."""
        said = said_to(request, pdu) if unit == request.unit.number else None
        if isinstance(said, bytes):
            self.counters.replies += 1
            self._finish(request, said)
        elif said is not None:
            self.counters.exceptions += 1
            self._finish(request, ExceptionReply(said, **self._facts(request)))
        elif self._is_rtu:
            self._garbled("no answer to this")
        else:
            self.counters.garbled += 1
            self._finish(request, GarbledReply(why="no answer to this", **self._facts(request)))

    def _unasked(self, transaction: int) -> None:
        """Count a reply nobody waits for; on RTU framing it ends the connection."""
        if self._is_rtu and self._loop.time() < self._quiet_until:
            self.counters.late += 1
        elif transaction in self._given_up and not self._is_rtu:
            del self._given_up[transaction]
            self.counters.late += 1
        else:
            self.counters.stray += 1
            if self._is_rtu:
                self._hang_up(self._down("bytes nobody asked for"), backing_off=True)
                self._pump()

    def broken(self, wire: Wire) -> None:
        """The stream is no Modbus any more."""
        if self._is_rtu and not self._in_flight and self._loop.time() < self._quiet_until:
            wire.unframer.left = b""
            self.counters.late += 1
        elif wire is self._wire:
            self._garbled("no Modbus frame")
            self._pump()

    def lost(self, wire: Wire) -> None:
        """The other side hung up, or the connection broke."""
        if wire is not self._wire:
            return
        if wire.unframer.holds_part:
            self._garbled("the reply broke off")
        else:
            self._hang_up(self._down("lost"), backing_off=bool(self._in_flight))
        self._pump()

    def _garbled(self, why: str, request: Request | None = None) -> None:
        """Hang up on a stream that makes no sense; one request is told so, the others of it."""
        self.counters.garbled += 1
        request = request or next(iter(self._in_flight.values()), None)
        if request is not None:
            self._finish(request, GarbledReply(why=why, **self._facts(request)))
            if self._is_rtu:
                self._quiet_until = self._loop.time() + quiet_s(request)
        self._hang_up(self._down("another reply was garbled"), backing_off=True)

    def _finish(self, request: Request, outcome: bytes | LinkError) -> None:
        del self._in_flight[request.transaction]
        unit = request.unit
        if self._busy:
            self._busy.discard(unit.number)
        if self._min_gap_s:
            self._send_at = self._loop.time() + self._min_gap_s
        if unit.failures or self._is_rtu or not isinstance(outcome, bytes):
            hold_against(request, outcome, self._loop.time())
        if self._observe is not None:
            word = "ok" if isinstance(outcome, bytes) else outcome.code
            self._observe(unit.number, word, self._loop.time() - request.sent_at)
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
            await asyncio.sleep(max(0.0, self._reconnect.at - self._loop.time()))
            async with asyncio.timeout(self._connect_timeout_s):
                wire = await self._open(self)
        except (OSError, UnicodeError) as error:
            why = str(error) or type(error).__name__
        finally:
            self._connecting = None
        if why := why or ("lost at once" if wire.gone.is_set() else ""):
            self.counters.connect_failures += 1
            self._reconnect.hold_back(self._loop.time())
            self._fail_waiting(why)
            return
        self._wire = wire
        self.counters.connects += 1
        self._silence.ends()
        self._is_doubtful = True
        self._send_at = max(self._loop.time() + self._connect_pause_s, self._quiet_until)
        self._pump()

    def _hang_up(self, error: LinkDown, *, backing_off: bool) -> None:
        """Drop the connection; requests in flight get the error, the others wait on."""
        if self._wire is not None:
            self._wire.drop()
        self._wire = None
        for request in list(self._in_flight.values()):
            self._finish(request, error)
        if backing_off:
            self._reconnect.hold_back(self._loop.time())

    def _fail_waiting(self, why: str) -> None:
        for request in self._lanes.empty():
            request.unit.let_go()
            request.answer.set_exception(self._down(why))

    def _down(self, why: str) -> LinkDown:
        return LinkDown(host=self.host, port=self.port, why=why)

    def _facts(self, request: Request) -> dict[str, object]:
        return facts_of(self.host, self.port, request)
