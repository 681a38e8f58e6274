"""The simulated terminal's side of a connection: requests in, replies out, broken on order."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, cast

from metering.modbus.controls import Write
from metering.modbus.mbap import (
    EXCEPTION_FLAG,
    READ_BODY,
    Frame,
    NotModbus,
    Unframer,
    receive_buffer,
)
from metering.modbus.pdu import IDENTIFICATION, identification_reply, parse_write, write_echo
from metering.modbus.profile_parts import WRITE_FUNCTIONS
from metering.modbus.rtu import RtuUnframer
from metering.modbus.simulated_faults import Fault, FaultKind
from metering.modbus.simulated_replies import framed, spoilt
from metering.modbus.simulated_unit import (
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
    Exceptional,
    Framing,
    Terminal,
)

UnknownUnit = Literal["silent", "gateway"]
"""What becomes of a request for a unit that is not there: nothing, or exception 0x0B."""

TARGET_FAILED = 0x0B
READS = frozenset({1, 2, 3, 4})


@dataclass(slots=True)
class SimulatorCounters:
    """What the simulator did since it was made; `connections` is what stands now."""

    connections: int = 0
    requests: int = 0
    replies: int = 0
    exceptions: int = 0
    swallowed: int = 0
    broken_frames: int = 0
    not_modbus: int = 0
    writes: int = 0
    hung_up: int = 0
    orders: int = 0


@dataclass(slots=True)
class Site:
    """One address of the simulator: who stands there, how they speak, who is connected.

    Attributes:
        units: by unit id.
        changed: called when a write changed a terminal.
    """

    units: dict[int, Terminal]
    counters: SimulatorCounters
    clock: Callable[[], float]
    unknown_unit: UnknownUnit
    changed: Callable[[], None]
    framing: Framing = "mbap"
    connections: "set[Responder]" = field(default_factory=set)

    @property
    def takes_one_connection(self) -> bool:
        """Whether a fault lets only one master in at a time."""
        now = self.clock()
        return any(
            FaultKind.ONE_CONNECTION in unit.wire_faults(now)
            for unit in self.units.values()
            if unit.ailment.faults
        )


class Responder(asyncio.BufferedProtocol):
    """One accepted connection of one address."""

    def __init__(self, site: Site) -> None:
        self.gone = asyncio.Event()
        self._site = site
        self._counters = site.counters
        self._is_rtu = site.framing == "rtu"
        self._unframer: Unframer | RtuUnframer = (
            RtuUnframer(of_requests=True) if self._is_rtu else Unframer()
        )
        self._buffer = receive_buffer()
        self._transport: asyncio.Transport | None = None
        self._trickling: deque[tuple[bytes, float]] = deque()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection in, unless the address takes no second one."""
        self._transport = cast("asyncio.Transport", transport)
        self._counters.connections += 1
        site = self._site
        if site.connections and site.takes_one_connection:
            self._counters.hung_up += 1
            self.drop()
        site.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it out."""
        del exc
        self._site.connections.discard(self)
        self._counters.connections -= 1
        self.gone.set()

    def get_buffer(self, sizehint: int) -> bytearray:
        """Lend the thread's buffer for one receive."""
        del sizehint
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Answer every whole request; what is no Modbus ends a TCP line and is noise on RTU."""
        try:
            for frame in self._unframer.feed(bytes(memoryview(self._buffer)[:nbytes])):
                self._answer(frame)
        except NotModbus:
            self._counters.not_modbus += 1
            if self._is_rtu:
                self._unframer.left = b""
            else:
                self.drop()

    def drop(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def _answer(self, frame: Frame) -> None:
        self._counters.requests += 1
        terminal = self._site.units.get(frame.unit)
        if terminal is None:
            self._answer_for_nobody(frame)
            return
        now = self._site.clock()
        faults = terminal.wire_faults(now)
        outage = faults.get(FaultKind.OUTAGE)
        if FaultKind.SILENCE in faults or (outage is not None and outage.dark):
            self._counters.swallowed += 1
            return
        if FaultKind.HANG_UP in faults:
            self._counters.hung_up += 1
            self.drop()
            return
        pdu = self._pdu(terminal, frame, faults, now)
        reply = spoilt(frame, pdu, faults, self._site.framing)
        if reply is None:
            reply = self._framed(frame, pdu)
        else:
            self._counters.broken_frames += 1
        slow, trickle = faults.get(FaultKind.SLOW), faults.get(FaultKind.TRICKLE)
        pause_s = 0.0 if trickle is None else trickle.seconds
        if slow is None:
            self._write(reply, pause_s)
        else:
            asyncio.get_running_loop().call_later(slow.seconds, self._write, reply, pause_s)

    def _pdu(
        self, terminal: Terminal, frame: Frame, faults: Mapping[FaultKind, Fault], now: float
    ) -> bytes:
        function = frame.pdu[0]
        try:
            _refuse(faults, self._site.framing)
            if function in WRITE_FUNCTIONS:
                return self._written(terminal, frame.pdu, now)
            if function == IDENTIFICATION:
                return _identified(terminal, frame.pdu)
            data = _read(terminal, frame.pdu, now)
        except Exceptional as exceptional:
            self._counters.exceptions += 1
            return bytes((function | EXCEPTION_FLAG, exceptional.code))
        return bytes((function, len(data))) + data

    def _written(self, terminal: Terminal, pdu: bytes, now: float) -> bytes:
        write: Write | None = parse_write(pdu)
        if write is None:
            raise Exceptional(ILLEGAL_VALUE)
        terminal.write(write.function, write.address, write.values, now)
        self._counters.writes += 1
        self._site.changed()
        return write_echo(write)

    def _answer_for_nobody(self, frame: Frame) -> None:
        if self._site.unknown_unit == "silent" or self._is_rtu:
            self._counters.swallowed += 1
            return
        self._counters.exceptions += 1
        pdu = bytes((frame.pdu[0] | EXCEPTION_FLAG, TARGET_FAILED))
        self._write(self._framed(frame, pdu), 0.0)

    def _framed(self, frame: Frame, pdu: bytes) -> bytes:
        return framed(frame, pdu, self._site.framing)

    def _write(self, reply: bytes, pause_s: float) -> None:
        """Send a reply, byte by byte if told; one reply never runs into another."""
        if self._transport is None or self._transport.is_closing():
            return
        self._counters.replies += 1
        if pause_s or self._trickling:
            self._trickling.append((reply, pause_s))
            if len(self._trickling) == 1:
                self._trickle(reply, pause_s)
        else:
            self._transport.write(reply)

    def _trickle(self, rest: bytes, pause_s: float) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        step = 1 if pause_s else len(rest)
        self._transport.write(rest[:step])
        if rest[step:]:
            asyncio.get_running_loop().call_later(pause_s, self._trickle, rest[step:], pause_s)
            return
        self._trickling.popleft()
        if self._trickling:
            self._trickle(*self._trickling[0])


def _read(terminal: Terminal, pdu: bytes, now: float) -> bytes:
    if pdu[0] not in READS:
        raise Exceptional(ILLEGAL_FUNCTION)
    if len(pdu) != 1 + READ_BODY.size:
        raise Exceptional(ILLEGAL_VALUE)
    address, count = READ_BODY.unpack_from(pdu, 1)
    return terminal.read(pdu[0], address, count, now)


def _identified(terminal: Terminal, pdu: bytes) -> bytes:
    objects = terminal.identification()
    if not objects:
        raise Exceptional(ILLEGAL_FUNCTION)
    reply = identification_reply(objects, pdu)
    if reply is None:
        raise Exceptional(ILLEGAL_ADDRESS)
    return reply


def _refuse(faults: Mapping[FaultKind, Fault], framing: Framing) -> None:
    """Answer with an exception if told to; a gateway that got a wrong checksum says 0x0B."""
    ordered = faults.get(FaultKind.EXCEPTION)
    if ordered is not None:
        raise Exceptional(ordered.code)
    if FaultKind.CRC_ERROR in faults and framing == "mbap":
        raise Exceptional(TARGET_FAILED)
