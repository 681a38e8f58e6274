"""Replies to values: one unpack per block, each value rounded to its quantity's resolution."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from struct import Struct
from typing import NamedTuple

from metering.modbus.errors import GarbledReply
from metering.modbus.plan import Layout, Plan
from metering.modbus.profile_parts import Point
from metering.modbus.quantities import QUANTITIES, UNITS

Value = float | int | None

HIGHEST_EXPONENT = 10
MOST_STEPS = 2**63 - 1
"""Beyond this a number is nothing anybody measured, and no column holds it [steps]."""
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
        available" (of the value or of its scale factor), or the number is none (NaN, infinity,
        beyond 64 bits); never 0 instead.

    Raises:
        GarbledReply: a reply has another length than its block, or a register that never
            changes holds another value than the profile says.
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
            raws = layout.packer.unpack(bytes(layout.turn(reply)) if layout.turn else reply)
            if layout.picks is None:
                _take_numbers(raws, block_rules, values)
            else:
                _take_picked(layout, raws, (pt, ct), values)
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


def _rule(point: Point, pt: Fraction, ct: Fraction, exponent: int = 0) -> Rule:
    steps_per_unit = QUANTITIES[point.quantity].steps_per_unit
    steps = unit_per_raw(point, pt, ct) * steps_per_unit * Fraction(10) ** exponent
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


def _take_picked(
    layout: Layout,
    raws: Sequence[int | float],
    ratios: tuple[Decimal | int, Decimal | int],
    values: list[Value],
) -> None:
    """Take the points of a block that holds scale factors, marks or coded numbers."""
    for number, expected in layout.marks:
        if raws[number] != expected:
            raise GarbledReply(why="mark", got=raws[number], expected=expected)
    exponents = tuple(raws[number] if number >= 0 else 0 for number in layout.factors)
    found = _rules_at(layout, *ratios, exponents)
    for point, number, rule in zip(layout.points, layout.picks or (), found, strict=True):
        raw = raws[number]
        if rule is None:
            values.append(None)
        else:
            _take_numbers((_turned_back(raw) if point.form == "pf_4q" else raw,), (rule,), values)


@lru_cache(maxsize=4096)
def _rules_at(
    layout: Layout, pt: Decimal | int, ct: Decimal | int, exponents: tuple[int, ...]
) -> tuple[Rule | None, ...]:
    """The rules of a block's points under these powers of ten; None where there is no such power.

    Source: SunSpec Information Model Specification 1.9, type sunssf: -10 to 10, 0x8000 stands
    for "not implemented".
    """
    return tuple(
        _rule(point, Fraction(pt), Fraction(ct), exponent)
        if abs(exponent) <= HIGHEST_EXPONENT
        else None
        for point, exponent in zip(layout.points, exponents, strict=True)
    )


def _turned_back(raw: float) -> float:
    """A four-quadrant power factor as one between -1 and 1, its sign that of the active power.

    Source: Schneider iEM3000 and PM5000 manuals, data type 4Q_FP_PF: beyond 1 the factor is
    2 - value and leading, below -1 it is -2 - value and leading.
    """
    if raw > 1:
        return 2 - raw
    return -2 - raw if raw < -1 else raw


def _take_numbers(
    raws: Sequence[int | float], block_rules: tuple[Rule, ...], values: list[Value]
) -> None:
    add = values.append
    for raw, (absent, up, down, factor, steps_per_unit) in zip(raws, block_rules, strict=True):
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
        if -MOST_STEPS <= steps <= MOST_STEPS:
            add(steps if steps_per_unit == 1 else steps / steps_per_unit)
        else:
            add(None)
