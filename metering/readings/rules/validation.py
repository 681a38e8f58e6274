"""Which rules object to a reading: the specification, one reading at a time.

`batch` does the same on arrays; a property test holds the two equal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from metering.readings.rules.energy import energy_step, most_energy
from metering.readings.types import ENERGIES, Doubt, Quality

PHASES = ("a", "b", "c")
MOST_WH = 2**40
"""No step is counted beyond this [Wh]: it is nonsense, and numbers must fit 64 bits."""
HUGE = 2**30
"""A measured value beyond this many steps of its resolution is no measurement [1]."""
MOST_S = 10 * 86_400
"""Readings farther apart are compared as if so far apart [s]."""


@dataclass(frozen=True, slots=True)
class Ranges:
    """Limits of plausibility; beyond them a reading is marked out of range."""

    volts_of_nominal: Decimal
    frequency_hz: tuple[Decimal, ...]
    power_factor: Decimal
    amps: Decimal


@dataclass(frozen=True, slots=True)
class Rated:
    """What a meter can carry."""

    most_of_basic: Decimal


@dataclass(frozen=True, slots=True)
class Register:
    """How fast a register may run, and how long stand."""

    times_most: Decimal
    slack_wh: int
    still_wh: int


@dataclass(frozen=True, slots=True)
class Energy:
    """Register against power."""

    times: Decimal
    floor_of_most: Decimal
    longest_s: int


@dataclass(frozen=True, slots=True)
class Phases:
    """How phases agree with the total and with each other."""

    sum_share: Decimal
    sum_slack_w: int
    floor_of_most: Decimal
    ratio_high: Decimal
    ratio_low: Decimal


@dataclass(frozen=True, slots=True)
class Validation:
    """What validation.toml says."""

    source: str
    range: Ranges
    rated: Rated
    register: Register
    energy: Energy
    phases: Phases


@dataclass(frozen=True, slots=True)
class Limits:
    """What validation.toml says, in whole numbers of each quantity's resolution."""

    volts_permille: int
    frequency: tuple[int, int]
    power_factor: int
    milliamps: int
    most_permille: int
    slack_wh: int
    still_wh: int
    energy_permille: int
    energy_floor_permille: int
    energy_longest_s: int
    sum_permille: int
    sum_slack_w: int
    phase_floor_permille: int
    ratio_high_permille: int
    ratio_low_permille: int

    @classmethod
    def of(cls, rules: Validation) -> "Limits":
        """Compile."""
        low, high = rules.range.frequency_hz
        return cls(
            volts_permille=_permille(rules.range.volts_of_nominal),
            frequency=(int(low * 100), int(high * 100)),
            power_factor=_permille(rules.range.power_factor),
            milliamps=int(rules.range.amps * 1000),
            most_permille=_permille(rules.register.times_most),
            slack_wh=rules.register.slack_wh,
            still_wh=rules.register.still_wh,
            energy_permille=_permille(rules.energy.times),
            energy_floor_permille=_permille(rules.energy.floor_of_most),
            energy_longest_s=rules.energy.longest_s,
            sum_permille=_permille(rules.phases.sum_share),
            sum_slack_w=rules.phases.sum_slack_w,
            phase_floor_permille=_permille(rules.phases.floor_of_most),
            ratio_high_permille=_permille(rules.phases.ratio_high),
            ratio_low_permille=_permille(rules.phases.ratio_low),
        )


@dataclass(frozen=True, slots=True)
class Rating:
    """What a meter is built for.

    Attributes:
        nominal: phase to neutral [0.1 V].
        is_three_phase: whether phases b and c exist.
        most_w: the most power it can carry [W, primary].
        ratio: CT times PT.
        register_wh: where its registers go back to zero [Wh]; None if never.
    """

    nominal: int
    is_three_phase: bool
    most_w: int
    ratio: int = 1
    register_wh: int | None = None

    @property
    def phases(self) -> tuple[str, ...]:
        """Name the phases that exist."""
        return PHASES if self.is_three_phase else PHASES[:1]


