"""Judging models on the past of any series, by rolling origin, without a look ahead."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from loadmgmt.forecast.making import make
from loadmgmt.forecast.rules.features import known_days
from loadmgmt.forecast.rules.metrics import judged, merged
from loadmgmt.forecast.rules.rolling import Series, horizon_at, known_at, origins
from loadmgmt.forecast.types import Errors, ForecastRules, Model, ModelFailed

Json = dict[str, Any]


def backtest(
    series: Series,
    models: Sequence[Model],
    practice: ForecastRules,
    *,
    horizon: int,
    count: int,
    spacing_days: int = 1,
) -> Json:
    """Forecast from each of the last origins as the nightly job would, and judge.

    Args:
        series: the whole; models only ever get what lies before an origin.
        models: to be judged.
        practice: window and needs of each model, level of the interval.
        horizon: slots to forecast from each origin.
        count: origins at most.
        spacing_days: days from one origin to the next [d].

    Returns:
        By model: version, errors over all origins, mean seconds, and a row per origin.
    """
    places = origins(series.slots, horizon=horizon, count=count, spacing_days=spacing_days)
    return {
        "slots": len(series.slots),
        "from": str(series.slots.starts[0]),
        "to": str(series.slots.starts[-1]),
        "known_share": round(float(np.isfinite(series.kw).mean()), 4),
        "step_minutes": int(series.slots.step.total_seconds() // 60),
        "horizon": horizon,
        "origins": len(places),
        "spacing_days": spacing_days,
        "temperature": "as forecast" if series.forecast_temperature is not None else "none",
        "models": {
            model.name: _of_model(series, model, practice, places, horizon) for model in models
        },
    }


def _of_model(
    series: Series, model: Model, practice: ForecastRules, places: Sequence[int], horizon: int
) -> Json:
    rows, errors, sums = [], [], []
    for origin in places:
        row: Json = {"origin": str(series.slots.starts[origin])}
        began = time.perf_counter()
        one = _from_origin(series, model, practice, origin, horizon)
        row["fit_seconds"] = round(time.perf_counter() - began, 3)
        if isinstance(one, str):
            row["refused"] = one
        else:
            actual = series.kw[origin : origin + horizon]
            errors.append(one)
            sums.append(float(np.nansum(np.abs(actual))))
            row |= _rounded(one)
        rows.append(row)
    seconds = [row["fit_seconds"] for row in rows if "refused" not in row]
    return {
        "version": model.version,
        **_rounded(merged(errors, sums)),
        "fit_seconds": round(sum(seconds) / len(seconds), 3) if seconds else None,
        "refused": sum("refused" in row for row in rows),
        "by_origin": rows,
    }


def _from_origin(
    series: Series, model: Model, practice: ForecastRules, origin: int, horizon: int
) -> Errors | str:
    needs = practice.models[model.name]
    known = known_at(series, origin)
    window = known.last_days(needs.window_days)
    if known_days(window, least_share=float(practice.history.day_share)) < needs.least_days:
        return "too_little_history"
    try:
        made = make(
            model,
            window,
            horizon_at(series, origin, horizon),
            hold_out_days=practice.hold_out_days,
            level=float(practice.level),
        )
    except ModelFailed as error:
        return str(error.facts["why"])
    return judged(made.prediction, series.kw[origin : origin + horizon])


def _rounded(errors: Errors) -> Json:
    return {
        name: None if value is None else round(value, 5) for name, value in asdict(errors).items()
    }
