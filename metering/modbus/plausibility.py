"""Whether decoded values look like an electricity meter: to tell a right map from a wrong one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files

from foundation.datafiles import build, load_toml
from metering.modbus.decode import Value
from metering.modbus.quantities import COUNTERS, QUANTITIES

PHASES = ("a", "b", "c")
ROOT_3 = Decimal(3).sqrt()
SMALLEST_A = Decimal("0.001")
"""Resolution of a current [A]."""
Values = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Plausible:
    """Limits; see plausibility.toml."""

    source: str
    nominal_volts: tuple[Decimal, ...]
    volts_of_nominal: tuple[Decimal, Decimal]
    line_to_phase: tuple[Decimal, Decimal]
    frequency_hz: tuple[Decimal, Decimal]
    amps_most: Decimal
    power_factor_most: Decimal
    sum_share: Decimal
    sum_w: Decimal
    power_of_apparent: Decimal
    energy_wh_most: Decimal


@dataclass(frozen=True, slots=True)
class Finding:
    """One check.

    Attributes:
        check: stable code: range, sum, lines, apparent.
        quantity: what was checked, or the total of what was.
        holds: whether it is plausible.
        found: the value [the quantity's unit].
        expected: for a sum, what it should have come to; else None.
    """

    check: str
    quantity: str
    holds: bool
    found: Decimal
    expected: Decimal | None = None


@cache
def limits() -> Plausible:
    """The packaged limits."""
    path = files("metering.modbus").joinpath("plausibility.toml")
    return build(Plausible, load_toml(path), where="plausibility.toml")


def judged(values: Values) -> list[Finding]:
    """Check everything that can be checked of a reading; what is unknown proves nothing.

    Args:
        values: by quantity, in canonical units.
    """
    known = {name: Decimal(str(value)) for name, value in values.items() if value is not None}
    return [*_ranges(known), *_sums(known), *_lines(known), *_apparent(known)]


def score(findings: Sequence[Finding], values: Values) -> float:
    """How well a reading fits: the share of checks that hold; what is unknown counts against it."""
    if not values or not findings:
        return 0.0
    known = sum(value is not None for value in values.values())
    holds = sum(finding.holds for finding in findings)
    return holds / len(findings) * known / len(values)


def _ranges(known: Mapping[str, Decimal]) -> Iterator[Finding]:
    for name, value in known.items():
        check = _RANGES.get(QUANTITIES[name].unit) if name not in COUNTERS else _is_counter
        if name.startswith("pf"):
            check = _is_power_factor
        if check is not None:
            yield Finding("range", name, check(value), value)


def _is_voltage(value: Decimal) -> bool:
    low, high = limits().volts_of_nominal
    return value == 0 or any(low * n <= value <= high * n for n in limits().nominal_volts)


def _is_frequency(value: Decimal) -> bool:
    low, high = limits().frequency_hz
    return low <= value <= high


def _is_current(value: Decimal) -> bool:
    return abs(value) <= limits().amps_most and (value == 0 or abs(value) >= SMALLEST_A)


def _is_counter(value: Decimal) -> bool:
    return 0 <= value <= limits().energy_wh_most


def _is_power_factor(value: Decimal) -> bool:
    return abs(value) <= limits().power_factor_most


_RANGES: Mapping[str, Callable[[Decimal], bool]] = {
    "V": _is_voltage,
    "Hz": _is_frequency,
    "A": _is_current,
}


def _sums(known: Mapping[str, Decimal]) -> Iterator[Finding]:
    """Phases add up to the total, of active and reactive power and of energy."""
    for total in ("p", "q", "wh_import", "wh_export"):
        parts = [known.get(f"{total}_{phase}") for phase in PHASES]
        if total not in known or None in parts:
            continue
        expected = sum((part for part in parts if part is not None), Decimal(0))
        room = max(limits().sum_w, limits().sum_share * abs(known[total]))
        holds = abs(known[total] - expected) <= room
        yield Finding("sum", total, holds, known[total], expected)


def _lines(known: Mapping[str, Decimal]) -> Iterator[Finding]:
    low, high = limits().line_to_phase
    for line, phase in (("u_ab", "u_a"), ("u_bc", "u_b"), ("u_ca", "u_c")):
        if known.get(phase) and line in known:
            holds = low <= known[line] / known[phase] <= high
            yield Finding("lines", line, holds, known[line], ROOT_3 * known[phase])


def _apparent(known: Mapping[str, Decimal]) -> Iterator[Finding]:
    """Power is no more than volts times amperes, phase by phase."""
    for phase in PHASES:
        u, i, p = (known.get(f"{name}_{phase}") for name in "uip")
        if u is not None and i is not None and p is not None:
            most = limits().power_of_apparent * u * abs(i) + limits().sum_w
            yield Finding("apparent", f"p_{phase}", abs(p) <= most, p, u * abs(i))
