"""How any model is put to work: with the days kept back that say how far it may be believed.

A model is fitted twice: without the last days, to see how far off it is on them and to stretch
its interval by that; then with them, to forecast. The nightly job and the backtest both go this
way, so that what is measured is what is published.
"""

from dataclasses import replace

import numpy as np

from loadmgmt.forecast.baseline_model import SeasonalNaive
from loadmgmt.forecast.prophet_model import ProphetModel
from loadmgmt.forecast.rules.metrics import judged, stretch, widened
from loadmgmt.forecast.types import (
    Errors,
    Floats,
    ForecastPointsDiffer,
    History,
    Made,
    Model,
    Prediction,
    Slots,
)

MODELS: tuple[Model, ...] = (SeasonalNaive(), ProphetModel())
"""Every model there is, the yardstick first."""


def make(
    model: Model, history: History, horizon: Slots, *, hold_out_days: int, level: float
) -> Made:
    """Forecast a horizon from a history.

    Temperature is used only where it is known for most of the history and forecast for all of
    the horizon.

    Args:
        model: any.
        history: up to the origin.
        horizon: begins at the origin or later.
        hold_out_days: how many days are kept back [d].
        level: share of actual values the interval is meant to hold [1].

    Raises:
        ModelFailed: the model cannot be fitted.
        ForecastPointsDiffer: it answered something else.
    """
    with_temperature = _is_warm(history, horizon)
    if not with_temperature:
        history = replace(history, slots=history.slots.without_temperature())
        horizon = horizon.without_temperature()
    back = hold_out_days * history.slots.per_day
    last_week, factor = _on_days_kept_back(model, history, back, level=level)
    prediction = _checked(model.fit(history, level=level).predict(horizon), horizon)
    return Made(widened(prediction, factor), last_week, with_temperature)


def _on_days_kept_back(
    model: Model, history: History, back: int, *, level: float
) -> tuple[Errors, float]:
    """Forecast the last days from the ones before; the weather as it had been forecast."""
    n = len(history.kw)
    if n < 2 * back:
        return Errors(), 1.0
    before, last = history.part(0, n - back), history.part(n - back, n)
    temperature = last.forecast_temperature
    horizon = replace(last.slots, temperature=temperature)
    if not _is_warm(before, horizon):
        before = replace(before, slots=before.slots.without_temperature())
        horizon = horizon.without_temperature()
    prediction = _checked(model.fit(before, level=level).predict(horizon), horizon)
    factor = stretch(prediction, last.kw, level=level)
    return judged(prediction, last.kw), factor


LEAST_WARM = 0.8
"""Share of a history whose temperature must be known for a model to learn from it [1]."""


def _is_warm(history: History, horizon: Slots) -> bool:
    past, ahead = history.slots.temperature, horizon.temperature
    if past is None or ahead is None or not len(past):
        return False
    return bool(np.isfinite(past).mean() >= LEAST_WARM and np.isfinite(ahead).all())


def _checked(prediction: Prediction, horizon: Slots) -> Prediction:
    columns: tuple[Floats, ...] = (prediction.kw, prediction.low, prediction.high)
    if any(len(one) != len(horizon) or not np.isfinite(one).all() for one in columns):
        raise ForecastPointsDiffer(expected=len(horizon))
    return prediction
