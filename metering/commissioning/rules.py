"""What a visit to a terminal says about its wiring.

The limits are those of validation and plausibility; here stands only which of them answers which
question of the person at the meter.
"""

from collections.abc import Mapping
from decimal import Decimal

from metering.commissioning.types import CheckKind, CheckResult, Register, Seen, Verdict
from metering.modbus.decode import Value
from metering.modbus.plausibility import Plausible, judged
from metering.modbus.quantities import QUANTITIES
from metering.polling.rules import is_clock_wrong
from metering.readings.rules.energy import energy_step
from metering.readings.rules.validation import Before, Limits, Rating, doubts
from metering.readings.types import ENERGIES, MEASURES, Doubt

GOOD, BAD, UNKNOWN, NONE = Verdict.GOOD, Verdict.BAD, Verdict.UNKNOWN, Verdict.NONE
HOUR_S = 3600
RUNS_WRONG = {Doubt.STOPPED: "stopped", Doubt.STEP: "too_fast", Doubt.ENERGY: "odd"}
"""What validation says of a register that was not reset, and how it is said here."""


def judge(
    seen: Seen, rating: Rating, *, limits: Limits, plausible: Plausible
) -> tuple[CheckResult, ...]:
    """Say what a visit shows, check by check.

    Args:
        seen: what it gave.
        rating: what the meter is built for.
        limits: of validation.
        plausible: of plausibility.
    """
    if seen.error is not None:
        first = CheckResult(CheckKind.ANSWERS, BAD, "silent", seen.why, {"error": seen.error})
        rest = (CheckResult(kind, UNKNOWN, "not_read") for kind in list(CheckKind)[1:])
        return (first, *rest)
    sample = sample_of(seen.values)
    found = doubts(
        sample,
        at_s=int(seen.at.timestamp()),
        before=_memory(seen.before),
        rating=rating,
        limits=limits,
    )
    floor_w = max(rating.most_w * limits.phase_floor_permille // 1000, 1)
    return (
        _answers(seen.values),
        _identity(seen),
        _voltages(seen.values, rating, plausible),
        _phase_order(sample, rating, found, floor_w),
        _ct_direction(sample, rating, floor_w),
        _power_sum(seen.values, rating, found),
        _ratio(sample, rating, found, floor_w),
        _clock(seen),
        _energy(seen, rating, found, limits),
    )


def sample_of(values: Mapping[str, Value]) -> dict[str, int | None]:
    """Give a reading in whole numbers of each quantity's resolution."""
    known = ((name, values.get(name)) for name in (*ENERGIES, *MEASURES))
    return {
        name: None if value is None else round(value * QUANTITIES[name].steps_per_unit)
        for name, value in known
    }


def _memory(before: Register | None) -> Before | None:
    if before is None or before.wh is None:
        return None
    at_s = int(before.at.timestamp())
    return Before(at_s, (before.wh, None, None), before.watts, at_s, before.watts)


def _answers(values: Mapping[str, Value]) -> CheckResult:
    known, every = sum(one is not None for one in values.values()), len(values)
    said = "all" if known == every else "partly"
    return CheckResult(CheckKind.ANSWERS, GOOD, said, f"{known}/{every}")


def _identity(seen: Seen) -> CheckResult:
    said = " · ".join(dict.fromkeys(one.said for one in seen.identity if one.said))
    if any(one.fits is False for one in seen.identity):
        return CheckResult(CheckKind.IDENTITY, BAD, "other", said)
    if any(one.fits for one in seen.identity):
        return CheckResult(CheckKind.IDENTITY, GOOD, "fits", said)
    return CheckResult(CheckKind.IDENTITY, UNKNOWN, "unsaid", said)


def _voltages(values: Mapping[str, Value], rating: Rating, plausible: Plausible) -> CheckResult:
    nominal = Decimal(rating.nominal) / 10
    low, high = (share * nominal for share in plausible.volts_of_nominal)
    known = [values.get(f"u_{phase}") for phase in rating.phases]
    facts = {"low": f"{low:.0f}", "high": f"{high:.0f}"}
    value = _each(known, "V", 1)
    if None in known:
        return CheckResult(CheckKind.VOLTAGES, UNKNOWN, "unread", value, facts)
    inside = all(one is not None and low <= Decimal(str(one)) <= high for one in known)
    said = "inside" if inside else "outside"
    return CheckResult(CheckKind.VOLTAGES, GOOD if inside else BAD, said, value, facts)


def _phase_order(
    sample: Mapping[str, int | None], rating: Rating, found: Doubt, floor_w: int
) -> CheckResult:
    if not rating.is_three_phase:
        return CheckResult(CheckKind.PHASE_ORDER, NONE, "single")
    shown = sum(
        abs(p) + abs(q) >= floor_w
        for p, q in ((sample.get(f"p_{one}"), sample.get(f"q_{one}")) for one in rating.phases)
        if p is not None and q is not None
    )
    if found & Doubt.PHASE_ORDER:
        return CheckResult(CheckKind.PHASE_ORDER, BAD, "crossed")
    if shown < len(rating.phases):
        return CheckResult(CheckKind.PHASE_ORDER, UNKNOWN, "no_load", facts={"watts": f"{floor_w}"})
    return CheckResult(CheckKind.PHASE_ORDER, GOOD, "in_order")


def _ct_direction(sample: Mapping[str, int | None], rating: Rating, floor_w: int) -> CheckResult:
    names = [f"p_{phase}" for phase in rating.phases]
    if sample.get("p_a") is None and not rating.is_three_phase:
        names = ["p"]
    powers = {name[-1].upper(): sample.get(name) for name in names}
    value = _each(list(powers.values()), "W", 0)
    loaded = {name: p for name, p in powers.items() if p is not None and abs(p) >= floor_w}
    turned = [name for name, p in loaded.items() if p < 0]
    if turned and len(turned) == len(powers):
        return CheckResult(CheckKind.CT_DIRECTION, BAD, "all_reversed", value)
    if turned:
        facts = {"phases": " ".join(turned)}
        return CheckResult(CheckKind.CT_DIRECTION, BAD, "reversed", value, facts)
    if len(loaded) < len(powers):
        facts = {"watts": f"{floor_w}"}
        return CheckResult(CheckKind.CT_DIRECTION, UNKNOWN, "no_load", value, facts)
    return CheckResult(CheckKind.CT_DIRECTION, GOOD, "forward", value)


def _power_sum(values: Mapping[str, Value], rating: Rating, found: Doubt) -> CheckResult:
    if not rating.is_three_phase:
        return CheckResult(CheckKind.POWER_SUM, NONE, "single")
    sums = [one for one in judged(values) if one.check == "sum" and one.quantity == "p"]
    if not sums:
        return CheckResult(CheckKind.POWER_SUM, UNKNOWN, "unread")
    (one,) = sums
    value = f"{one.found:.0f} W"
    facts = {"sum": f"{one.expected or 0:.0f}"}
    if found & Doubt.PHASE_SUM or not one.holds:
        return CheckResult(CheckKind.POWER_SUM, BAD, "differs", value, facts)
    return CheckResult(CheckKind.POWER_SUM, GOOD, "agrees", value, facts)


def _ratio(
    sample: Mapping[str, int | None], rating: Rating, found: Doubt, floor_w: int
) -> CheckResult:
    pairs = [(sample.get(f"u_{one}"), sample.get(f"i_{one}")) for one in rating.phases]
    apparent = sum(abs(u * i) for u, i in pairs if u is not None and i is not None) // 10_000
    value = f"{apparent} VA / {sample.get('p')} W"
    if found & Doubt.CT_RATIO:
        return CheckResult(CheckKind.RATIO, BAD, "odd", value)
    unread = any(None in pair for pair in pairs) or sample.get("p") is None
    if unread or sample.get("q") is None:
        return CheckResult(CheckKind.RATIO, UNKNOWN, "unread")
    if apparent < floor_w:
        return CheckResult(CheckKind.RATIO, UNKNOWN, "no_load", value, {"watts": f"{floor_w}"})
    return CheckResult(CheckKind.RATIO, GOOD, "agrees", value)


def _clock(seen: Seen) -> CheckResult:
    if not seen.has_clock:
        return CheckResult(CheckKind.CLOCK, UNKNOWN, "unread")
    limit = {"limit": f"{seen.clock_limit_s}"}
    if seen.drift_s is None:
        return CheckResult(CheckKind.CLOCK, BAD, "unset", facts=limit)
    value = f"{seen.drift_s:+.0f} s"
    if is_clock_wrong(seen.drift_s, seen.clock_limit_s):
        return CheckResult(CheckKind.CLOCK, BAD, "wrong", value, limit)
    return CheckResult(CheckKind.CLOCK, GOOD, "right", value, limit)


def _energy(seen: Seen, rating: Rating, found: Doubt, limits: Limits) -> CheckResult:
    now, before = seen.values.get("wh_import"), seen.before
    if now is None:
        return CheckResult(CheckKind.ENERGY, UNKNOWN, "unread")
    value = f"{round(now)} Wh"
    if before is None or before.wh is None:
        return CheckResult(CheckKind.ENERGY, UNKNOWN, "first", value)
    step = energy_step(before.wh, round(now), rating.register_wh)
    if step is None or found & Doubt.RESET:
        return CheckResult(CheckKind.ENERGY, BAD, "backwards", value, {"wh": f"{before.wh}"})
    minutes = max((seen.at - before.at).total_seconds() / 60, 0)
    facts = {"wh": f"{step}", "minutes": f"{minutes:.0f}"}
    wrong = next((said for doubt, said in RUNS_WRONG.items() if found & doubt), "")
    if wrong:
        return CheckResult(CheckKind.ENERGY, BAD, wrong, value, facts)
    if step > 0:
        return CheckResult(CheckKind.ENERGY, GOOD, "moves", value, facts)
    said, more = _standing(seen.values.get("p"), rating, limits)
    return CheckResult(CheckKind.ENERGY, UNKNOWN, said, value, facts | more)


def _standing(power: Value, rating: Rating, limits: Limits) -> tuple[str, dict[str, str]]:
    """Say of a register that did not move: no load, or how long to wait for a step."""
    if not power or power <= 0:
        return "no_load", {}
    wait_s = limits.still_wh * rating.ratio * HOUR_S / float(power)
    return "still", {"wait": f"{max(wait_s / 60, 1):.0f}"}


def _each(values: list[Value], unit: str, digits: int) -> str:
    said = (" / ").join("—" if one is None else f"{one:.{digits}f}" for one in values)
    return f"{said} {unit}"
