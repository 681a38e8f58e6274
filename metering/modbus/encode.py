"""Values to registers: the inverse of decoding, for the simulator and for tests."""

import math
import struct
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from foundation.errors import BadData
from metering.modbus.decode import HIGHEST_EXPONENT, unit_per_raw
from metering.modbus.plan import Block, Layout, Plan
from metering.modbus.profile_parts import Point
from metering.modbus.quantities import COUNTERS, QUANTITIES

Values = Mapping[str, float | None]

NOT_A_NUMBER = float("nan")


class DoesNotFit(BadData):
    """A value is larger than the register that should hold it, or has no way to be absent."""

    code = "does_not_fit"


def encode(
    plan: Plan, values: Values, *, pt: Decimal | int = 1, ct: Decimal | int = 1
) -> tuple[bytes, ...]:
    """Lay values out as the plan's blocks hold them.

    Powers of ten are chosen as a terminal would: as small as all values under one allow, so
    that they change as the values do; that of a counter never changes.

    Args:
        plan: the compiled profile.
        values: every quantity of the plan in its canonical unit, primary side; None is "not
            available".
        pt: voltage transformer ratio [1].
        ct: current transformer ratio [1].

    Returns:
        The data bytes of each block; registers no point takes are zero.

    Raises:
        DoesNotFit: a value other than a counter exceeds its register, or is None where the
            profile has no pattern for that.
    """
    return tuple(encode_block(plan, layout, values, pt=pt, ct=ct) for layout in plan.layouts)


def encode_block(
    plan: Plan,
    layout: Layout,
    values: Values,
    *,
    pt: Decimal | int = 1,
    ct: Decimal | int = 1,
) -> bytes:
    """Lay values out as one of the plan's blocks holds them; see `encode`."""
    if layout.packer is None:
        return _bits(layout, values)
    return _registers(layout, values, _raw_per_unit(plan, pt, ct)[layout.block])


@lru_cache(maxsize=1024)
def _raw_per_unit(
    plan: Plan, pt: Decimal | int, ct: Decimal | int
) -> dict[Block, tuple[float, ...]]:
    return {
        layout.block: tuple(
            float(1 / unit_per_raw(point, Fraction(pt), Fraction(ct))) for point in layout.points
        )
        for layout in plan.layouts
    }


def _bits(layout: Layout, values: Values) -> bytes:
    bits = 0
    for point in layout.points:
        if values[point.quantity]:
            bits |= 1 << (point.address - layout.block.address)
    return bits.to_bytes(layout.block.payload_bytes, "little")


def _registers(layout: Layout, values: Values, scales: tuple[float, ...]) -> bytes:
    if layout.packer is None:
        raise TypeError(layout)
    if layout.picks is None:
        numbers = [
            _raw(point, values, scale) for point, scale in zip(layout.points, scales, strict=True)
        ]
    else:
        numbers = _picked(layout, values, scales)
    try:
        data = layout.packer.pack(*numbers)
    except (struct.error, OverflowError) as error:
        raise DoesNotFit(block=layout.block.address, why=str(error)) from error
    return bytes(layout.turn(data)) if layout.turn else data


def _picked(layout: Layout, values: Values, scales: tuple[float, ...]) -> list[float | int]:
    """Every number of a block that holds scale factors or marks."""
    picks, factors = layout.picks or (), layout.factors
    numbers: list[float | int] = [0] * (
        1 + max(*picks, *factors, *(number for number, _ in layout.marks))
    )
    for number, value in layout.marks:
        numbers[number] = value
    for factor in {number for number in factors if number >= 0}:
        under = [
            (point, scale)
            for point, scale, number in zip(layout.points, scales, factors, strict=True)
            if number == factor
        ]
        numbers[factor] = max(_exponent(point, values, scale) for point, scale in under)
    for point, scale, pick, factor in zip(layout.points, scales, picks, factors, strict=True):
        power = 10.0 ** -numbers[factor] if factor >= 0 else 1.0
        numbers[pick] = _raw(point, values, scale * power)
    return numbers


def _exponent(point: Point, values: Values, scale: float) -> int:
    """The smallest power of ten under which this value fits and keeps its resolution."""
    value = values[point.quantity]
    if point.quantity in COUNTERS:
        return 0
    steps_per_unit = QUANTITIES[point.quantity].steps_per_unit
    exponent = math.floor(math.log10(abs(scale) / steps_per_unit) + 1e-9)
    most = (1 << (16 * point.size - point.type.startswith("i"))) - 2
    while value is not None and abs(value * scale) > most * 10.0**exponent:
        exponent += 1
    return min(exponent, HIGHEST_EXPONENT)


def _raw(point: Point, values: Values, scale: float) -> float | int:
    value = values[point.quantity]
    if value is None:
        return _absent(point)
    raw = value * scale
    if point.form == "pf_4q":
        return _in_quadrants(raw, values.get("q") or 0.0)
    if point.type == "f32":
        return raw
    whole = round(raw)
    if point.quantity not in COUNTERS:
        return whole
    width = 16 * point.size - point.type.startswith("i")
    return whole % (1 << width)


def _absent(point: Point) -> float | int:
    if not point.absent:
        if point.type == "f32":
            return NOT_A_NUMBER
        raise DoesNotFit(quantity=point.quantity, why="has no pattern for not available")
    pattern = point.absent[0].to_bytes(2 * point.size, "big")
    if point.type == "f32":
        number: float = struct.unpack(">f", pattern)[0]
        return number
    return int.from_bytes(pattern, "big", signed=point.type.startswith("i"))


def _in_quadrants(pf: float, q: float) -> float:
    """A power factor as Schneider codes it: mirrored at 1 or -1 where it is leading (q < 0)."""
    if q >= 0:
        return pf
    return 2 - pf if pf >= 0 else -2 - pf
