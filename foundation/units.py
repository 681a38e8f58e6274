"""Quantities and their rounding, in one place; half up, as bills and meters do it."""

from decimal import ROUND_HALF_UP, Decimal

FEN = Decimal("0.01")


def round_to(value: Decimal, resolution: Decimal) -> Decimal:
    """Round to a resolution, halves away from zero.

    Args:
        value: any finite number.
        resolution: the step to round to, above zero, in the unit of value.
    """
    return (value / resolution).quantize(Decimal(1), rounding=ROUND_HALF_UP) * resolution


def yuan(value: Decimal) -> Decimal:
    """Round money to the fen."""
    return value.quantize(FEN, rounding=ROUND_HALF_UP)


def scaled(value: float, resolution: float) -> int:
    """Give a stored value as a whole number of its quantity's resolution.

    Rules judge these, never binary floats: 235.4 V at 0.1 V is 2354.
    """
    return round(value / resolution)
