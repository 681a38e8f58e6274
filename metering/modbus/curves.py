"""What a simulated meter measures: real curves, replayed as a pure function of time.

The extracts in `metering/demo_curves` hold measured points every 15 minutes for 28 days; between
two points a value runs straight, and after 28 days, which begin on a Monday, they start again.
Nothing random is added. What the extracts do not hold is assumed, and said here: the frequency
is 50 Hz; shops and factories keep the power factor and the phase shares below; nobody exports;
tariffs change at the hours below, every day of the year.
"""

import zlib
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Generic, Literal, NamedTuple, TypeAlias

import numpy as np

from metering.modbus.extracts import (
    DAY_STEPS,
    HOMES,
    NOMINAL_V,
    STEP_S,
    STEPS,
    WEEK_STEPS,
    Floats,
    Moment,
    Moments,
    N,
    Place,
    Series,
    home,
    share_of_hours,
    zones,
)

Kind = Literal["home", "shop", "factory"]
State: TypeAlias = dict[str, float]
"""Values by the names of `quantities.QUANTITIES`, in their units; a missing phase has no entry."""

FREQUENCY_HZ = 50.0
PHASES = ("a", "b", "c")

FIRST_DAY = (2024, 1, 1)
"""A Monday, at local midnight: every register stood at zero. Earlier times are refused."""

REACTIVE_PER_ACTIVE = {"shop": 0.3287, "factory": 0.4260}
"""Assumed tangent of the load angle [1]: power factors 0.95 and 0.92."""

SHARES = {"shop": (0.36, 0.33, 0.31), "factory": (0.34, 0.335, 0.325)}
"""Assumed share of each phase in the total [1], turned by the seed."""

HABIT_STEPS = 4
"""Homes keep their hours up to this many quarter-hours earlier or later than measured [1]."""

STRIDES = (1, 2, 4, 5)
"""Steps from one phase's window to the next, such that three phases have three windows."""

TARIFFS = ("sharp", "peak", "flat", "valley")
"""The periods of a terminal's own tariff clock (尖峰平谷)."""
HOURS = "vvvvvvvvffppffpppffssppf"
"""Assumed tariff of each hour of the day, by its first letter."""

ZONES = {"shop": ("zone_1", "zone_3"), "factory": ("zone_2", "zone_1")}
"""Which zones of the extract a kind may follow."""


_HOURS_OF_TARIFF = tuple(
    frozenset(hour for hour, letter in enumerate(HOURS) if letter == tariff[0])
    for tariff in TARIFFS
)


class Phase(NamedTuple, Generic[N]):
    """One phase: voltage [V], current in phase with it [A], current lagging it [A]."""

    u: N
    active_a: N
    reactive_a: N


class Choice(NamedTuple):
    """What a seed chose: a home's window per phase, steps into the ring, zone, turn of shares."""

    windows: list[int]
    shift: int
    zone: int
    turn: int


class Track(NamedTuple):
    """Where one phase takes its values from, and by how much they are multiplied."""

    voltage: Series
    active: Series
    reactive: Series
    volts: float
    watts: float
    vars: float


