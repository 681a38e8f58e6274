"""What a terminal has kept of itself: which entries to ask for, and what they say."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal

from metering.modbus.decode import Value, decode
from metering.modbus.errors import GarbledReply
from metering.modbus.meter_clock import read_stamp
from metering.modbus.plan import Block, Plan, plan_of
from metering.modbus.profile_parts import (
    CLOCK_REGISTERS,
    Freeze,
    FreezePoint,
    Period,
    Point,
    Profile,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One frozen entry.

    Attributes:
        number: 1 is the newest the terminal has.
        at: the instant its counters show, by the terminal's own stamp.
        values: by quantity, in canonical units; None is "not available".
    """

    number: int
    at: datetime
    values: dict[str, Value]


@dataclass(frozen=True, slots=True, eq=False)
class FreezeReader:
    """A compiled freeze: ask for `blocks_of(numbers)`, hand each reply to `entries`."""

    freeze: Freeze
    plan: Plan
    per_request: int

    def blocks_of(self, first: int, last: int) -> list[tuple[Block, range]]:
        """Give the reads that bring entries first to last, and which entries each brings.

        Args:
            first: the newest wanted, from 1.
            last: the oldest wanted.

        Raises:
            ValueError: the terminal keeps no such entries.
        """
        freeze = self.freeze
        if not 1 <= first <= last <= freeze.entries:
            raise ValueError(f"entries {first} to {last} of {freeze.entries}")
        reads = []
        for start in range(first, last + 1, self.per_request):
            numbers = range(start, min(start + self.per_request, last + 1))
            count = freeze.stride * (len(numbers) - 1) + freeze.size
            reads.append((Block(freeze.function, freeze.entry_at(start), count), numbers))
        return reads

    def entries(
        self,
        numbers: Sequence[int],
        reply: bytes,
        *,
        zone: tzinfo,
        pt: Decimal | int = 1,
        ct: Decimal | int = 1,
    ) -> Iterator[Entry]:
        """Give the entries of one reply; those never written are left out.

        Args:
            numbers: as `blocks_of` gave them.
            reply: the data bytes.
            zone: the terminal's local time.
            pt: voltage transformer ratio [1].
            ct: current transformer ratio [1].

        Raises:
            GarbledReply: the reply has another length.
        """
        freeze = self.freeze
        expected = 2 * (freeze.stride * (len(numbers) - 1) + freeze.size)
        if len(reply) != expected:
            raise GarbledReply(why="length", got=len(reply), expected=expected)
        for place, number in enumerate(numbers):
            start = 2 * freeze.stride * place
            data = reply[start : start + 2 * freeze.size]
            begin = 2 * freeze.stamp_offset
            stamp = data[begin : begin + 2 * CLOCK_REGISTERS[freeze.stamp]]
            at = read_stamp(freeze.stamp, stamp, zone)
            if at is None:
                continue
            parts = [
                data[2 * block.address : 2 * (block.address + block.count)]
                for block in self.plan.blocks
            ]
            values = decode(self.plan, parts, pt=pt, ct=ct)
            yield Entry(number, at, dict(zip(self.plan.columns, values, strict=True)))


def freeze_reader(profile: Profile, every: Period) -> FreezeReader | None:
    """Compile what a profile says of one period's freezes; None if it keeps none."""
    freeze = profile.freeze(every)
    if freeze is None:
        return None
    points = tuple(_point(freeze, point) for point in freeze.points)
    entry = replace(profile, points=points, marks=())  # addresses count from an entry's first
    fit = 1 + max(0, profile.max_registers - freeze.size) // freeze.stride
    return FreezeReader(freeze, plan_of(entry, [points]), fit)


def entry_number(every: Period, at: datetime, now: datetime) -> int:
    """Say which entry shows an instant, 1 the newest.

    Args:
        every: the period, whose ends are local.
        at: a period's end, in the terminal's local time.
        now: aware, in the same zone.

    Returns:
        The number, below 1 if that period has not ended yet.
    """
    if every == "month":
        return 12 * (now.year - at.year) + now.month - at.month + 1
    if every == "day":
        return (now.date() - at.date()).days + 1
    length_s = {"quarter": 900, "hour": 3600}[every]
    return int(now.timestamp() // length_s - at.timestamp() // length_s) + 1


def period_end(every: Period, number: int, now: datetime) -> datetime:
    """Say which instant an entry shows; the inverse of `entry_number`.

    Args:
        every: the period.
        number: 1 is the period that ended last.
        now: aware, in the terminal's local time.
    """
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if every == "month":
        months = 12 * midnight.year + midnight.month - number
        return midnight.replace(year=months // 12, month=months % 12 + 1, day=1)
    if every == "day":
        return midnight - timedelta(days=number - 1)
    length_s = {"quarter": 900, "hour": 3600}[every]
    end_s = (now.timestamp() // length_s - (number - 1)) * length_s
    return datetime.fromtimestamp(end_s, now.tzinfo)


def _point(freeze: Freeze, point: FreezePoint) -> Point:
    return Point(
        quantity=point.quantity,
        function=freeze.function,
        address=point.offset,
        type=point.type,
        unit=point.unit,
        scale=point.scale,
        order=point.order,
        absent=point.absent,
        ratio=point.ratio,
    )
