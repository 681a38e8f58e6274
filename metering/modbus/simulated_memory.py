"""What a simulated terminal keeps besides its live registers: clock, freezes, identity."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal

from metering.modbus.encode import encode
from metering.modbus.freezes import FreezeReader, freeze_reader, period_end
from metering.modbus.meter_clock import write_stamp
from metering.modbus.plan import byte_positions
from metering.modbus.profile_parts import CLOCK_REGISTERS, Freeze, Identity, Profile, Span
from metering.modbus.simulated_faults import Fault, FaultKind

Stretch = tuple[Span, bytes]
"""Registers and what they hold."""
Frozen = Callable[[float], dict[str, float]]
"""The counters as they stood at a time [s]; empty before the first day."""

MILLION = 1_000_000


def clock_ahead_s(faults: list[Fault], t: float) -> float:
    """How far a terminal's clock is ahead of ours at a time [s]."""
    return sum(
        fault.seconds + fault.ppm * (t - fault.since) / MILLION
        for fault in faults
        if fault.kind is FaultKind.CLOCK_DRIFT
    )


def clock_registers(profile: Profile, t: float, zone: tzinfo) -> Stretch | None:
    """The registers of the clock when it shows a time [s]; None if there is none."""
    clock = profile.clock
    if clock is None:
        return None
    at = datetime.fromtimestamp(t, UTC)
    data = write_stamp(clock.form, at, UTC if clock.zone == "utc" else zone)
    span = Span(clock.function, clock.address, clock.address + clock.size - 1)
    return span, data


def identity_registers(profile: Profile, serial: int) -> list[Stretch]:
    """The registers that say what this device is; a model's name as the profile expects it."""
    return [
        (Span(one.function, one.address, one.address + one.size - 1), _said(one, profile, serial))
        for one in profile.identity
    ]


def _said(one: Identity, profile: Profile, serial: int) -> bytes:
    size = 2 * one.size
    if one.type == "text":
        text = {"maker": profile.maker, "serial": str(serial), "firmware": "1.0"}.get(
            one.what, one.expect[0] if one.expect else profile.name
        )
        return text.encode("ascii", errors="replace")[:size].ljust(size, b"\0")
    number = int(one.expect[0]) if one.expect and one.expect[0].isdigit() else serial
    data = (number % (1 << 8 * size)).to_bytes(size, "big")
    return bytes(data[at] for at in byte_positions(one.order, size))


class Memory:
    """The frozen entries of one terminal, laid out when they are read."""

    def __init__(self, profile: Profile, *, pt: Decimal, ct: Decimal, zone: tzinfo) -> None:
        self._readers = [
            reader
            for freeze in profile.freezes
            if (reader := freeze_reader(profile, freeze.every)) is not None
        ]
        self._pt, self._ct, self._zone = pt, ct, zone

    def read(
        self, function: int, address: int, count: int, now: float, ahead_s: float, frozen: Frozen
    ) -> bytes | None:
        """Give registers of one freeze; None if they are of none.

        Args:
            function: Modbus function code.
            address: first register.
            count: how many.
            now: seconds since 1970-01-01 UTC [s].
            ahead_s: how far the terminal's clock is ahead [s].
            frozen: the counters at a time.
        """
        for reader in self._readers:
            freeze = reader.freeze
            last = freeze.entry_at(freeze.entries) + freeze.size - 1
            if Span(freeze.function, freeze.address, last).holds(
                function, address, address + count - 1
            ):
                return self._cut(reader, address, count, now + ahead_s, ahead_s, frozen)
        return None

    def _cut(
        self,
        reader: FreezeReader,
        address: int,
        count: int,
        shown: float,
        ahead_s: float,
        frozen: Frozen,
    ) -> bytes:
        freeze = reader.freeze
        image = bytearray(2 * count)
        for number in _entries(freeze, address, count):
            entry = self._entry(reader, number, shown, ahead_s, frozen)
            start = 2 * (freeze.entry_at(number) - address)
            for place, byte in enumerate(entry, start):
                if 0 <= place < len(image):
                    image[place] = byte
        return bytes(image)

    def _entry(
        self, reader: FreezeReader, number: int, shown: float, ahead_s: float, frozen: Frozen
    ) -> bytes:
        """One entry's bytes; all zero where the terminal was not there yet."""
        freeze = reader.freeze
        data = bytearray(2 * freeze.size)
        end = period_end(freeze.every, number, datetime.fromtimestamp(shown, self._zone))
        values = frozen((end - timedelta(seconds=ahead_s)).timestamp())
        if not values:
            return bytes(data)
        blocks = encode(reader.plan, values, pt=self._pt, ct=self._ct)
        for block, laid in zip(reader.plan.blocks, blocks, strict=True):
            data[2 * block.address : 2 * (block.address + block.count)] = laid
        begin = 2 * freeze.stamp_offset
        width = 2 * CLOCK_REGISTERS[freeze.stamp]
        data[begin : begin + width] = write_stamp(freeze.stamp, end, self._zone)
        return bytes(data)


def _entries(freeze: Freeze, address: int, count: int) -> Iterator[int]:
    first = (address - freeze.address) // freeze.stride + 1
    last = (address + count - 1 - freeze.address) // freeze.stride + 1
    yield from range(first, min(last, freeze.entries) + 1)