@dataclass(frozen=True, slots=True)
class Before:
    """What is remembered of a meter's readings up to now.

    Attributes:
        at_s: when it was last read [s since 1970].
        registers: wh_import, wh_export, varh_import then.
        p: power then [W].
        still_s: since when wh_import has not moved [s since 1970].
        still_w: the least power since then [W].
    """

    at_s: int
    registers: tuple[int | None, int | None, int | None]
    p: int | None
    still_s: int
    still_w: int | None


Sample = Mapping[str, int | None]
"""Values in whole numbers of their resolution, by column; missing or None is unknown."""


def most_watts(nominal: int, phases: int, *, basic_a: int, ct: int, rated: Rated) -> int:
    """Give the most power a meter can carry [W, primary].

    Args:
        nominal: phase to neutral, primary [0.1 V].
        phases: 1 or 3.
        basic_a: basic current on the meter's side of the CT [A].
        ct: current transformer ratio [1].
        rated: what the file says.
    """
    return int(Decimal(nominal * phases * basic_a * ct) * rated.most_of_basic / 10)


def doubts(
    sample: Sample, *, at_s: int, before: Before | None, rating: Rating, limits: Limits
) -> Doubt:
    """Say which rules object to a reading.

    Args:
        sample: its values.
        at_s: when it was really read [s since 1970].
        before: what is remembered of the meter; None if nothing.
        rating: what the meter is built for.
        limits: the office's.
    """
    found = Doubt.NONE
    if any(not _in_range(name, value, rating, limits) for name, value in sample.items()):
        found |= Doubt.RANGE
    sample = tamed(sample)
    if before is not None:
        found |= _register_doubts(sample, at_s, before, rating, limits)
    if rating.is_three_phase:
        found |= _phase_doubts(sample, rating, limits)
    if _ratio_is_odd(sample, rating, limits):
        found |= Doubt.CT_RATIO
    return found


def quality_of(found: Doubt) -> Quality:
    """Give what doubts say against a reading as a whole."""
    quality = Quality.GOOD
    if found & Doubt.RANGE:
        quality |= Quality.OUT_OF_RANGE
    if found & Doubt.RESET:
        quality |= Quality.RESET
    if found & ~(Doubt.RANGE | Doubt.RESET):
        quality |= Quality.SUSPECT
    return quality


def tamed(sample: Sample) -> Sample:
    """Leave out measured values that are none, so that no rule counts with them."""
    return {
        name: value
        for name, value in sample.items()
        if value is not None and (name in ENERGIES or abs(value) < HUGE)
    }


def remember(sample: Sample, *, at_s: int, before: Before | None) -> Before:
    """Give what is remembered after a reading."""
    sample = tamed(sample)
    power, register = sample.get("p"), sample.get("wh_import")
    registers = (register, sample.get("wh_export"), sample.get("varh_import"))
    if before is None or register is None or before.registers[0] != register:
        return Before(at_s, registers, power, at_s, power)
    known = power is not None and before.still_w is not None
    least = min(power or 0, before.still_w or 0) if known else None
    return Before(at_s, registers, power, before.still_s, least)


def _permille(share: Decimal) -> int:
    return int(share * 1000)


def _in_range(name: str, value: int | None, rating: Rating, limits: Limits) -> bool:
    if value is None:
        return True
    if name in ENERGIES:
        return value >= 0
    if name == "f":
        low, high = limits.frequency
        return value == 0 or low <= value <= high
    if name.startswith("u_"):
        return 0 <= value <= rating.nominal * limits.volts_permille // 1000
    most = {"i": limits.milliamps, "pf": limits.power_factor}.get(name.split("_", 1)[0], HUGE - 1)
    return abs(value) <= most


def _register_doubts(
    sample: Sample, at_s: int, before: Before, rating: Rating, limits: Limits
) -> Doubt:
    found = Doubt.NONE
    seconds = min(at_s - before.at_s, MOST_S)
    slack_wh = limits.slack_wh * rating.ratio
    most_w = rating.most_w * limits.most_permille // 1000
    for name, then in zip(ENERGIES, before.registers, strict=True):
        now = sample.get(name)
        if now is None or then is None:
            continue
        step = energy_step(then, now, rating.register_wh)
        if step is None:
            found |= Doubt.RESET
        elif seconds > 0 and min(step, MOST_WH) > most_energy(most_w, seconds, slack_wh):
            found |= Doubt.STEP
    if _stands_still(sample, at_s, before, rating, limits):
        found |= Doubt.STOPPED
    if _disagrees_with_power(sample, seconds, before, rating, limits):
        found |= Doubt.ENERGY
    return found


