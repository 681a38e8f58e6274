"""Control points: what to write, what must be read back, and which quantity proves it."""

from collections.abc import Mapping
from dataclasses import dataclass

from foundation.errors import Refused
from metering.modbus.decode import Value
from metering.modbus.plan import Block, byte_positions
from metering.modbus.profile_parts import REGISTERS, Control, Order


class NoSuchCommand(Refused):
    """A control point does not know this command; facts: control, command."""

    code = "no_such_command"


@dataclass(frozen=True, slots=True)
class Write:
    """One write: function code 5, 6, 15 or 16, first address, and the registers or bits."""

    function: int
    address: int
    values: tuple[int, ...]


def control_write(control: Control, command: str) -> Write:
    """Say what to send for a command.

    Raises:
        NoSuchCommand: the control point has no such command.
    """
    raw = control.write.get(command)
    if raw is None:
        raise NoSuchCommand(control=control.name, command=command)
    if control.type == "bit":
        return Write(control.function, control.address, (raw,))
    size = 2 * REGISTERS[control.type]
    sent = _turned(raw.to_bytes(size, "big"), control.order)
    words = tuple(int.from_bytes(sent[at : at + 2], "big") for at in range(0, size, 2))
    return Write(control.function, control.address, words)


def read_back(control: Control) -> Block:
    """Say what to read to see the last command."""
    return Block(control.read.function, control.read.address, REGISTERS[control.read.type])


def command_shown(control: Control, data: bytes) -> str | None:
    """Say which command the terminal shows; None if it shows none of them.

    Args:
        control: the control point.
        data: the data bytes of the reply to `read_back`.
    """
    if control.read.type == "bit":
        raw = data[0] & 1
    else:
        raw = int.from_bytes(_turned(data, control.read.order), "big")
    return next((name for name, expected in control.expect.items() if expected == raw), None)


def shown_by(control: Control, command: str) -> bytes:
    """Give the data bytes a terminal answers to `read_back` after a command."""
    raw = control.expect[command]
    if control.read.type == "bit":
        return bytes((raw & 1,))
    size = 2 * REGISTERS[control.read.type]
    return _turned(raw.to_bytes(size, "big"), control.read.order)


def is_proved(control: Control, command: str, values: Mapping[str, Value]) -> bool | None:
    """Whether measured values prove that a command took effect.

    Args:
        control: the control point.
        command: what was ordered.
        values: a reading taken afterwards, by quantity.

    Returns:
        None if this control point has no proof of this command, or a value is unknown.
    """
    proof = control.proof
    if proof is None or proof.command != command:
        return None
    measured = [values.get(name) for name in proof.quantities]
    known = [abs(value) for value in measured if value is not None]
    if any(value > proof.at_most for value in known):
        return False
    return True if len(known) == len(measured) else None


def _turned(data: bytes, order: Order) -> bytes:
    return bytes(data[at] for at in byte_positions(order, len(data)))
