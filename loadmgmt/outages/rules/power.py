"""Whether a meter shows voltage, from its newest reading."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from loadmgmt.outages.types import MeterPower, Power, Tally


def power_of(
    volts: Sequence[float | None],
    *,
    nominal_volts: Decimal,
    dark_below: Decimal,
    read_at: datetime | None,
    now: datetime,
    fresh: timedelta,
    has_terminal: bool,
) -> Power:
    """Say whether a meter shows voltage.

    One phase with voltage is voltage: a broken phase is a fault, not an outage.

    Args:
        volts: of the phases that exist [V]; None where unknown.
        nominal_volts: phase to neutral [V].
        dark_below: fraction of nominal under which a phase is dark [1].
        read_at: when it was read.
        now: the present instant.
        fresh: how old a reading may be.
        has_terminal: whether anything reads it.
    """
    known = [value for value in volts if value is not None]
    if not has_terminal:
        return Power.UNREAD
    if read_at is None or now - read_at > fresh or not known:
        return Power.SILENT
    limit = float(nominal_volts * dark_below)
    return Power.ON if max(known) >= limit else Power.DARK


def tally(meters: Iterable[MeterPower]) -> Tally:
    """Count meters by what they show."""
    counts = dict.fromkeys(Power, 0)
    for one in meters:
        counts[one.power] += 1
    return Tally(
        on=counts[Power.ON],
        dark=counts[Power.DARK],
        silent=counts[Power.SILENT],
        unread=counts[Power.UNREAD],
    )
