"""A terminal's own clock: the registers of a date and time, and how far it stands from ours."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import chain
from struct import Struct

from foundation.errors import Refused
from metering.modbus.plan import Block
from metering.modbus.profile_parts import CLOCK_REGISTERS, Clock, ClockForm, Profile

CENTURY = 2000
_SECONDS = Struct(">I")
_MINUTE_MS = 60_000
NO_TIME = 0xFFFFFFFF
"""What a clock that was never set shows [s]."""


class ClockNotSettable(Refused):
    """This model's clock cannot be set over Modbus as far as its profile knows; facts: profile."""

    code = "clock_not_settable"


@dataclass(frozen=True, slots=True)
class ClockReading:
    """What a terminal's clock said, and when we asked.

    Attributes:
        shown: what it said, aware; None if that is no date.
        asked_at: our time halfway between question and answer, aware.
    """

    shown: datetime | None
    asked_at: datetime

    @property
    def drift_s(self) -> float | None:
        """How far the terminal is ahead of us; negative if it is behind [s]."""
        return None if self.shown is None else (self.shown - self.asked_at).total_seconds()


def clock_block(profile: Profile) -> Block | None:
    """What to read for the clock; None if this model has none we know of."""
    clock = profile.clock
    return None if clock is None else Block(clock.function, clock.address, clock.size)


def clock_shown(clock: Clock, data: bytes, zone: tzinfo) -> datetime | None:
    """Say what a terminal's clock shows.

    Args:
        clock: of its profile.
        data: the data bytes of the reply.
        zone: the terminal's local time.

    Returns:
        An aware instant, or None if the registers hold no date.
    """
    return read_stamp(clock.form, data, UTC if clock.zone == "utc" else zone)


def clock_words(profile: Profile, at: datetime, zone: tzinfo) -> tuple[int, ...]:
    """Give the registers to write, in one request of function 16, that set the clock.

    Args:
        profile: of the terminal.
        at: the time to set, aware.
        zone: the terminal's local time.

    Raises:
        ClockNotSettable: the profile does not say how.
    """
    clock = profile.clock
    if clock is None or not clock.settable:
        raise ClockNotSettable(profile=profile.name)
    data = write_stamp(clock.form, at, UTC if clock.zone == "utc" else zone)
    return tuple(int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2))


def read_stamp(form: ClockForm, data: bytes, zone: tzinfo) -> datetime | None:
    """Take a date and time out of registers; None if they hold none (month 0, all ones, ...).

    Args:
        form: how it is packed.
        data: as many bytes as the form takes.
        zone: local time of what is written there; `unix` is UTC whatever it is.
    """
    if len(data) != 2 * CLOCK_REGISTERS[form]:
        return None
    try:
        if form == "unix":
            (seconds,) = _SECONDS.unpack(data)
            return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < NO_TIME else None
        year, month, day, hour, minute, second, micro = _parts(form, data)
        return datetime(year, month, day, hour, minute, second, micro, tzinfo=zone)
    except ValueError:
        return None


def write_stamp(form: ClockForm, at: datetime, zone: tzinfo) -> bytes:
    """Pack a date and time into registers; the inverse of `read_stamp`, to the form's fineness.

    Args:
        form: how it is packed.
        at: aware; its year within 2000 and 2099.
        zone: local time of what is written there.
    """
    if form == "unix":
        return _SECONDS.pack(int(at.timestamp()))
    local = at.astimezone(zone)
    year = local.year - CENTURY
    parts: tuple[int, ...] = (year, local.month, local.day, local.hour, local.minute, local.second)
    if form in {"ymdhms_bytes", "ymdh_bytes"}:
        return bytes(parts[: 2 * CLOCK_REGISTERS[form]])
    if form == "datetime":
        ms = local.second * 1000 + local.microsecond // 1000
        words: tuple[int, ...] = (
            year,
            local.month << 8 | local.day,
            local.hour << 8 | local.minute,
            ms,
        )
    else:
        words = (local.year, *parts[1:])
        words = words if form == "ymdhms_words" else words[::-1]
    return b"".join(word.to_bytes(2, "big") for word in words)


def whole_second(at: datetime) -> datetime:
    """The next whole second: what to write so that the clock is right when it is written."""
    return at.replace(microsecond=0) + timedelta(seconds=1) if at.microsecond else at


def _parts(form: ClockForm, data: bytes) -> tuple[int, int, int, int, int, int, int]:
    if form in {"ymdhms_bytes", "ymdh_bytes"}:
        year, month, day, hour, minute, second = chain(data, (0,) * (6 - len(data)))
        return CENTURY + year, month, day, hour, minute, second, 0
    words = [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]
    if form == "datetime":
        return _datetime(words)
    year, month, day, hour, minute, second = words if form == "ymdhms_words" else words[::-1]
    return year if year >= CENTURY else CENTURY + year, month, day, hour, minute, second, 0


def _datetime(words: list[int]) -> tuple[int, int, int, int, int, int, int]:
    """Schneider's DATETIME: year; month and day; hour and minute; milliseconds.

    Source: iEM3100 / iEM3200 / iEM3300 user manual DOCA0005EN, "DATETIME format" (after
    IEC 60870-5-4).
    """
    second, ms = divmod(words[3], 1000)
    if words[0] >> 8 or words[3] >= _MINUTE_MS:
        raise ValueError("no DATETIME")
    return (
        CENTURY + (words[0] & 0x7F),
        words[1] >> 8 & 0x0F,
        words[1] & 0x1F,
        words[2] >> 8 & 0x1F,
        words[2] & 0x3F,
        second,
        ms * 1000,
    )
