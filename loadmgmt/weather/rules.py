"""A file of weather, line by line."""

import csv
import math
from collections.abc import Iterable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from loadmgmt.weather.types import STATION, NewWeather, WeatherFileRefused

COLDEST_C, HOTTEST_C = -90.0, 60.0
"""Beyond what has ever been measured on Earth: another unit, or a mistake."""


def read_weather(lines: Iterable[str], zone: ZoneInfo, *, file: str = "") -> list[NewWeather]:
    """Read rows of weather; columns by name.

    time (ISO 8601; without an offset it is the office's clock), temperature_c [°C],
    issued_at (when it was forecast; empty: observed), station (empty: the office's).
    Rows without a temperature are left out: they say nothing.

    Raises:
        WeatherFileRefused: a column is missing, or a field cannot be read.
    """
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    names = [name.strip() for name in rows.fieldnames or []]
    for needed in ("time", "temperature_c"):
        if needed not in names:
            raise WeatherFileRefused(file=file, line=1, why=f"no column {needed}")
    found = []
    for row in rows:
        try:
            one = _row(row, zone)
        except (ValueError, TypeError) as error:
            raise WeatherFileRefused(file=file, line=rows.line_num, why=str(error)) from error
        if one is not None:
            found.append(one)
    return found


def _row(row: dict[str, str], zone: ZoneInfo) -> NewWeather | None:
    said = (row["temperature_c"] or "").strip()
    at = _instant(row["time"], zone)
    if not said:
        return None
    celsius = float(said)
    if not math.isfinite(celsius) or not COLDEST_C <= celsius <= HOTTEST_C:
        raise ValueError(f"{said} °C")
    issued = (row.get("issued_at") or "").strip()
    station = (row.get("station") or "").strip() or STATION
    return NewWeather(at, celsius, _instant(issued, zone) if issued else None, station)


def _instant(text: str, zone: ZoneInfo) -> datetime:
    at = datetime.fromisoformat(text.strip())
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