class MeterCurve:
    """What one meter measures at any time since its first day, on the primary side.

    Args:
        kind: what stands behind the meter.
        seed: chooses the extracts of load and voltage, the week they begin with, and for homes
            habits up to an hour earlier or later.
        peak_w: largest total active power within the 28 days [W].
        nominal_v: nominal voltage, phase to neutral [V].
        phases: 1 or 3.
        zone: local time; the offset of the first day is kept all year, so that in a zone
            with summer time the curves stand an hour off in summer.
    """

    def __init__(
        self,
        kind: Kind,
        *,
        seed: int,
        peak_w: float,
        zone: tzinfo,
        nominal_v: float = NOMINAL_V,
        phases: Literal[1, 3] = 1,
    ) -> None:
        self.kind = kind
        self.nominal_v = nominal_v
        self.phases = PHASES[:phases]
        choice = _choose(kind, seed)
        self._shift = choice.shift
        first = datetime(*FIRST_DAY, tzinfo=zone)
        self._zero_s = first.timestamp()
        self._tracks = _tracks(kind, choice, peak_w, nominal_v, phases)
        start = Moment(0, self._shift, 0.0)
        self._wh_at_zero = [start.integral(track.active) * track.watts for track in self._tracks]
        self._varh_at_zero = [start.integral(track.reactive) * track.vars for track in self._tracks]

    def at(self, t: float) -> State:
        """The state at one instant.

        Args:
            t: seconds since 1970-01-01 UTC [s].

        Raises:
            ValueError: t is before the first day.
        """
        loads = self.loads(t)
        return state(loads, self.energy(t), neutral_a=neutral_current(loads))

    def loads(self, t: float) -> list[Phase[float]]:
        """Voltage and currents of each phase at one instant [s since 1970-01-01 UTC]."""
        return _loads(self._tracks, self._moment(t))

    def energy(self, t: float) -> tuple[list[float], list[float]]:
        """Energy since the first day, by phase, up to one instant [s since 1970-01-01 UTC].

        Returns:
            Active energy of each phase [Wh], reactive energy of each phase [varh].
        """
        return self._energy(self._moment(t))

    def by_tariff(self, t: float) -> list[list[float]]:
        """Active energy since the first day [Wh], by phase and then as TARIFFS has them."""
        at, start = self._moment(t), Moment(0, self._shift, 0.0)
        midnight = self._shift % DAY_STEPS
        return [
            [
                (share.integral(track.active, at) - share.integral(track.active, start))
                * track.watts
                for share in (
                    share_of_hours(track.active, midnight, hours) for hours in _HOURS_OF_TARIFF
                )
            ]
            for track in self._tracks
        ]

    def history(self, ts: Floats) -> dict[str, Floats]:
        """The states at many instants, as arrays by quantity.

        Args:
            ts: seconds since 1970-01-01 UTC [s], any shape.

        Raises:
            ValueError: one is before the first day.
        """
        moments = self._moments(ts)
        loads = _loads(self._tracks, moments)
        wh, varh = self._energy(moments)
        return state(loads, (wh, varh), neutral_a=neutral_current(loads))

    def _moment(self, t: float) -> Moment:
        since = (t - self._zero_s) / STEP_S
        if since < 0:
            raise ValueError("before the first day of the curves")
        whole = int(since)
        rings, step = divmod(whole + self._shift, STEPS)
        return Moment(rings, step, since - whole)

    def _moments(self, ts: Floats) -> Moments:
        since = (np.asarray(ts, dtype=np.float64) - self._zero_s) / STEP_S
        if np.any(since < 0):
            raise ValueError("before the first day of the curves")
        whole = since.astype(np.int64)
        rings, step = np.divmod(whole + self._shift, STEPS)
        return Moments(rings.astype(np.float64), step, since - whole)

    def _energy(self, place: Place[N]) -> tuple[list[N], list[N]]:
        wh = [
            place.integral(track.active) * track.watts - zero
            for track, zero in zip(self._tracks, self._wh_at_zero, strict=True)
        ]
        varh = [
            place.integral(track.reactive) * track.vars - zero
            for track, zero in zip(self._tracks, self._varh_at_zero, strict=True)
        ]
        return wh, varh


