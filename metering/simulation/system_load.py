"""The demo town's system load: a year of real hours, replayed by ISO week and weekday."""

import csv
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from foundation.clock import office_zone

WEEKS = 52
_HOURS_PER_WEEK = 7 * 24
_MIDDLE_H = 0.125 - 0.5  # from a quarter hour's start to its middle, from an hour's to its own


def simulated_system_load(slots: Sequence[datetime]) -> list[float]:
    """Give the mean load of the whole town over quarter hours [kW].

    The same ISO week and weekday of the extract's year, straight between the middles of its
    hours; a 53rd week is the 52nd once more. Nothing random is added.

    Args:
        slots: starts of quarter hours, aware.
    """
    hours = _hours()
    places = np.array([_place(slot.astimezone(office_zone())) for slot in slots])
    low = np.floor(places).astype(np.int64)
    share = places - low
    values = hours[low % len(hours)] * (1 - share) + hours[(low + 1) % len(hours)] * share
    return [round(float(value), 1) for value in values]


def _place(local: datetime) -> float:
    """Give where a local time stands in the extract, in hours from its first middle."""
    _, week, weekday = local.isocalendar()
    whole = (min(week, WEEKS) - 1) * _HOURS_PER_WEEK + (weekday - 1) * 24 + local.hour
    return whole + local.minute / 60 + _MIDDLE_H


@lru_cache(maxsize=1)
def _hours() -> NDArray[np.float64]:
    content = files("metering.demo_curves").joinpath("system_load_hourly.csv").read_text("utf-8")
    rows = csv.DictReader(line for line in content.splitlines() if not line.startswith("#"))
    return np.array([float(row["kw"]) for row in rows])
