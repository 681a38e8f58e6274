"""The simulated terminal's side of a connection: requests in, replies out, broken on order."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, cast

from metering.modbus.mbap import (
    EXCEPTION_FLAG,
    HEADER,
    READ_BODY,
    Frame,
    NotModbus,
    Unframer,
    receive_buffer,
)
from metering.modbus.simulated_faults import Fault, FaultKind
from metering.modbus.simulated_unit import ILLEGAL_FUNCTION, ILLEGAL_VALUE, Exceptional, Terminal

UnknownUnit = Literal["silent", "gateway"]
"""What becomes of a request for a unit that is not there: nothing, or exception 0x0B."""

TARGET_FAILED = 0x0B
READS = frozenset({1, 2, 3, 4})
IMPOSSIBLE_LENGTH = 0xFFFF


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
    orders: int = 0


class Responder(asyncio.BufferedProtocol):
    """One accepted connection of one address."""

    def __init__(
        self,
        units: Mapping[int, Terminal],
        *,
        connections: "set[Responder]",
        counters: SimulatorCounters,
        clock: Callable[[], float],
        unknown_unit: UnknownUnit,
    ) -> None:
        self.gone = asyncio.Event()
        self._units = units
        self._connections = connections
        self._counters = counters
        self._clock = clock
        self._unknown_unit = unknown_unit
        self._unframer = Unframer()
        self._buffer = receive_buffer()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection in."""
        self._transport = cast("asyncio.Transport", transport)
        self._connections.add(self)
        self._counters.connections += 1

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it out."""
        del exc
        self._connections.discard(self)
        self._counters.connections -= 1
        self.gone.set()

    def get_buffer(self, sizehint: int) -> bytearray:
        """Lend the thread's buffer for one receive."""
        del sizehint
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Answer every whole request; hang up on what is no Modbus TCP."""
        try:
            for frame in self._unframer.feed(bytes(memoryview(self._buffer)[:nbytes])):
                self._answer(frame)
        except NotModbus:
            self._counters.not_modbus += 1
            self.drop()

    def drop(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def _answer(self, frame: Frame) -> None:
        self._counters.requests += 1
        terminal = self._units.get(frame.unit)
        if terminal is None:
            self._answer_for_nobody(frame)
            return
        now = self._clock()
        faults = terminal.wire_faults(now)
        outage = faults.get(FaultKind.OUTAGE)
        if FaultKind.SILENCE in faults or (outage is not None and outage.dark):
            self._counters.swallowed += 1
            return
        pdu = self._pdu(terminal, frame, faults, now)
        reply = _broken(frame, pdu, faults)
        if reply is None:
            reply = _framed(frame.transaction, frame.unit, pdu)
        else:
            self._counters.broken_frames += 1
        slow = faults.get(FaultKind.SLOW)
        if slow is None:
            self._write(reply)
        else:
            asyncio.get_running_loop().call_later(slow.seconds, self._write, reply)

    def _pdu(
        self, terminal: Terminal, frame: Frame, faults: Mapping[FaultKind, Fault], now: float
    ) -> bytes:
        function = frame.pdu[0]
        try:
            data = _read(terminal, frame.pdu, faults, now)
        except Exceptional as exceptional:
            self._counters.exceptions += 1
            return bytes((function | EXCEPTION_FLAG, exceptional.code))
        return bytes((function, len(data))) + data

    def _answer_for_nobody(self, frame: Frame) -> None:
        if self._unknown_unit == "silent":
            self._counters.swallowed += 1
            return
        self._counters.exceptions += 1
        pdu = bytes((frame.pdu[0] | EXCEPTION_FLAG, TARGET_FAILED))
        self._write(_framed(frame.transaction, frame.unit, pdu))

    def _write(self, reply: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        self._counters.replies += 1
        self._transport.write(reply)


def _read(terminal: Terminal, pdu: bytes, faults: Mapping[FaultKind, Fault], now: float) -> bytes:
    ordered = faults.get(FaultKind.EXCEPTION)
    if ordered is not None:
        raise Exceptional(ordered.code)
    if pdu[0] not in READS:
        raise Exceptional(ILLEGAL_FUNCTION)
    if len(pdu) != 1 + READ_BODY.size:
        raise Exceptional(ILLEGAL_VALUE)
    address, count = READ_BODY.unpack_from(pdu, 1)
    return terminal.read(pdu[0], address, count, now)


def _framed(transaction: int, unit: int, pdu: bytes) -> bytes:
    return HEADER.pack(transaction, 0, len(pdu) + 1, unit) + pdu


def _broken(frame: Frame, pdu: bytes, faults: Mapping[FaultKind, Fault]) -> bytes | None:
    """The reply spoilt as ordered, or None if it is to be whole."""
    if FaultKind.TRUNCATED in faults:
        whole = _framed(frame.transaction, frame.unit, pdu)
        return whole[: len(whole) // 2]
    if FaultKind.HUGE_LENGTH in faults:
        return HEADER.pack(frame.transaction, 0, IMPOSSIBLE_LENGTH, frame.unit) + pdu
    if FaultKind.WRONG_TRANSACTION in faults:
        return _framed(frame.transaction ^ 0x8000, frame.unit, pdu)
    if FaultKind.WRONG_UNIT in faults:
        return _framed(frame.transaction, (frame.unit + 1) & 0xFF, pdu)
    return None
