"""Replies to values: one unpack per block, each value rounded to its quantity's resolution."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from struct import Struct
from typing import NamedTuple

from metering.modbus.errors import GarbledReply
from metering.modbus.plan import Layout, Plan
from metering.modbus.profile import Point
from metering.modbus.quantities import QUANTITIES, UNITS

Value = float | int | None

_INFINITY = float("inf")


class Rule(NamedTuple):
    """How one raw number becomes a value.

    A value is round(raw * up / down) steps; `steps_per_unit` of them are one unit. `down` is 0
    where raw is a float, and then `factor` is steps per raw one.
    """

    absent: frozenset[int | float] | None
    up: int
    down: int
    factor: float
    steps_per_unit: int


def decode(
    plan: Plan, replies: Sequence[bytes | None], *, pt: Decimal | int = 1, ct: Decimal | int = 1
) -> tuple[Value, ...]:
    """Turn the replies to a plan's blocks into values, one per column.

    Args:
        plan: the compiled profile.
        replies: data bytes of each block's reply in the plan's order, None where none came.
        pt: voltage transformer ratio [1].
        ct: current transformer ratio [1].

    Returns:
        One value per column in the quantity's canonical unit: whole numbers where its
        resolution is 1, else floats. None where no reply came, the terminal says "not
        available", or the number is none (NaN, infinity); never 0 instead.

    Raises:
        GarbledReply: a reply has another length than its block.
    """
    values: list[Value] = []
    rules_of_blocks = rules(plan, pt, ct)
    for layout, block_rules, reply in zip(plan.layouts, rules_of_blocks, replies, strict=True):
        if reply is None:
            values += [None] * len(layout.points)
        elif len(reply) != layout.block.payload_bytes:
            raise GarbledReply(why="length", got=len(reply), expected=layout.block.payload_bytes)
        elif layout.packer is None:
            _take_bits(layout, reply, values)
        else:
            data = bytes(layout.turn(reply)) if layout.turn else reply
            _take_numbers(layout.packer, data, block_rules, values)
    return tuple(values)


@lru_cache(maxsize=1024)
def rules(plan: Plan, pt: Decimal | int, ct: Decimal | int) -> tuple[tuple[Rule, ...], ...]:
    """Compile the scales of every block for one pair of ratios.

    Args:
        plan: the compiled profile.
        pt: voltage transformer ratio [1].
        ct: current transformer ratio [1].
    """
    return tuple(
        tuple(_rule(point, Fraction(pt), Fraction(ct)) for point in layout.points)
        for layout in plan.layouts
    )


def unit_per_raw(point: Point, pt: Fraction, ct: Fraction) -> Fraction:
    """Say how many canonical units one raw step of a point is, ratios included."""
    factor = Fraction(point.scale) * Fraction(UNITS[point.unit][1])
    if "pt" in point.ratio:
        factor *= pt
    if "ct" in point.ratio:
        factor *= ct
    return factor


def _rule(point: Point, pt: Fraction, ct: Fraction) -> Rule:
    steps_per_unit = QUANTITIES[point.quantity].steps_per_unit
    steps = unit_per_raw(point, pt, ct) * steps_per_unit
    is_float = point.type == "f32"
    return Rule(
        absent=_absent(point),
        up=steps.numerator,
        down=0 if is_float else steps.denominator,
        factor=float(steps),
        steps_per_unit=steps_per_unit,
    )


def _absent(point: Point) -> frozenset[int | float] | None:
    """The raw values, as unpacked, that mean "not available"."""
    if not point.absent:
        return None
    width = 16 * point.size
    if point.type == "f32":
        as_float = Struct(">f")
        return frozenset(as_float.unpack(raw.to_bytes(4, "big"))[0] for raw in point.absent)
    if point.type.startswith("i"):
        half = 1 << (width - 1)
        return frozenset(raw - 2 * half if raw >= half else raw for raw in point.absent)
    return frozenset(point.absent)


def _take_bits(layout: Layout, reply: bytes, values: list[Value]) -> None:
    bits = int.from_bytes(reply, "little")
    first = layout.block.address
    values += [(bits >> (point.address - first)) & 1 for point in layout.points]


def _take_numbers(
    packer: Struct, data: bytes, block_rules: tuple[Rule, ...], values: list[Value]
) -> None:
    add = values.append
    for raw, (absent, up, down, factor, steps_per_unit) in zip(
        packer.unpack(data), block_rules, strict=True
    ):
        if absent is not None and raw in absent:
            add(None)
            continue
        if down == 1:
            steps = raw * up
        elif down:
            steps = (2 * raw * up + down) // (2 * down)
        elif -_INFINITY < raw < _INFINITY:
            steps = round(raw * factor)
        else:
            add(None)
            continue
        add(steps if steps_per_unit == 1 else steps / steps_per_unit)
