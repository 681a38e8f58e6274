"""Live values phase by phase (分相实时值), as every card of a meter shows them."""

from dataclasses import dataclass
from decimal import Decimal

from loadmgmt.api.alerts import load_thresholds
from loadmgmt.api.types import Thresholds
from metering.api.types import LatestReading, MeterCard


@dataclass(frozen=True, slots=True)
class PhaseShown:
    """One phase of a meter.

    Attributes:
        volts, amps: None is unknown [V], [A].
        deviation: from the nominal voltage, as a fraction of it; None is unknown.
        tone: empty inside the permitted band, else "major", or "crit" where it is a loss of
            voltage or dangerously high.
    """

    phase: str
    volts: float | None
    amps: float | None
    deviation: float | None
    tone: str


def phases_of(reading: LatestReading | None, meter: MeterCard) -> list[PhaseShown]:
    """Give the phases of a meter's supply with their newest values."""
    rules, nominal = load_thresholds(), float(meter.supply.nominal_volts)
    shown = []
    for phase in meter.supply.phases:
        volts = getattr(reading, f"u_{phase}", None)
        deviation = None if volts is None else (volts - nominal) / nominal
        tone = "" if deviation is None else tone_of(deviation, meter.supply.value, rules)
        shown.append(
            PhaseShown(phase, volts, getattr(reading, f"i_{phase}", None), deviation, tone)
        )
    return shown


def tone_of(deviation: float, supply: str, rules: Thresholds) -> str:
    """Say how bad a deviation is.

    Args:
        deviation: from nominal, as a fraction of it.
        supply: which band holds, as thresholds.toml names it.
        rules: thresholds.toml.
    """
    band, loss = rules.band[supply], rules.loss
    off = Decimal(str(round(deviation, 6)))  # a voltage at its limit is inside
    if band.low <= off <= band.high:
        return ""
    is_bad = off < loss.voltage_loss_below - 1 or off > loss.dangerous_high
    return "crit" if is_bad else "major"
