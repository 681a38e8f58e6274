"""RTU frames carried over TCP: unit, PDU, checksum; no header says where one ends.

Source: MODBUS over Serial Line Specification V1.02, sections 2.3 and 2.5.1, appendix B (CRC).
"""

from collections.abc import Iterator
from struct import Struct

from metering.modbus.mbap import EXCEPTION_FLAG, Frame, NotModbus, parted
from metering.modbus.pdu import IDENTIFICATION

SHORTEST_RTU = 4
"""Unit, function and checksum."""
LONGEST_RTU = 256
NO_TRANSACTION = 0
"""RTU frames carry no transaction; every frame is given this one."""
SILENCE_S = 0.004
"""The pause that ends a frame: 3.5 characters of 11 bits at 9600 baud [s]."""

_CHECKSUM = Struct("<H")
_EXCEPTION_BYTES = 5
_WRITE_BYTES = 8
_READ_HEAD = 5
"""Unit, function, byte count and checksum around the data of a read's reply."""
_COUNT_AT, _BLOCK_COUNT_AT = 2, 6
_OBJECTS_AT = 8
"""Bytes of a reply of function 43/14 before its first object."""
READ_REPLIES = frozenset({1, 2, 3, 4})
WRITES = frozenset({5, 6, 15, 16})


def _table() -> tuple[int, ...]:
    table = []
    for number in range(256):
        value = number
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
        table.append(value)
    return tuple(table)


_TABLE = _table()


def checksum(data: bytes) -> int:
    """Give the CRC-16 of Modbus (polynomial 0xA001 reflected, from 0xFFFF)."""
    value = 0xFFFF
    for byte in data:
        value = value >> 8 ^ _TABLE[(value ^ byte) & 0xFF]
    return value


def framed_rtu(unit: int, pdu: bytes) -> bytes:
    """Put unit and checksum around a PDU."""
    body = bytes((unit,)) + pdu
    return body + _CHECKSUM.pack(checksum(body))


class RtuUnframer:
    """Cuts a stream of RTU replies, or of requests, into frames.

    A frame whose checksum is wrong, or whose function tells no length, ends the stream: nobody
    can say where the next one begins.

    Attributes:
        left: the beginning of a frame that has not ended yet.
    """

    __slots__ = ("_of_requests", "left")

    def __init__(self, *, of_requests: bool = False) -> None:
        self.left = b""
        self._of_requests = of_requests

    @property
    def holds_part(self) -> bool:
        """Whether a frame has begun and not ended."""
        return bool(self.left)

    def whole(self, received: bytes) -> tuple[int, int, int, bytes] | None:
        """Give transaction, unit and the parts of the PDU if what came is one whole frame."""
        size = len(received)
        if self.left or size < SHORTEST_RTU:
            return None
        if self._length(received) != size or not _is_sound(received):
            return None
        return NO_TRANSACTION, received[0], *parted(received[1:-2])

    def feed(self, received: bytes) -> Iterator[Frame]:
        """Give every whole frame.

        Raises:
            NotModbus: a checksum is wrong, or the function tells no length.
        """
        self.left += received
        while self.left:
            length = self._length(self.left)
            if length is None or length > len(self.left):
                return
            data, self.left = self.left[:length], self.left[length:]
            if not _is_sound(data):
                raise NotModbus
            yield Frame(NO_TRANSACTION, data[0], data[1:-2])

    def _length(self, data: bytes) -> int | None:
        """Bytes of the frame that begins here; None if too little of it is here to tell."""
        length = _request_bytes(data) if self._of_requests else _reply_bytes(data)
        if length is not None and length > LONGEST_RTU + SHORTEST_RTU:
            raise NotModbus
        return length


def _is_sound(data: bytes) -> bool:
    return checksum(data[:-2]) == int.from_bytes(data[-2:], "little")


def _reply_bytes(data: bytes) -> int | None:
    if len(data) <= _COUNT_AT:
        return None
    function = data[1]
    if function & EXCEPTION_FLAG:
        return _EXCEPTION_BYTES
    if function in READ_REPLIES:
        return _READ_HEAD + data[_COUNT_AT]
    if function in WRITES:
        return _WRITE_BYTES
    if function == IDENTIFICATION:
        return _identification_bytes(data)
    raise NotModbus


def _identification_bytes(data: bytes) -> int | None:
    if len(data) < _OBJECTS_AT:
        return None
    end = _OBJECTS_AT
    for _ in range(data[_OBJECTS_AT - 1]):
        if len(data) < end + 2:
            return None
        end += 2 + data[end + 1]
    return end + 2


def _request_bytes(data: bytes) -> int | None:
    if len(data) <= _COUNT_AT:
        return None
    function = data[1]
    if function in READ_REPLIES or function in {5, 6}:
        return _WRITE_BYTES
    if function in WRITES:
        return None if len(data) <= _BLOCK_COUNT_AT else 9 + data[_BLOCK_COUNT_AT]
    if function == IDENTIFICATION:
        return 7
    raise NotModbus
