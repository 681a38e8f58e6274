"""Curves: a pure function of time, consistent with itself, within the voltage limits."""

from datetime import datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.modbus.curves import FIRST_DAY, REACTIVE_PER_ACTIVE, MeterCurve
from metering.modbus.extracts import HOMES, STEPS, home, zones

SHANGHAI = ZoneInfo("Asia/Shanghai")
FIRST = datetime(*FIRST_DAY, tzinfo=SHANGHAI)
KINDS = [("home", 1), ("home", 3), ("shop", 1), ("shop", 3), ("factory", 3)]
LATER = st.floats(0, 5 * 365 * 86400)


def curve_of(kind: str = "home", phases: int = 1, seed: int = 7, **changes: float) -> MeterCurve:
    return MeterCurve(
        kind,
        seed=seed,
        peak_w=changes.pop("peak_w", 8000.0),
        phases=phases,
        zone=SHANGHAI,
        **changes,
    )


def test_every_extract_is_four_whole_weeks() -> None:
    columns = [series for number in range(1, HOMES + 1) for series in home(number).values()]
    for series in [*columns, *zones().values()]:
        assert len(series.values) == STEPS + 1
        assert np.isfinite(series.values).all()
        assert (series.values >= 0).all()


def test_the_voltage_of_every_extract_stays_within_the_limits_all_the_time() -> None:
    for number in range(1, HOMES + 1):
        volts = home(number)["u_v"].values
        assert volts.min() >= 204.6
        assert volts.max() <= 235.4


@pytest.mark.parametrize(("kind", "phases"), KINDS)
@pytest.mark.parametrize("seed", range(40))
def test_no_seed_leaves_the_voltage_limits_at_any_quarter_hour(
    kind: str, phases: int, seed: int
) -> None:
    ts = FIRST.timestamp() + 900.0 * np.arange(STEPS)
    history = curve_of(kind, phases, seed).history(ts)
    for name in ("u_a", "u_b", "u_c")[:phases]:
        assert history[name].min() >= 204.6
        assert history[name].max() <= 235.4


@given(st.sampled_from(KINDS), st.integers(0, 1000), LATER)
def test_a_state_agrees_with_itself(kind: tuple[str, int], seed: int, later: float) -> None:
    state = curve_of(*kind, seed=seed).at(FIRST.timestamp() + later)
    names = "abc"[: kind[1]]
    for name in names:
        apparent = state[f"u_{name}"] * state[f"i_{name}"]
        assert apparent == pytest.approx(np.hypot(state[f"p_{name}"], state[f"q_{name}"]))
    assert state["p"] == pytest.approx(sum(state[f"p_{name}"] for name in names))
    assert state["q"] == pytest.approx(sum(state[f"q_{name}"] for name in names))
    assert state["pf"] == pytest.approx(state["p"] / np.hypot(state["p"], state["q"]))
    assert 0 < state["pf"] <= 1
    assert 0 < state["p"] <= 8000 * (1 + 1e-9)
    assert state["wh_export"] == 0


@given(st.sampled_from(KINDS), st.integers(0, 1000), st.lists(LATER, min_size=1, max_size=20))
def test_one_instant_and_a_history_are_the_same(
    kind: tuple[str, int], seed: int, later: list[float]
) -> None:
    curve = curve_of(*kind, seed=seed)
    ts = FIRST.timestamp() + np.array(later)
    history = curve.history(ts)
    for at, t in enumerate(ts.tolist()):
        state = curve.at(t)
        assert sorted(state) == sorted(history)
        for name, value in state.items():
            assert history[name][at] == pytest.approx(value, rel=1e-9, abs=1e-9)


