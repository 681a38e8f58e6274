"""Prophet: a slow trend, the week, the shape of working days and days of rest, holidays.

The only file that imports the library, and only inside `fit`: importing it takes seconds and
more than a hundred megabytes, which no web process is to carry. The optimiser runs as a
process of its own (CmdStan), so a fit holds no other thread of this one for long.

Temperature, where it is known and forecast, enters as degrees above COMFORT and below it.
Windows are some weeks long (forecast.toml), so there is no yearly season.
"""

import logging
import warnings
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from loadmgmt.forecast.types import Floats, History, ModelFailed, Prediction, Slots

COMFORT_C = 18.0
"""Heating begins below, cooling above [°C]; the usual base of degree days."""
DAY_WAVES, WEEK_WAVES = 10, 3
"""Fourier terms of a day and of a week."""
SAMPLES = 1000
"""Draws the interval is taken from."""
SEED = 20260618


class ProphetModel:
    """Prophet with China's working days."""

    name: ClassVar[str] = "prophet"
    version: ClassVar[str] = "1"

    def fit(self, history: History, *, level: float) -> "FittedProphet":
        """Fit trend, seasons, holidays and, if there is one, temperature."""
        model = _model(history.slots, level)
        table = _table(history.slots)
        table["y"] = history.kw
        known = table.dropna()
        if len(known) < history.slots.per_day:
            raise ModelFailed(model=self.name, why="no history")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the library's own, about other libraries
                model.fit(known, seed=SEED)
        except (RuntimeError, ValueError) as error:
            raise ModelFailed(model=self.name, why=str(error)[:200]) from error
        return FittedProphet(model)


@dataclass(frozen=True, slots=True, eq=False)
class FittedProphet:
    """A fitted Prophet."""

    model: Any

    def predict(self, horizon: Slots) -> Prediction:
        """Forecast; the draws of the interval are the same each time."""
        state = np.random.get_state()  # noqa: NPY002 - the library draws from the global state
        np.random.seed(SEED)  # noqa: NPY002
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                said = self.model.predict(_table(horizon))
        finally:
            np.random.set_state(state)  # noqa: NPY002
        return Prediction(*(_column(said[name]) for name in ("yhat", "yhat_lower", "yhat_upper")))


def _model(slots: Slots, level: float) -> Any:
    logging.getLogger("prophet.plot").setLevel(logging.CRITICAL)  # says what it cannot draw with
    optimiser = logging.getLogger("cmdstanpy")
    optimiser.addHandler(logging.NullHandler())  # without one it makes its own, and says each step
    optimiser.setLevel(logging.WARNING)
    from prophet import Prophet

    model = Prophet(
        growth="linear",
        daily_seasonality=False,
        weekly_seasonality=WEEK_WAVES,
        yearly_seasonality=False,
        interval_width=level,
        uncertainty_samples=SAMPLES,
    )
    waves = min(DAY_WAVES, slots.per_day // 2 - 1)
    for kind in ("work", "rest"):
        model.add_seasonality(f"day_of_{kind}", period=1, fourier_order=waves, condition_name=kind)
    model.add_regressor("holiday")
    if slots.temperature is not None:
        model.add_regressor("heating")
        model.add_regressor("cooling")
    return model


def _table(slots: Slots) -> Any:
    import pandas as pd

    columns: dict[str, Any] = {
        "ds": slots.starts.astype("datetime64[ns]"),
        "work": ~slots.rest,
        "rest": slots.rest,
        "holiday": slots.holiday.astype(np.float64),
    }
    if slots.temperature is not None:
        columns["heating"] = np.maximum(COMFORT_C - slots.temperature, 0.0)
        columns["cooling"] = np.maximum(slots.temperature - COMFORT_C, 0.0)
    return pd.DataFrame(columns)


def _column(values: Any) -> Floats:
    return np.asarray(values, dtype=np.float64)
