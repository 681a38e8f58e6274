"""Replies as a simulated terminal frames them, whole or spoilt on order."""

from collections.abc import Callable, Mapping

from metering.modbus.mbap import HEADER, Frame
from metering.modbus.rtu import READ_REPLIES, framed_rtu
from metering.modbus.simulated_faults import Fault, FaultKind
from metering.modbus.simulated_unit import Framing

IMPOSSIBLE_LENGTH = 0xFFFF
IMPOSSIBLE_COUNT = 0xFF
_HOLDING, _INPUT = 3, 4

Spoil = Callable[[Frame, bytes, Framing], bytes | None]


def framed(frame: Frame, pdu: bytes, framing: Framing) -> bytes:
    """Frame an answer to a request."""
    if framing == "rtu":
        return framed_rtu(frame.unit, pdu)
    return HEADER.pack(frame.transaction, 0, len(pdu) + 1, frame.unit) + pdu


def spoilt(
    frame: Frame, pdu: bytes, faults: Mapping[FaultKind, Fault], framing: Framing
) -> bytes | None:
    """The reply spoilt as ordered, or None if it is to be whole."""
    for kind, spoil in _SPOILS.items():
        if kind in faults:
            return spoil(frame, pdu, framing)
    return None


def _truncated(frame: Frame, pdu: bytes, framing: Framing) -> bytes:
    whole = framed(frame, pdu, framing)
    return whole[: len(whole) // 2]


def _duplicate(frame: Frame, pdu: bytes, framing: Framing) -> bytes:
    return 2 * framed(frame, pdu, framing)


def _crc_error(frame: Frame, pdu: bytes, framing: Framing) -> bytes | None:
    if framing == "mbap":
        return None  # the gateway has said so with an exception
    whole = framed(frame, pdu, framing)
    return whole[:-1] + bytes((whole[-1] ^ 0x55,))


def _wrong_transaction(frame: Frame, pdu: bytes, framing: Framing) -> bytes:
    return framed(frame._replace(transaction=frame.transaction ^ 0x8000), pdu, framing)


def _wrong_unit(frame: Frame, pdu: bytes, framing: Framing) -> bytes:
    return framed(frame._replace(unit=(frame.unit + 1) & 0xFF), pdu, framing)


def _wrong_function(frame: Frame, pdu: bytes, framing: Framing) -> bytes:
    other = _INPUT if pdu[0] == _HOLDING else _HOLDING
    return framed(frame, bytes((other,)) + pdu[1:], framing)


def _wrong_count(frame: Frame, pdu: bytes, framing: Framing) -> bytes | None:
    """One register more than asked for, or less where there is no room for one more."""
    if pdu[0] not in READ_REPLIES:
        return None
    data = pdu[2:] + b"\0\0" if len(pdu) < 2 * 125 else pdu[2:-2]
    return framed(frame, bytes((pdu[0], len(data))) + data, framing)


def _huge_length(frame: Frame, pdu: bytes, framing: Framing) -> bytes:
    if framing == "rtu":
        return bytes((frame.unit, pdu[0], IMPOSSIBLE_COUNT)) + pdu[2:]
    return HEADER.pack(frame.transaction, 0, IMPOSSIBLE_LENGTH, frame.unit) + pdu


_SPOILS: Mapping[FaultKind, Spoil] = {
    FaultKind.TRUNCATED: _truncated,
    FaultKind.DUPLICATE: _duplicate,
    FaultKind.CRC_ERROR: _crc_error,
    FaultKind.WRONG_TRANSACTION: _wrong_transaction,
    FaultKind.WRONG_UNIT: _wrong_unit,
    FaultKind.WRONG_FUNCTION: _wrong_function,
    FaultKind.WRONG_COUNT: _wrong_count,
    FaultKind.HUGE_LENGTH: _huge_length,
}
"""The first of these that holds wins."""
