"""A series cut at an origin: what a model may see of it, and nothing of what comes after.

Everything handed out is a copy: a model cannot reach what it was not given.
"""

from dataclasses import dataclass, replace

import numpy as np

from loadmgmt.forecast.types import Floats, History, Slots


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """A whole measured series, for judging models on its past.

    Attributes:
        slots: all slots; the temperature in them is what was observed.
        kw: float64[n], NaN where unknown.
        forecast_temperature: what had been forecast for each slot before its day began.
    """

    slots: Slots
    kw: Floats
    forecast_temperature: Floats | None = None


def known_at(series: Series, origin: int) -> History:
    """Give what was known at an origin: the slots before it.

    Args:
        series: the whole.
        origin: place of the first slot that was not known.
    """
    past = series.forecast_temperature
    return History(
        series.slots.part(0, origin),
        series.kw[:origin].copy(),
        None if past is None else past[:origin].copy(),
    )


def horizon_at(series: Series, origin: int, n: int) -> Slots:
    """Give the slots to be forecast: the calendar, and the weather only as it was forecast."""
    slots = series.slots.part(origin, origin + n)
    ahead = series.forecast_temperature
    return replace(slots, temperature=None if ahead is None else ahead[origin : origin + n].copy())


def origins(slots: Slots, *, horizon: int, count: int, spacing_days: int) -> list[int]:
    """Give the last midnights of a series that have a whole horizon after them, oldest first.

    Args:
        slots: of the series.
        horizon: slots to be forecast.
        count: how many at most.
        spacing_days: days from one to the next [d].
    """
    times = slots.starts
    midnights = np.flatnonzero(times == times.astype("datetime64[D]"))
    usable = midnights[midnights + horizon <= len(times)]
    return sorted(int(place) for place in usable[::-1][::spacing_days][:count])
