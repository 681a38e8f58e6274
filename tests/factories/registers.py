"""Profiles made up for a test, and how close a value can come through the registers of one."""

from dataclasses import replace
from fractions import Fraction

from metering.modbus.decode import unit_per_raw
from metering.modbus.profile import Point, Profile, Span
from metering.modbus.quantities import COUNTERS, QUANTITIES


def trial_profile(*points: Point, **changes: object) -> Profile:
    """Give a profile with these points, and ranges wide enough for small addresses."""
    return replace(
        Profile(
            name="trial",
            title_zh="试",
            title_en="trial",
            maker="none",
            source="invented for a test",
            confidence="invented",
            phases=3,
            points=points,
            readable=(Span(3, 0, 99), Span(2, 0, 63)),
        ),
        **changes,
    )


def coarseness(point: Point, value: float, *, pt: int = 1, ct: int = 1) -> float:
    """Give how far a decoded value may stand from what was laid into the registers."""
    resolution = float(QUANTITIES[point.quantity].resolution)
    step = abs(float(unit_per_raw(point, Fraction(pt), Fraction(ct))))
    if point.type == "f32":
        step = max(abs(value), 2.0 * step) * 2**-22
    elif point.factor_at is not None and point.quantity not in COUNTERS:
        step = max(step * 10**-3, abs(value) / 3000)
    return (step + resolution) / 2 + 1e-9


def shows_nothing(point: Point, value: float) -> bool:
    """Whether the register of this value means "not available" (a SunSpec counter at zero)."""
    return point.absent == (0,) and round(value) == 0