def state(
    measured: Sequence[Phase[N]], energy: tuple[list[N], list[N]], *, neutral_a: N
) -> dict[str, N]:
    """Everything a meter shows of its phases, consistent with itself.

    Args:
        measured: what the meter's own transducers see of each phase.
        energy: active [Wh] and reactive [varh] energy of each phase.
        neutral_a: current in the neutral [A].
    """
    shown: dict[str, N] = {"i_n": neutral_a}
    for name, (u, active_a, reactive_a) in zip(PHASES, measured, strict=False):
        shown[f"u_{name}"] = u
        shown[f"i_{name}"] = (active_a * active_a + reactive_a * reactive_a) ** 0.5
        shown[f"p_{name}"] = u * active_a
        shown[f"q_{name}"] = u * reactive_a
    nothing = measured[0].u * 0.0
    shown["p"] = p = nothing + _total([phase.u * phase.active_a for phase in measured])
    shown["q"] = q = nothing + _total([phase.u * phase.reactive_a for phase in measured])
    shown["pf"] = _power_factor(p, (p * p + q * q) ** 0.5)
    shown["f"] = nothing + FREQUENCY_HZ
    shown["wh_import"] = _total(energy[0])
    shown["wh_export"] = nothing
    shown["varh_import"] = _total(energy[1])
    return shown


def neutral_current(loads: Sequence[Phase[N]]) -> N:
    """Current in the neutral [A]: the phasor sum, phases a third of a turn apart."""
    turns = ((1.0, 0.0), (-0.5, -(0.75**0.5)), (-0.5, 0.75**0.5))
    across = [
        phase.active_a * cos + phase.reactive_a * sin
        for phase, (cos, sin) in zip(loads, turns, strict=False)
    ]
    along = [
        phase.active_a * sin - phase.reactive_a * cos
        for phase, (cos, sin) in zip(loads, turns, strict=False)
    ]
    x, y = _total(across), _total(along)
    total: N = (x * x + y * y) ** 0.5
    return total


def _total(parts: Sequence[N]) -> N:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _power_factor(active: N, apparent: N) -> N:
    """An idle meter shows 1, as the standing ones do."""
    if isinstance(apparent, float):
        return active / apparent if apparent else apparent + 1.0
    return active / apparent


def _loads(tracks: Sequence[Track], place: Place[N]) -> list[Phase[N]]:
    loads: list[Phase[N]] = []
    for track in tracks:
        u = place.value(track.voltage) * track.volts
        active_a = place.value(track.active) * track.watts / u
        reactive_a = place.value(track.reactive) * track.vars / u
        loads.append(Phase(u, active_a, reactive_a))
    return loads


def _choose(kind: Kind, seed: int) -> Choice:
    """Spread seeds evenly over everything there is to choose from."""
    rest = zlib.crc32(f"{kind}:{seed}".encode())
    digits = []
    for base in (HOMES, len(STRIDES), 4, 2 * HABIT_STEPS + 1, 2, len(PHASES)):
        rest, digit = divmod(rest, base)
        digits.append(digit)
    first, stride, week, habit, zone, turn = digits
    shift = WEEK_STEPS * week + (habit - HABIT_STEPS if kind == "home" else 0)
    windows = [1 + (first + STRIDES[stride] * phase) % HOMES for phase in range(len(PHASES))]
    return Choice(windows, shift % STEPS, zone, turn)


def _tracks(
    kind: Kind, choice: Choice, peak_w: float, nominal_v: float, phases: int
) -> tuple[Track, ...]:
    volts = nominal_v / NOMINAL_V
    windows = [home(number) for number in choice.windows[:phases]]
    if kind == "home":
        watts = peak_w / float(np.sum([window["p_w"].values for window in windows], axis=0).max())
        return tuple(
            Track(window["u_v"], window["p_w"], window["q_var"], volts, watts, watts)
            for window in windows
        )
    zone = zones()[ZONES[kind][choice.zone]]
    turned = SHARES[kind][choice.turn :] + SHARES[kind][: choice.turn]
    shares = turned if phases == len(PHASES) else (1.0,)
    slope = REACTIVE_PER_ACTIVE[kind]
    return tuple(
        Track(window["u_v"], zone, zone, volts, peak_w * share, peak_w * share * slope)
        for window, share in zip(windows, shares, strict=True)
    )