@given(st.sampled_from(KINDS), st.integers(0, 1000), LATER, st.floats(1, 40 * 86400))
def test_energy_is_the_integral_of_power(
    kind: tuple[str, int], seed: int, later: float, span: float
) -> None:
    curve = curve_of(*kind, seed=seed)
    start = FIRST.timestamp() + later
    edges = np.unique(
        np.concatenate(
            ([start], np.arange(np.ceil(start / 900), (start + span) / 900) * 900, [start + span])
        )
    )
    history = curve.history(edges)
    hours = np.diff(edges) / 3600
    for energy, power in (("wh_import", "p"), ("varh_import", "q")):
        # power runs straight within a step of each phase's extract: trapezes are exact
        areas = (history[power][1:] + history[power][:-1]) / 2 * hours
        gained = history[energy][-1] - history[energy][0]
        assert gained == pytest.approx(areas.sum(), rel=1e-6, abs=1e-3)
        assert (np.diff(history[energy]) >= 0).all()


def test_registers_start_at_zero_on_the_first_day_and_earlier_times_are_refused() -> None:
    curve = curve_of()
    assert curve.at(FIRST.timestamp())["wh_import"] == pytest.approx(0)
    with pytest.raises(ValueError, match="first day"):
        curve.at(FIRST.timestamp() - 1)
    with pytest.raises(ValueError, match="first day"):
        curve.history(np.array([FIRST.timestamp() - 1]))


def test_weekdays_and_local_hours_stand_where_they_were_measured() -> None:
    curve = curve_of("shop", 3)
    shape = None
    for name in ("zone_1", "zone_3"):
        # the window begins on a Monday at midnight; Monday 10:00 local is its 40th quarter-hour
        values = [zones()[name].values[40 + week * 672] * 8000 for week in range(4)]
        mondays = [
            curve.at((FIRST + timedelta(days=7 * week, hours=10)).timestamp())["p"]
            for week in range(4)
        ]
        if mondays[0] in [pytest.approx(value) for value in values]:
            shape = name
            assert sorted(mondays) == pytest.approx(sorted(values))
    assert shape is not None


def test_seeds_give_different_meters() -> None:
    t = FIRST.timestamp() + 1e7
    states = {
        (round(state["u_a"], 3), round(state["p"], 3))
        for state in (curve_of(seed=seed).at(t) for seed in range(2000))
    }
    assert len(states) > 200


def test_the_phases_of_a_meter_have_voltages_of_their_own() -> None:
    t = FIRST.timestamp() + 1e7
    for seed in range(50):
        state = curve_of("shop", 3, seed).at(t)
        assert len({state["u_a"], state["u_b"], state["u_c"]}) == 3


def test_the_peak_is_the_largest_power_asked_for() -> None:
    ts = FIRST.timestamp() + 900.0 * np.arange(STEPS)
    for (kind, phases), peak_w in product(KINDS, (3000.0, 400_000.0)):
        history = curve_of(kind, phases, peak_w=peak_w).history(ts)
        assert history["p"].max() == pytest.approx(peak_w)


def test_a_higher_nominal_voltage_scales_voltage_and_current() -> None:
    t = FIRST.timestamp() + 1e6
    low, high = (curve_of(nominal_v=volts).at(t) for volts in (220.0, 2200.0))
    assert high["u_a"] == pytest.approx(10 * low["u_a"])
    assert high["i_a"] == pytest.approx(low["i_a"] / 10)
    assert high["p"] == pytest.approx(low["p"])


def test_the_neutral_of_a_balanced_load_carries_little_and_of_one_phase_carries_all() -> None:
    t = FIRST.timestamp() + 1e6
    one, three = curve_of().at(t), curve_of("factory", 3).at(t)
    assert one["i_n"] == pytest.approx(one["i_a"])
    assert three["i_n"] < 0.1 * three["i_a"]


def test_a_shop_keeps_the_power_factor_the_module_names() -> None:
    state = curve_of("shop", 3).at(FIRST.timestamp() + 1e6)
    assert state["q"] / state["p"] == pytest.approx(REACTIVE_PER_ACTIVE["shop"])