def _stands_still(
    sample: Sample, at_s: int, before: Before, rating: Rating, limits: Limits
) -> bool:
    power = sample.get("p")
    if power is None or before.still_w is None or before.registers[0] is None:
        return False
    if sample.get("wh_import") != before.registers[0]:
        return False
    least = min(power, before.still_w)
    seconds = min(at_s - before.still_s, MOST_S)
    return least > 0 and least * seconds >= limits.still_wh * rating.ratio * 3600


def _disagrees_with_power(
    sample: Sample, seconds: int, before: Before, rating: Rating, limits: Limits
) -> bool:
    power, now, then = sample.get("p"), sample.get("wh_import"), before.registers[0]
    if power is None or before.p is None or now is None or then is None:
        return False
    if not 0 < seconds <= limits.energy_longest_s:
        return False
    step = energy_step(then, now, rating.register_wh)
    if step is None:
        return False
    step, slack_wh = min(step, MOST_WH), limits.slack_wh * rating.ratio
    high, low = max(power, before.p, 0), min(power, before.p)
    floor_w = rating.most_w * limits.energy_floor_permille // 1000
    most_w = high * limits.energy_permille // 1000 + floor_w
    if step > most_energy(most_w, seconds, slack_wh):
        return True
    least_w = low * 1000 // limits.energy_permille
    return low > floor_w and step + slack_wh < least_w * seconds // 3600


def _phase_doubts(sample: Sample, rating: Rating, limits: Limits) -> Doubt:
    found = Doubt.NONE
    total = sample.get("p")
    watts = [sample.get(f"p_{phase}") for phase in PHASES]
    known = [value for value in watts if value is not None]
    if total is not None and len(known) == len(PHASES):
        slack = max(limits.sum_slack_w * rating.ratio, abs(total) * limits.sum_permille // 1000)
        if abs(sum(known) - total) > slack:
            found |= Doubt.PHASE_SUM
    vectors = [(sample.get(f"p_{phase}"), sample.get(f"q_{phase}")) for phase in PHASES]
    if any(
        _stand_crosswise(vectors[one], vectors[other], rating, limits)
        for one, other in ((0, 1), (1, 2), (0, 2))
    ):
        found |= Doubt.PHASE_ORDER
    return found


def _stand_crosswise(
    one: tuple[int | None, int | None],
    other: tuple[int | None, int | None],
    rating: Rating,
    limits: Limits,
) -> bool:
    """Whether the loads of two phases stand between 90 and 135 degrees apart.

    A common load shows the phases nearly the same angle; voltages or currents that are
    swapped show them 120 degrees apart. Half a turn is a reversed CT or feeding back, and
    not told here.
    """
    (p_1, q_1), (p_2, q_2) = one, other
    if p_1 is None or q_1 is None or p_2 is None or q_2 is None:
        return False
    floor = rating.most_w * limits.phase_floor_permille // 1000
    if min(abs(p_1) + abs(q_1), abs(p_2) + abs(q_2)) < max(floor, 1):
        return False
    along, across = p_1 * p_2 + q_1 * q_2, p_1 * q_2 - q_1 * p_2
    return along < 0 and abs(across) >= -along


def _ratio_is_odd(sample: Sample, rating: Rating, limits: Limits) -> bool:
    """Whether power is not what voltage and current make."""
    p, q = sample.get("p"), sample.get("q")
    if p is None or q is None:
        return False
    apparent = 0
    for phase in rating.phases:
        volts, amps = sample.get(f"u_{phase}"), sample.get(f"i_{phase}")
        if volts is None or amps is None:
            return False
        apparent += volts * amps
    apparent //= 10_000  # tenths of volts times milliamperes, to VA
    if apparent < max(rating.most_w * limits.phase_floor_permille // 1000, 1):
        return False
    return (
        abs(p) * 1000 > apparent * limits.ratio_high_permille
        or (abs(p) + abs(q)) * 1000 < apparent * limits.ratio_low_permille
    )
