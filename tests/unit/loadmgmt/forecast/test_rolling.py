"""No look ahead: whatever stands after an origin, in any column, changes no forecast."""

import io
import itertools
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadmgmt.forecast.backtest import backtest
from loadmgmt.forecast.making import MODELS, make
from loadmgmt.forecast.practice import load_practice
from loadmgmt.forecast.rules.rolling import Series, horizon_at, known_at, origins
from loadmgmt.forecast.rules.series_file import read_series
from loadmgmt.forecast.types import (
    Fitted,
    Floats,
    History,
    LoadFileRefused,
    Model,
    Prediction,
    Slots,
)

HOUR = timedelta(hours=1)
DAYS = 40
ORIGIN = 36 * 24
ABSURD = 1e9


def series(*, with_forecast: bool = True) -> Series:
    """Forty days of hours that follow the temperature, the week and the time of day."""
    rng = np.random.default_rng(7)
    n = DAYS * 24
    hour = np.arange(n)
    warm = 10 + 8 * np.sin(hour / 24 * 2 * np.pi) + np.cumsum(rng.normal(0, 0.3, n))
    load = 500 + 90 * np.sin((hour - 6) / 24 * 2 * np.pi) + 12 * np.maximum(18 - warm, 0)
    lines = ["ts,value,temperature" + (",temperature_forecast" if with_forecast else "")]
    stamps = np.datetime64("2026-03-02T00") + hour.astype("timedelta64[h]")
    for place in range(n):
        row = [str(stamps[place]), f"{load[place]:.3f}", f"{warm[place]:.3f}"]
        lines.append(",".join(row + ([f"{warm[place] + 1:.3f}"] if with_forecast else [])))
    return read_series(io.StringIO("\n".join(lines)), HOUR)


def with_a_future_of(whole: Series, value: float) -> Series:
    """Plant absurd numbers after the origin: loads, observed temperatures, far forecasts."""
    kw, warm = whole.kw.copy(), whole.slots.temperature
    assert warm is not None
    warm = warm.copy()
    kw[ORIGIN:] = value
    warm[ORIGIN:] = value
    later = whole.forecast_temperature
    if later is not None:
        later = later.copy()
        later[ORIGIN + 24 :] = value
    return Series(replace(whole.slots, temperature=warm), kw, later)


def forecast(model: Model, whole: Series) -> tuple[list[float], ...]:
    history = known_at(whole, ORIGIN)
    needs = load_practice().models[model.name]
    made = make(
        model,
        history.last_days(needs.window_days),
        horizon_at(whole, ORIGIN, 24),
        hold_out_days=7,
        level=0.8,
    )
    one = made.prediction
    return one.kw.tolist(), one.low.tolist(), one.high.tolist()


@pytest.mark.parametrize("model", MODELS, ids=[model.name for model in MODELS])
@pytest.mark.parametrize("with_forecast", [True, False], ids=["weather forecast", "no weather"])
def test_numbers_planted_after_the_origin_change_no_forecast(
    model: Model, *, with_forecast: bool
) -> None:
    whole = series(with_forecast=with_forecast)
    planted = with_a_future_of(whole, ABSURD)
    assert forecast(model, planted) == forecast(model, whole)


def test_a_model_that_is_judged_never_holds_what_comes_after() -> None:
    whole = series()
    known, ahead = known_at(whole, ORIGIN), horizon_at(whole, ORIGIN, 24)
    assert len(known.kw) == ORIGIN
    for column in (known.kw, known.slots.temperature, known.slots.starts, ahead.temperature):
        assert column is not None
        assert column.base is None  # a copy: nothing behind it leads to the whole series
    assert ahead.temperature is not None
    assert whole.slots.temperature is not None
    assert (ahead.temperature != whole.slots.temperature[ORIGIN : ORIGIN + 24]).all()


class Nosy:
    """A model that notes all it is ever given, and follows every column to what it is cut from."""

    name = "seasonal_naive"
    version = "nosy"

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self.ends: list[str] = []
        self.numbers: set[float] = set()

    def fit(self, history: History, *, level: float) -> Fitted:
        """Note a history."""
        self.ends.append(str(history.slots.starts[-1]))
        self._note(history.kw, history.slots.temperature, history.forecast_temperature)
        assert 0 < level < 1
        return self

    def predict(self, horizon: Slots) -> Prediction:
        """Note a horizon; forecast nothing in particular."""
        self._note(horizon.temperature)
        flat = np.full(len(horizon), 500.0)
        return Prediction(flat, flat - 1, flat + 1)

    def _note(self, *columns: Floats | None) -> None:
        for column in columns:
            while column is not None:
                self.numbers.update(column[np.isfinite(column)].tolist())
                column = column.base  # noqa: PLW2901 - climbs to the array it was cut from


