"""Everything a simulated meter shows, by quantity: what the curves hold, and what follows from it.

What the curves do not hold is assumed, and said here: distortion is constant; the highest demand
is the curve's peak; contacts are closed unless a fault opens them.
"""

import math
from collections.abc import Callable, Sequence
from decimal import Decimal

from metering.modbus.curves import PHASES, TARIFFS, Phase, State, state
from metering.modbus.simulated_faults import Energies

THD_U, THD_I = 0.021, 0.064
"""Assumed distortion of voltage and current [1], the same at every load."""
DEMAND_S = 900
"""Demand period: a quarter of an hour, from full hours on [s]."""


def shown(seen: Sequence[Phase[float]], energies: Energies, *, neutral_a: float) -> State:
    """Every quantity that follows from the phases and their energies.

    Args:
        seen: what the meter's own transducers see of each phase.
        energies: what it has registered of each.
        neutral_a: current in the neutral [A].
    """
    values = state(seen, (energies.wh, energies.varh), neutral_a=neutral_a)
    if not any(phase.u for phase in seen):
        values["f"] = 0.0
    values |= _of_energy(energies) | _of_phases(seen, values)
    return values


def demands(
    registered: Callable[[float], Energies], t: float, peak_w: float, first_s: float
) -> State:
    """Power averaged over the demand period that ended last [W], and the highest so far.

    Args:
        registered: energies at a time [s].
        t: now [s].
        peak_w: the curve's peak, taken for the highest demand [W].
        first_s: when the registers stood at zero [s].
    """
    end = t // DEMAND_S * DEMAND_S
    begin = max(first_s, end - DEMAND_S)
    if end <= begin:
        return {"p_demand": 0.0, "p_demand_max": peak_w}
    gained = sum(registered(end).wh) - sum(registered(begin).wh)
    return {"p_demand": max(0.0, gained * 3600 / (end - begin)), "p_demand_max": peak_w}


def ratios(pt: Decimal, ct: Decimal) -> State:
    """The transformer ratios the terminal itself believes in."""
    return {"pt_ratio": float(pt), "ct_ratio": float(ct)}


def _of_energy(energies: Energies) -> State:
    wh, varh = sum(energies.wh), sum(energies.varh)
    values = {
        "varh_export": 0.0,
        "wh_total": wh,
        "varh_total": varh,
        "vah_import": (wh * wh + varh * varh) ** 0.5,
        "vah_export": 0.0,
    }
    for name, of_phase in zip(PHASES, energies.wh, strict=False):
        values |= {f"wh_import_{name}": of_phase, f"wh_export_{name}": 0.0}
    for number, tariff in enumerate(TARIFFS):
        values[f"wh_total_{tariff}"] = sum(of_phase[number] for of_phase in energies.tariffs)
    return values


def _of_phases(seen: Sequence[Phase[float]], values: State) -> State:
    found: State = {"s": _length(values["p"], values["q"])}
    for name, phase in zip(PHASES, seen, strict=False):
        p, q = values[f"p_{name}"], values[f"q_{name}"]
        s = _length(p, q)
        found |= {
            f"s_{name}": s,
            f"pf_{name}": p / s if s else 1.0,
            f"thd_u_{name}": THD_U if phase.u else 0.0,
            f"thd_i_{name}": THD_I if s else 0.0,
        }
    for name, one, other in zip(("ab", "bc", "ca"), seen, [*seen[1:], seen[0]], strict=False):
        found[f"u_{name}"] = (one.u * one.u + other.u * other.u + one.u * other.u) ** 0.5
    return found


def _length(along: float, across: float) -> float:
    return math.hypot(along, across)
