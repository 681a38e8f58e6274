"""Modbus TCP frames: the header, the limits, and taking frames out of a stream.

Source: MODBUS Messaging on TCP/IP Implementation Guide V1.0b, section 3.1.3 (MBAP header).
"""

import threading
from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

HEADER = Struct(">HHHB")
"""Transaction, protocol (0), length of what follows it, unit."""
REPLY = Struct(">HHHBH")
"""Header and the first two bytes of the PDU."""
READ_REQUEST = Struct(">HIB5s")
"""A whole read request: transaction, READ_LENGTH, unit, and the PDU."""
READ_LENGTH = 6
"""Protocol (0) and length of every read request, as one number."""
READ_BODY = Struct(">HH")
"""A read request's address and count."""

LENGTH_AT = 6
"""Bytes of the header before the stretch that its length counts."""
SHORTEST = 3
"""Unit, function and one byte: nothing valid is shorter."""
LONGEST = 254
"""Unit and a PDU of 253 bytes: nothing valid is longer."""
EXCEPTION_FLAG = 0x80

_BUFFER_BYTES = 64 * 1024
_of_thread = threading.local()


class Frame(NamedTuple):
    """One frame: transaction, unit, and the PDU (function and data)."""

    transaction: int
    unit: int
    pdu: bytes


class NotModbus(Exception):
    """The stream cannot be Modbus TCP from here on: the connection is of no more use."""


class Unframer:
    """Cuts a byte stream into frames; what is left over waits for the next bytes.

    Attributes:
        left: the beginning of a frame that has not ended yet.
    """

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = b""

    @property
    def holds_part(self) -> bool:
        """Whether a frame has begun and not ended."""
        return bool(self.left)

    def whole(self, received: bytes) -> tuple[int, int, int, bytes] | None:
        """Give transaction, unit and the parts of the PDU if what came is one whole frame.

        That is the usual case. None says nothing about what came: then `feed` it.
        """
        size = len(received)
        if self.left or size < REPLY.size:
            return None
        transaction, protocol, length, unit, head = REPLY.unpack_from(received)
        if protocol or length != size - LENGTH_AT or not SHORTEST <= length <= LONGEST:
            return None
        return transaction, unit, head, received[REPLY.size :]

    def feed(self, received: bytes) -> Iterator[Frame]:
        """Give every whole frame.

        Raises:
            NotModbus: the protocol is not 0, or the length is impossible.
        """
        data = self.left + received if self.left else received
        at, end = 0, len(data)
        self.left = b""
        while end - at > LENGTH_AT:
            transaction, protocol, length, unit = HEADER.unpack_from(data, at)
            if protocol or not SHORTEST <= length <= LONGEST:
                raise NotModbus
            stop = at + LENGTH_AT + length
            if stop > end:
                break
            yield Frame(transaction, unit, data[at + HEADER.size : stop])
            at = stop
        self.left = data[at:]


def parted(pdu: bytes) -> tuple[int, bytes]:
    """Give the first two bytes of a PDU as one number, and the others."""
    return int.from_bytes(pdu[:2], "big"), pdu[2:]


def joined(head: int, data: bytes) -> bytes:
    """Give the PDU its parts came from."""
    return head.to_bytes(2, "big") + data


def receive_buffer() -> bytearray:
    """The one buffer all connections of a thread receive into.

    An event loop fills it and hands it over before it turns to the next connection, so a
    second connection never finds the first one's bytes in it.
    """
    buffer: bytearray | None = getattr(_of_thread, "buffer", None)
    if buffer is None:
        buffer = _of_thread.buffer = bytearray(_BUFFER_BYTES)
    return buffer
