"""A series as a CSV file says it; columns by name, an empty field is unknown.

ts                    beginning of the interval, ISO 8601; its wall clock is used as written
value                 mean load of the interval
temperature           observed [°C]
temperature_forecast  forecast for the interval before its day began [°C]
holiday               1 on a statutory holiday
makeup                1 on a weekend that is worked for a holiday
"""

import csv
import math
from collections.abc import Iterable
from datetime import datetime, timedelta

import numpy as np

from loadmgmt.forecast.rules.features import grid
from loadmgmt.forecast.rules.rolling import Series
from loadmgmt.forecast.types import Flags, Floats, LoadFileRefused, Places, Slots

NUMBERS = ("value", "temperature", "temperature_forecast")
FLAGS = ("holiday", "makeup")
SATURDAY = 5


def read_series(lines: Iterable[str], step: timedelta, *, file: str = "") -> Series:
    """Read a series onto an even grid; several rows of a slot become their mean.

    Args:
        lines: of the file, its head first.
        step: of the grid.
        file: its name, for the error.

    Raises:
        LoadFileRefused: no `ts` or `value`, a field that cannot be read, or no rows.
    """
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    names = [name.strip() for name in rows.fieldnames or []]
    for needed in ("ts", "value"):
        if needed not in names:
            raise LoadFileRefused(file=file, line=1, why=f"no column {needed}")
    columns = [name for name in (*NUMBERS, *FLAGS) if name in names]
    times: list[datetime] = []
    values: list[list[float]] = []
    for row in rows:
        try:
            times.append(datetime.fromisoformat(row["ts"]).replace(tzinfo=None))
            values.append([_number(row[name]) for name in columns])
        except (ValueError, TypeError) as error:
            raise LoadFileRefused(file=file, line=rows.line_num, why=str(error)) from error
    if not times:
        raise LoadFileRefused(file=file, line=rows.line_num, why="no rows")
    return _laid_out(times, dict(zip(columns, np.array(values).T, strict=True)), step)


def _number(field: str | None) -> float:
    word = (field or "").strip().lower()
    if word in {"", "nan", "null"}:
        return math.nan
    if word in {"true", "false"}:
        return float(word == "true")
    number = float(word)
    if not math.isfinite(number):
        raise ValueError(word)
    return number


def _laid_out(times: list[datetime], columns: dict[str, Floats], step: timedelta) -> Series:
    stamps = np.array(times, dtype="datetime64[s]")
    unit = np.timedelta64(step).astype("timedelta64[s]")
    first = stamps.min().astype("datetime64[D]").astype("datetime64[s]")
    place = ((stamps - first) // unit).astype(np.int64)
    low, high = int(place.min()), int(place.max())
    n = high - low + 1
    laid = {name: _means(place - low, column, n) for name, column in columns.items()}
    starts = grid(first + unit * low, step, n)
    holiday, makeup = _flag(laid.get("holiday"), n), _flag(laid.get("makeup"), n)
    days: list[int] = [day.weekday() for day in starts.astype("datetime64[D]").astype(object)]
    weekend = np.array(days) >= SATURDAY
    slots = Slots(starts, step, (weekend | holiday) & ~makeup, holiday, laid.get("temperature"))
    return Series(slots, laid["value"], laid.get("temperature_forecast"))


def _means(place: Places, values: Floats, n: int) -> Floats:
    known = np.isfinite(values)
    sums, counts = np.zeros(n), np.zeros(n)
    np.add.at(sums, place[known], values[known])
    np.add.at(counts, place[known], 1)
    means: Floats = np.divide(sums, counts, out=np.full(n, np.nan), where=counts > 0)
    return means


def _flag(values: Floats | None, n: int) -> Flags:
    return np.zeros(n, dtype=np.bool_) if values is None else np.nan_to_num(values) > 0
