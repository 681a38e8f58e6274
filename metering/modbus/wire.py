"""The side of a link that meets the bytes: frames out, one receive buffer for all connections."""

import asyncio
from typing import Protocol, cast

from metering.modbus.mbap import NotModbus, Unframer, parted, receive_buffer
from metering.modbus.rtu import RtuUnframer


class Owner(Protocol):
    """Who wants the frames of a wire."""

    def take(self, transaction: int, unit: int, head: int, data: bytes) -> None:
        """A whole frame arrived; `head` is the first two bytes of its PDU, `data` the others."""

    def broken(self, wire: "Wire") -> None:
        """The stream is no Modbus any more."""

    def lost(self, wire: "Wire") -> None:
        """The connection is gone."""


class Wire(asyncio.BufferedProtocol):
    """One connection of a link, from connect to gone.

    Attributes:
        transport: where requests are written; there from the moment of connecting.
        gone: set when the connection has ended.
    """

    transport: asyncio.Transport

    def __init__(self, owner: Owner, *, is_rtu: bool = False) -> None:
        self.gone = asyncio.Event()
        self.is_dropped = False
        self.unframer: Unframer | RtuUnframer = RtuUnframer() if is_rtu else Unframer()
        self._owner = owner
        self._buffer = receive_buffer()
        self._view = memoryview(self._buffer)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> bytearray | memoryview:
        """Lend the thread's buffer for one receive."""
        del sizehint
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Cut what came into frames and hand them on, as long as anyone wants them."""
        try:
            only = self.unframer.whole(self._view, nbytes)
            if only is not None:
                if not self.is_dropped:
                    transaction, unit, head, data = only
                    self._owner.take(transaction, unit, head, data)
                return
            for transaction, unit, pdu in self.unframer.feed(bytes(self._view[:nbytes])):
                if self.is_dropped:
                    return
                self._owner.take(transaction, unit, *parted(pdu))
        except NotModbus:
            if not self.is_dropped:
                self._owner.broken(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the owner, unless it let go first."""
        del exc
        self.gone.set()
        if not self.is_dropped:
            self._owner.lost(self)

    def drop(self) -> None:
        """Close at once; the owner hears nothing of this connection any more."""
        self.is_dropped = True
        self.transport.abort()


class TlsWire(Wire):
    """A connection inside TLS."""

    def get_buffer(self, sizehint: int) -> memoryview:
        """Lend a view: asyncio fills it slice by slice, and a slice of an array is a copy."""
        del sizehint
        return self._view
