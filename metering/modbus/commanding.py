"""Carrying out a command on the wire: write once, read back, say what the terminal shows."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import StrEnum

from foundation.errors import GridhallError, Refused
from metering.modbus.controls import Write, command_shown, control_write, read_back
from metering.modbus.errors import ExceptionReply, NotSent
from metering.modbus.lanes import Priority
from metering.modbus.link import Link
from metering.modbus.meter_clock import (
    ClockNotSettable,
    ClockReading,
    clock_block,
    clock_shown,
    clock_words,
    whole_second,
)
from metering.modbus.profile_parts import Control, Profile

LOOK_EVERY_S = 0.5
WRITE_REGISTERS = 16

Gate = Callable[[], Awaitable[None]]
"""Asked at the last moment before the write; raises what forbids it."""


class NotShown(Refused):
    """The terminal took the command and goes on showing another; facts: shown."""

    code = "command_not_shown"


class CommandState(StrEnum):
    """What became of a command."""

    CONFIRMED = "confirmed"
    """The terminal shows it."""
    FAILED = "failed"
    """It was not sent, or refused, or the terminal shows another."""
    UNKNOWN = "unknown"
    """It was sent, and nobody knows whether it was taken."""


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What became of a command.

    Attributes:
        shown: the command the terminal showed last; None if it showed none or said nothing.
        error: what went wrong, if anything did.
        sent_at: when the write left, aware; None if it never did.
        done_at: when this was known, aware.
    """

    state: CommandState
    shown: str | None
    error: GridhallError | None
    sent_at: datetime | None
    done_at: datetime


async def carry_out(
    link: Link, unit: int, control: Control, command: str, *, gate: Gate, timeout_s: float
) -> CommandResult:
    """Send a command once and read back until it shows or the control's time is over.

    A command that shows already is confirmed without a write. Nothing is ever written twice:
    after a write without its confirmation only reading back can tell.

    Args:
        link: to the terminal; its owner calls this.
        unit: unit identifier.
        control: of the terminal's profile.
        command: one of the control's.
        gate: looks at approval, expiry and the never-cut mark once more; raises to forbid.
        timeout_s: patience for each request [s].

    Raises:
        NoSuchCommand: the control point does not know the command.
    """
    write = control_write(control, command)
    try:
        if await _shown(link, unit, control, timeout_s) == command:
            return _result(CommandState.CONFIRMED, command, None, None)
        await gate()
    except GridhallError as error:
        return _result(CommandState.FAILED, None, error, None)
    sent_at = datetime.now(UTC)
    lost = await _written(link, unit, write, timeout_s)
    if isinstance(lost, NotSent):
        return _result(CommandState.FAILED, None, lost, None)
    if isinstance(lost, ExceptionReply):
        return _result(CommandState.FAILED, None, lost, sent_at)
    return await _settled(link, unit, control, command, (sent_at, lost, timeout_s))


async def read_clock(
    link: Link, unit: int, profile: Profile, zone: tzinfo, *, timeout_s: float
) -> ClockReading | None:
    """Read a terminal's clock; None if its profile knows of none.

    Raises:
        LinkDown, UnitResting, NoReply, ExceptionReply, GarbledReply: as `Link.read`.
    """
    block = clock_block(profile)
    if block is None or profile.clock is None:
        return None
    begin = datetime.now(UTC)
    data = await link.read(unit, block, timeout_s=timeout_s, priority=Priority.POLL)
    half = (datetime.now(UTC) - begin) / 2
    return ClockReading(clock_shown(profile.clock, data, zone), begin + half)


async def set_clock(
    link: Link, unit: int, profile: Profile, zone: tzinfo, *, timeout_s: float
) -> ClockReading:
    """Set a terminal's clock to ours, on the whole second, and read it back.

    Raises:
        ClockNotSettable: the profile does not say how.
        LinkDown, UnitResting, NoReply, ExceptionReply, GarbledReply: as `Link.read`.
    """
    at = whole_second(datetime.now(UTC))
    words = clock_words(profile, at, zone)
    await asyncio.sleep((at - datetime.now(UTC)).total_seconds())
    if profile.clock is None:
        raise ClockNotSettable(profile=profile.name)
    write = Write(WRITE_REGISTERS, profile.clock.address, words)
    await link.write(unit, write, timeout_s=timeout_s)
    reading = await read_clock(link, unit, profile, zone, timeout_s=timeout_s)
    return reading or ClockReading(None, at)


async def _written(link: Link, unit: int, write: Write, timeout_s: float) -> GridhallError | None:
    try:
        await link.write(unit, write, timeout_s=timeout_s, priority=Priority.CONTROL)
    except GridhallError as error:
        return error
    return None


async def _shown(link: Link, unit: int, control: Control, timeout_s: float) -> str | None:
    block = read_back(control)
    data = await link.read(unit, block, timeout_s=timeout_s, priority=Priority.CONTROL)
    return command_shown(control, data)


async def _settled(
    link: Link,
    unit: int,
    control: Control,
    command: str,
    sent: tuple[datetime, GridhallError | None, float],
) -> CommandResult:
    """Read back until the command shows, or its time is over."""
    sent_at, error, timeout_s = sent
    loop = asyncio.get_running_loop()
    until = loop.time() + control.settles_s
    shown: str | None = None
    lost: GridhallError | None = None
    while True:
        try:
            shown, lost = await _shown(link, unit, control, timeout_s), None
        except GridhallError as failed:
            lost = failed
        if shown == command and lost is None:
            return _result(CommandState.CONFIRMED, shown, error, sent_at)
        if loop.time() + LOOK_EVERY_S > until:
            break
        await asyncio.sleep(LOOK_EVERY_S)
    if lost is None and shown is not None:
        return _result(CommandState.FAILED, shown, error or NotShown(shown=shown), sent_at)
    return _result(CommandState.UNKNOWN, shown, lost or error, sent_at)


def _result(
    state: CommandState,
    shown: str | None,
    error: GridhallError | None,
    sent_at: datetime | None,
) -> CommandResult:
    return CommandResult(state, shown, error, sent_at, datetime.now(UTC))
