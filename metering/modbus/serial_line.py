"""A serial line (RS-485): how it is set, and its bytes as a wire of a link.

The port is pymodbus' own transport over pyserial; frames, deadlines and the refusal of late
replies are the link's, the same as over TCP.
"""

import asyncio
import re
from dataclasses import dataclass
from typing import Literal, cast

from foundation.errors import BadData
from metering.modbus.wire import Owner, StreamWire, Wire

SLOWEST, FASTEST = 300, 921_600
SILENT_CHARACTERS = 3.5
LONGEST_CHARACTER_BITS = 11
FAST_BAUD = 19_200
FAST_SILENCE_S = 0.00175
_SAID = re.compile(r"([0-9]{3,6})[-/ ,]*([78])([NEO])([12])", re.IGNORECASE)

Parity = Literal["N", "E", "O"]


class LineWrong(BadData):
    """A serial line is not set as `9600-8E1`: baud, data bits, parity N E or O, stop bits."""

    code = "line_wrong"


@dataclass(frozen=True, slots=True)
class SerialLine:
    """How a serial line is set.

    Attributes:
        baud: speed [bit/s].
        bits: data bits of a character; RTU frames need 8.
    """

    baud: int
    bits: int
    parity: Parity
    stop_bits: int

    @classmethod
    def of(cls, said: str) -> "SerialLine":
        """Read `9600-8N1`, the usual notation.

        Raises:
            LineWrong: it is none, or no RTU frame fits its characters.
        """
        found = _SAID.fullmatch(said.strip())
        if found is None or not SLOWEST <= int(found[1]) <= FASTEST or found[2] != "8":
            raise LineWrong(said=said)
        return cls(int(found[1]), 8, cast("Parity", found[3].upper()), int(found[4]))

    def __str__(self) -> str:
        return f"{self.baud}-{self.bits}{self.parity}{self.stop_bits}"

    @property
    def silence_s(self) -> float:
        """Give the silence between two frames [s].

        Source: MODBUS over Serial Line V1.02, section 2.5.1.1: 3.5 characters, above
        19200 bit/s 1.75 ms.
        """
        if self.baud > FAST_BAUD:
            return FAST_SILENCE_S
        return SILENT_CHARACTERS * LONGEST_CHARACTER_BITS / self.baud


class SerialWire(StreamWire):
    """The bytes of a serial port, from opening to closing."""

    def __init__(self, owner: Owner) -> None:
        super().__init__(owner, is_rtu=True)
        self.made = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        super().connection_made(transport)
        self.made.set()

    def drop(self) -> None:
        """Close at once; this transport tells nobody of its own end."""
        super().drop()
        self.gone.set()


async def open_serial(owner: Owner, device: str, line: SerialLine) -> Wire:
    """Open a serial port, for nobody else.

    Raises:
        OSError: there is no such device, or somebody else has it.
    """
    from pymodbus.transport.serialtransport import (
        create_serial_connection,
    )

    loop = asyncio.get_running_loop()
    _, wire = await create_serial_connection(
        loop,
        lambda: SerialWire(owner),
        device,
        baudrate=line.baud,
        bytesize=line.bits,
        parity=line.parity,
        stopbits=line.stop_bits,
        timeout=0,
    )
    made = cast("SerialWire", wire)
    await made.made.wait()
    return made
