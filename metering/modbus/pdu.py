"""Requests and their answers, without what carries them: reads, writes, identification.

Source: MODBUS Application Protocol Specification V1.1b3, section 6.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from struct import Struct

from metering.modbus.controls import Write

_READ = Struct(">BHH")
_BLOCK_WRITE = Struct(">BHHB")
_HEAD = Struct(">BBBBBB")
COIL_ON = 0xFF00
SINGLE_COIL, SINGLE_REGISTER, COILS, REGISTERS_WRITE = 5, 6, 15, 16
IDENTIFICATION, READ_DEVICE_ID = 0x2B, 0x0E
BASIC, INDIVIDUAL = 1, 4
STREAM_BASIC = 0x81
"""Conformity level: basic objects, as a stream or one by one."""
MORE_FOLLOWS = 0xFF


@dataclass(frozen=True, slots=True)
class Objects:
    """What one reply of function 43/14 told; `next_object` is None where nothing follows."""

    texts: Mapping[int, bytes]
    next_object: int | None


def write_pdu(write: Write) -> bytes:
    """The request that writes; registers and coils as the function wants them."""
    function, values = write.function, write.values
    if function == SINGLE_COIL:
        return _READ.pack(function, write.address, COIL_ON if values[0] else 0)
    if function == SINGLE_REGISTER:
        return _READ.pack(function, write.address, values[0])
    data = _bits(values) if function == COILS else b"".join(v.to_bytes(2, "big") for v in values)
    return _BLOCK_WRITE.pack(function, write.address, len(values), len(data)) + data


def write_echo(write: Write) -> bytes:
    """The one answer that says a write was taken."""
    if write.function in {SINGLE_COIL, SINGLE_REGISTER}:
        return write_pdu(write)
    return _READ.pack(write.function, write.address, len(write.values))


def parse_write(pdu: bytes) -> Write | None:
    """Take a request to write apart; None if it contradicts itself."""
    if len(pdu) < _READ.size:
        return None
    function, address, number = _READ.unpack_from(pdu)
    if function in {SINGLE_COIL, SINGLE_REGISTER}:
        if len(pdu) != _READ.size or (function == SINGLE_COIL and number not in {0, COIL_ON}):
            return None
        return Write(function, address, (number // COIL_ON if function == SINGLE_COIL else number,))
    data = pdu[_BLOCK_WRITE.size :]
    wanted = (number + 7) // 8 if function == COILS else 2 * number
    if len(pdu) <= _BLOCK_WRITE.size or not pdu[_READ.size] == len(data) == wanted or not number:
        return None
    if function == COILS:
        bits = int.from_bytes(data, "little")
        return Write(function, address, tuple(bits >> place & 1 for place in range(number)))
    return Write(function, address, words_of(data))


def words_of(data: bytes) -> tuple[int, ...]:
    """Registers as numbers."""
    return tuple(int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2))


def identification_pdu(first_object: int = 0) -> bytes:
    """The request for the basic objects of function 43/14, from one on."""
    return bytes((IDENTIFICATION, READ_DEVICE_ID, BASIC, first_object))


def identification_reply(objects: Mapping[int, bytes], asked: bytes) -> bytes | None:
    """The answer to a request of function 43/14; None if it asks for what there is not."""
    if len(asked) != 4 or asked[1] != READ_DEVICE_ID or asked[2] not in {BASIC, INDIVIDUAL}:  # noqa: PLR2004  function, type, category, object
        return None
    wanted = (
        [number for number in sorted(objects) if number >= asked[3]]
        if asked[2] == BASIC
        else [asked[3]]
    )
    if not wanted or wanted[0] not in objects:
        return None
    head = _HEAD.pack(IDENTIFICATION, READ_DEVICE_ID, asked[2], STREAM_BASIC, 0, 0)
    body = b"".join(bytes((number, len(objects[number]))) + objects[number] for number in wanted)
    return head + bytes((len(wanted),)) + body


def parse_identification(pdu: bytes) -> Objects | None:
    """Take an answer of function 43/14 apart; None if it contradicts itself."""
    if len(pdu) <= _HEAD.size or pdu[1] != READ_DEVICE_ID:
        return None
    texts: dict[int, bytes] = {}
    at = _HEAD.size + 1
    for _ in range(pdu[_HEAD.size]):
        if len(pdu) < at + 2 or len(pdu) < at + 2 + pdu[at + 1]:
            return None
        texts[pdu[at]] = pdu[at + 2 : at + 2 + pdu[at + 1]]
        at += 2 + pdu[at + 1]
    if at != len(pdu):
        return None
    return Objects(texts, pdu[5] if pdu[4] == MORE_FOLLOWS else None)


def _bits(values: Sequence[int]) -> bytes:
    bits = sum(value << place for place, value in enumerate(values))
    return bits.to_bytes((len(values) + 7) // 8, "little")
