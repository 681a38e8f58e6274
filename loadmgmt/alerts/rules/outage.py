"""When meters without power are one transformer without power."""

from decimal import Decimal

from loadmgmt.alerts.types import AreaRule


def transformer_is_out(*, without_power: int, read: int, rule: AreaRule) -> bool:
    """Whether a transformer area counts as out (台区失电).

    Args:
        without_power: its meters that show no voltage.
        read: its meters that are read at all.
        rule: share and least number.
    """
    return without_power >= rule.least and Decimal(without_power) >= rule.share * read
