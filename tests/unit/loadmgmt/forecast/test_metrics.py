"""Errors of forecasts: over what is known, and unknown where nothing can be said."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadmgmt.forecast.rules.metrics import LEAST, MOST, judged, merged, stretch, widened
from loadmgmt.forecast.types import Errors, Floats, Prediction

LOADS = st.lists(st.floats(1, 1e5), min_size=1, max_size=50)


def flat(kw: list[float] | Floats, reach: float = 10.0) -> Prediction:
    values = np.array(kw, dtype=np.float64)
    return Prediction(values, values - reach, values + reach)


def test_the_figures_of_a_small_day() -> None:
    errors = judged(flat([110, 190, 300]), np.array([100.0, 200.0, 400.0]))
    assert errors.wape == pytest.approx(120 / 700)
    assert errors.mape == pytest.approx((0.1 + 0.05 + 0.25) / 3)
    assert errors.rmse == pytest.approx((10200 / 3) ** 0.5)
    assert errors.peak == pytest.approx(300 / 400 - 1)
    assert errors.coverage == pytest.approx(2 / 3)
    assert errors.share == 1


def test_what_is_unknown_is_left_out_and_its_share_is_said() -> None:
    errors = judged(flat([110, 5000, 90, 100]), np.array([100.0, np.nan, 100.0, np.nan]))
    assert errors.wape == pytest.approx(0.1)
    assert errors.share == 0.5


def test_a_day_of_which_nothing_is_known_has_no_error_and_not_zero() -> None:
    assert judged(flat([1, 2]), np.array([np.nan, np.nan])) == Errors()
    assert Errors().wape is None


def test_a_load_of_nothing_has_no_relative_error() -> None:
    errors = judged(flat([1, 2]), np.zeros(2))
    assert (errors.wape, errors.mape, errors.peak) == (None, None, None)
    assert errors.rmse == pytest.approx((5 / 2) ** 0.5)


def test_one_slot_of_nothing_takes_the_mean_percentage_only() -> None:
    errors = judged(flat([1, 2]), np.array([0.0, 2.0]))
    assert errors.mape is None
    assert errors.wape == pytest.approx(0.5)


@given(LOADS)
def test_a_perfect_forecast_has_no_error(loads: list[float]) -> None:
    errors = judged(flat(loads), np.array(loads))
    assert (errors.wape, errors.rmse, errors.peak, errors.coverage) == (0, 0, 0, 1)


@given(LOADS, st.floats(0.1, 10))
def test_relative_errors_do_not_know_the_unit(loads: list[float], scale: float) -> None:
    actual = np.array(loads)
    one = judged(flat(actual * 1.1), actual)
    other = judged(flat(actual * 1.1 * scale), actual * scale)
    assert one.wape == pytest.approx(other.wape)
    assert one.mape == pytest.approx(other.mape)


@given(st.lists(st.floats(-100, 100), min_size=5, max_size=80), st.floats(0.5, 0.95))
def test_a_stretched_interval_holds_the_share_it_is_meant_to(
    off: list[float], level: float
) -> None:
    prediction = flat(np.zeros(len(off)), reach=10.0)
    actual = np.array(off)
    factor = stretch(prediction, actual, level=level)
    assert LEAST <= factor <= MOST
    held = judged(widened(prediction, factor + 1e-9), actual).coverage or 0.0
    if factor < MOST:
        assert held >= level - 1 / len(off)


def test_an_interval_is_left_alone_where_nothing_is_known() -> None:
    assert stretch(flat([1, 2]), np.array([np.nan, np.nan]), level=0.8) == 1


def test_days_are_joined_by_their_loads() -> None:
    days = [Errors(wape=0.1, peak=0.2, share=1), Errors(wape=0.3, peak=-0.2, share=1), Errors()]
    joined = merged(days, [300.0, 100.0, 0.0])
    assert joined.wape == pytest.approx(0.15)
    assert joined.peak == pytest.approx(0.2)
    assert joined.mape is None
    assert merged([], []).wape is None