@pytest.mark.parametrize("with_forecast", [True, False], ids=["weather forecast", "no weather"])
def test_a_model_that_looks_everywhere_finds_nothing_of_tomorrow_in_a_backtest(
    *, with_forecast: bool
) -> None:
    whole = series(with_forecast=with_forecast)
    planted = with_a_future_of(whole, ABSURD)
    cut = planted.forecast_temperature
    planted = Series(
        planted.slots.part(0, ORIGIN + 24),
        planted.kw[: ORIGIN + 24],
        None if cut is None else cut[: ORIGIN + 24],
    )
    nosy = Nosy()
    told = backtest(planted, [nosy], load_practice(), horizon=24, count=1)
    (row,) = told["models"]["seasonal_naive"]["by_origin"]
    assert row["origin"] == str(whole.slots.starts[ORIGIN])
    assert row["wape"] == pytest.approx(1, abs=1e-5)  # the planted day is what it was judged by
    assert len(nosy.ends) == 2  # without the days kept back, and with them
    assert max(nosy.ends) < row["origin"]
    assert nosy.numbers
    assert ABSURD not in nosy.numbers


def test_without_a_weather_forecast_the_horizon_has_no_weather() -> None:
    whole = series(with_forecast=False)
    assert known_at(whole, ORIGIN).slots.temperature is not None
    assert horizon_at(whole, ORIGIN, 24).temperature is None


def test_the_backtest_judges_what_the_night_would_have_published() -> None:
    whole = series(with_forecast=False)
    told = backtest(whole, MODELS[:1], load_practice(), horizon=24, count=3)
    assert told["origins"] == 3
    naive = told["models"]["seasonal_naive"]
    assert [row["origin"][:10] for row in naive["by_origin"]] == [
        "2026-04-08",
        "2026-04-09",
        "2026-04-10",
    ]
    last = naive["by_origin"][-1]
    week_before = whole.kw[-8 * 24 : -7 * 24]
    wape = np.abs(whole.kw[-24:] - week_before).sum() / whole.kw[-24:].sum()
    assert last["wape"] == pytest.approx(wape, abs=1e-5)


def test_a_model_with_too_little_history_is_refused_and_not_judged() -> None:
    whole = series(with_forecast=False)
    short = Series(whole.slots.part(0, 10 * 24), whole.kw[: 10 * 24])
    told = backtest(short, MODELS[:1], load_practice(), horizon=24, count=1)
    naive = told["models"]["seasonal_naive"]
    assert naive["refused"] == 1
    assert naive["wape"] is None
    assert naive["by_origin"][0]["refused"] == "too_little_history"


@given(st.integers(1, 60), st.integers(1, 9), st.integers(1, 72))
def test_origins_are_midnights_with_a_whole_horizon_after_them(
    count: int, spacing: int, horizon: int
) -> None:
    slots = SLOTS
    places = origins(slots, horizon=horizon, count=count, spacing_days=spacing)
    assert places == sorted(places)
    assert len(places) <= count
    for place in places:
        assert place + horizon <= len(slots)
        assert str(slots.starts[place])[11:] == "00:00:00"
    assert {b - a for a, b in itertools.pairwise(places)} <= {24 * spacing}


SLOTS = series(with_forecast=False).slots


def test_rows_of_one_slot_become_their_mean_and_a_gap_stays_unknown() -> None:
    text = "ts,value\n2026-01-01T00:00,10\n2026-01-01T00:20,20\n2026-01-01T02:00,5\n"
    read = read_series(io.StringIO(text), HOUR)
    assert read.kw[0] == 15
    assert np.isnan(read.kw[1])
    assert read.kw[2] == 5


def test_holidays_and_make_up_days_of_a_file_decide_what_is_rest() -> None:
    text = "ts,value,holiday,makeup\n2026-01-01,1,1,0\n2026-01-02,1,0,0\n2026-01-03,1,,1\n"
    read = read_series(io.StringIO(text), timedelta(days=1))
    assert read.slots.rest.tolist() == [True, False, False]
    assert read.slots.holiday.tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("time,value\n2026-01-01,1\n", 1),
        ("ts,value\n2026-01-01,many\n", 2),
        ("ts,value\n2026-01-01,1\nyesterday,1\n", 3),
        ("ts,value\n2026-01-01,inf\n", 2),
        ("ts,value\n", 1),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(LoadFileRefused) as refused:
        read_series(io.StringIO(text), HOUR, file="a.csv")
    assert refused.value.facts["line"] == line
