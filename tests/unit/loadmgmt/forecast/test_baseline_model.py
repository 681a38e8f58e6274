"""The yardstick: last week's same weekday, the week before where that is unknown."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.worktime import WorkCalendar
from loadmgmt.forecast.baseline_model import SeasonalNaive
from loadmgmt.forecast.rules.features import grid, slots_of
from loadmgmt.forecast.types import Floats, History, ModelFailed, Prediction, Slots

HOUR = timedelta(hours=1)
MONDAY = np.datetime64("2026-06-01T00:00:00")
CALENDAR = WorkCalendar(ZoneInfo("Asia/Shanghai"))


def history(kw: Floats) -> History:
    return History(slots_of(grid(MONDAY, HOUR, len(kw)), HOUR, CALENDAR), kw)


def day_after(kw: Floats, *, days: int = 0) -> Slots:
    first = MONDAY + np.timedelta64(len(kw) + 24 * days, "h")
    return slots_of(grid(first, HOUR, 24), HOUR, CALENDAR)


def forecast(kw: Floats, *, days: int = 0) -> Prediction:
    return SeasonalNaive().fit(history(kw), level=0.8).predict(day_after(kw, days=days))


@given(st.integers(0, 2**32), st.integers(14, 30))
def test_tomorrow_is_the_same_weekday_last_week(seed: int, days: int) -> None:
    kw = np.random.default_rng(seed).uniform(0, 1e6, days * 24)
    assert forecast(kw).kw.tolist() == kw[(days - 7) * 24 : (days - 6) * 24].tolist()


def test_where_last_week_is_unknown_it_is_the_week_before() -> None:
    kw = np.arange(21 * 24, dtype=np.float64)
    kw[14 * 24 : 14 * 24 + 3] = np.nan
    said = forecast(kw).kw
    assert said[:3].tolist() == kw[7 * 24 : 7 * 24 + 3].tolist()
    assert said[3] == kw[14 * 24 + 3]


def test_a_day_further_ahead_than_a_week_takes_a_week_that_was_known() -> None:
    kw = np.arange(21 * 24, dtype=np.float64)
    assert forecast(kw, days=8).kw.tolist() == kw[15 * 24 : 16 * 24].tolist()


def test_a_time_of_day_never_known_on_that_weekday_is_what_it_usually_is() -> None:
    kw = np.full(14 * 24, 50.0)
    kw[[5, 7 * 24 + 5]] = np.nan  # Monday at five, in both weeks
    assert forecast(kw).kw[5] == 50


def test_a_time_of_day_never_measured_is_drawn_from_its_neighbours() -> None:
    kw = np.tile(np.arange(24, dtype=np.float64), 14)
    kw[3::24] = np.nan
    assert forecast(kw).kw[3] == 3


def test_the_interval_is_what_it_got_wrong_before() -> None:
    kw = np.concatenate([np.full(168, 100.0), np.full(168, 110.0), np.full(168, 130.0)])
    said = forecast(kw)
    assert (said.low <= said.kw).all()
    assert said.high.max() <= 130 + 20
    assert said.high.min() >= 130 + 10


def test_a_series_that_repeats_itself_leaves_no_doubt() -> None:
    kw = np.tile(np.arange(168, dtype=np.float64), 3)
    said = forecast(kw)
    assert (said.low == said.kw).all()
    assert (said.high == said.kw).all()


def test_nothing_cannot_be_forecast_from_nothing() -> None:
    with pytest.raises(ModelFailed):
        forecast(np.full(14 * 24, np.nan))
