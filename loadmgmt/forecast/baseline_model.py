"""The yardstick: what was measured on the same weekday last week (上周同日).

It knows no holiday and no weather, and it is not to be improved: a model that does worse
than this is not worth its electricity. Where last week is unknown it takes the week before,
up to MOST_WEEKS back; where all of them are, the median of that time of day; a time of day
never measured is drawn from its neighbours.

Its interval is what it got wrong before: the quantiles of its own errors at about that time
of day, over the history it was given.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from loadmgmt.forecast.rules.features import looked_up
from loadmgmt.forecast.types import Floats, History, ModelFailed, Places, Prediction, Slots, Times

WEEK = np.timedelta64(7, "D").astype("timedelta64[s]")
MOST_WEEKS = 6
NEIGHBOURS_H = 1.0
"""Errors up to this far from a time of day are counted with it [h]."""


class SeasonalNaive:
    """Same weekday last week."""

    name: ClassVar[str] = "seasonal_naive"
    version: ClassVar[str] = "1"

    def fit(self, history: History, *, level: float) -> "FittedNaive":
        """Keep the history and the quantiles of last week's errors."""
        if not np.isfinite(history.kw).any():
            raise ModelFailed(model=self.name, why="no history")
        starts, kw = history.slots.starts, history.kw
        errors = kw - looked_up(starts, kw, starts - WEEK)
        low, high = _quantiles(_time_of_day(history.slots), errors, history.slots, level)
        return FittedNaive(history, low, high)


@dataclass(frozen=True, slots=True, eq=False)
class FittedNaive:
    """The history, and by time of day how far off it was [kW], float64[slots per day]."""

    history: History
    low: Floats
    high: Floats

    def predict(self, horizon: Slots) -> Prediction:
        """Give the loads of the same weekday in the last week that is known."""
        kw = self._last_known(horizon.starts)
        kw = np.where(np.isfinite(kw), kw, self._usual(horizon))
        kw = _drawn_through(kw)
        at = _time_of_day(horizon)
        return Prediction(kw, kw + self.low[at], kw + self.high[at])

    def _last_known(self, wanted: Times) -> Floats:
        starts, known = self.history.slots.starts, self.history.kw
        kw = np.full(len(wanted), np.nan)
        for week in range(1, MOST_WEEKS + 1):
            kw = np.where(np.isfinite(kw), kw, looked_up(starts, known, wanted - WEEK * week))
        return kw

    def _usual(self, horizon: Slots) -> Floats:
        slots, per_day = self.history.slots, self.history.slots.per_day
        at, known = _time_of_day(slots), np.isfinite(self.history.kw)
        usual = np.full(per_day, np.nan)
        for place in np.unique(at[known]):
            usual[place] = np.median(self.history.kw[known & (at == place)])
        return usual[_time_of_day(horizon)]


def _time_of_day(slots: Slots) -> Places:
    seconds = (slots.starts - slots.starts.astype("datetime64[D]")).astype(np.int64)
    places: Places = seconds // int(slots.step.total_seconds())
    return places


def _quantiles(at: Places, errors: Floats, slots: Slots, level: float) -> tuple[Floats, Floats]:
    """Give the quantiles of the errors around each time of day, none above or below zero."""
    per_day, tail = slots.per_day, (1 - level) / 2
    reach = max(1, round(NEIGHBOURS_H * per_day / 24))
    low, high = np.zeros(per_day), np.zeros(per_day)
    known = np.isfinite(errors)
    for place in range(per_day):
        away = np.abs(at - place)
        near = known & (np.minimum(away, per_day - away) <= reach)
        if near.any():
            low[place], high[place] = np.quantile(errors[near], [tail, 1 - tail])
    return np.minimum(low, 0.0), np.maximum(high, 0.0)


def _drawn_through(values: Floats) -> Floats:
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        raise ModelFailed(model=SeasonalNaive.name, why="no weekday is known")
    return np.interp(np.arange(len(values)), known, values[known])
