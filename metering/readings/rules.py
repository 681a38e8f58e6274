"""What may be believed of a reading, and which of two readings is kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from metering.readings.types import ENERGIES, Quality


@dataclass(frozen=True, slots=True)
class Ranges:
    """Limits of plausibility; beyond them a reading is marked out of range."""

    volts_of_nominal: Decimal
    frequency_hz: tuple[Decimal, ...]
    power_factor: Decimal
    amps: Decimal


@dataclass(frozen=True, slots=True)
class Validation:
    """What validation.toml says."""

    source: str
    range: Ranges


def judge(
    values: Mapping[str, float | int | None],
    *,
    nominal_volts: Decimal,
    ranges: Ranges,
    last_energy: Mapping[str, int | None] | None = None,
) -> Quality:
    """Say what is known against a reading's values.

    Args:
        values: by column; None is unknown and never suspect.
        nominal_volts: phase to neutral [V].
        ranges: limits of plausibility.
        last_energy: the registers of the reading before, if known [Wh].

    Returns:
        GOOD, or OUT_OF_RANGE and RESET as they apply.
    """
    found = Quality.GOOD
    if any(not _plausible(name, value, nominal_volts, ranges) for name, value in values.items()):
        found |= Quality.OUT_OF_RANGE
    if last_energy is not None and _ran_backwards(values, last_energy):
        found |= Quality.RESET
    return found


def _plausible(name: str, value: float | None, nominal_volts: Decimal, ranges: Ranges) -> bool:
    if value is None:
        return True
    if name.startswith("u_"):
        return 0 <= value <= ranges.volts_of_nominal * nominal_volts
    if name.startswith("i_"):
        return abs(value) <= ranges.amps
    if name == "f":
        low, high = ranges.frequency_hz
        return value == 0 or low <= value <= high
    if name == "pf":
        return abs(value) <= ranges.power_factor
    return name not in ENERGIES or value >= 0


def _ran_backwards(
    values: Mapping[str, float | int | None], last: Mapping[str, int | None]
) -> bool:
    pairs = ((values.get(name), last.get(name)) for name in ENERGIES)
    return any(now is not None and before is not None and now < before for now, before in pairs)


def slot_of(at: datetime, interval_s: int) -> datetime:
    """Give the start of the nominal interval an instant lies in.

    Args:
        at: aware.
        interval_s: length of the interval, a divisor of a day [s].
    """
    seconds = int(at.timestamp())
    return datetime.fromtimestamp(seconds - seconds % interval_s, tz=at.tzinfo)
