"""Values to registers: the inverse of decoding, for the simulator and for tests."""

import struct
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from foundation.errors import BadData
from metering.modbus.decode import unit_per_raw
from metering.modbus.plan import Layout, Plan
from metering.modbus.profile import Point

COUNTERS = frozenset({"wh_import", "wh_export", "varh_import"})
"""Registers that start again at zero when they are full, as a meter's do."""


class DoesNotFit(BadData):
    """A value is larger than the register that should hold it."""

    code = "does_not_fit"


def encode(
    plan: Plan, values: Mapping[str, float], *, pt: Decimal | int = 1, ct: Decimal | int = 1
) -> tuple[bytes, ...]:
    """Lay values out as the plan's blocks hold them.

    Args:
        plan: the compiled profile.
        values: every quantity of the plan in its canonical unit, primary side.
        pt: voltage transformer ratio [1].
        ct: current transformer ratio [1].

    Returns:
        The data bytes of each block; registers no point takes are zero.

    Raises:
        DoesNotFit: a value other than an energy counter exceeds its register.
    """
    scales = _raw_per_unit(plan, pt, ct)
    return tuple(
        _bits(layout, values) if layout.packer is None else _registers(layout, values, scale)
        for layout, scale in zip(plan.layouts, scales, strict=True)
    )


@lru_cache(maxsize=1024)
def _raw_per_unit(
    plan: Plan, pt: Decimal | int, ct: Decimal | int
) -> tuple[tuple[float, ...], ...]:
    return tuple(
        tuple(float(1 / unit_per_raw(point, Fraction(pt), Fraction(ct))) for point in layout.points)
        for layout in plan.layouts
    )


def _bits(layout: Layout, values: Mapping[str, float]) -> bytes:
    bits = 0
    for point in layout.points:
        if values[point.quantity]:
            bits |= 1 << (point.address - layout.block.address)
    return bits.to_bytes(layout.block.payload_bytes, "little")


def _registers(layout: Layout, values: Mapping[str, float], scales: tuple[float, ...]) -> bytes:
    if layout.packer is None:
        raise TypeError(layout)
    raws = [
        _raw(point, values[point.quantity] * scale)
        for point, scale in zip(layout.points, scales, strict=True)
    ]
    try:
        data = layout.packer.pack(*raws)
    except (struct.error, OverflowError) as error:
        raise DoesNotFit(block=layout.block.address, why=str(error)) from error
    return bytes(layout.turn(data)) if layout.turn else data


def _raw(point: Point, raw: float) -> float | int:
    if point.type == "f32":
        return raw
    whole = round(raw)
    if point.quantity not in COUNTERS:
        return whole
    width = 16 * point.size - point.type.startswith("i")
    return whole % (1 << width)
