"""The office's working days: China's official arrangement, kept as dated data."""

from datetime import date
from functools import cache
from importlib import resources
from typing import Any

from foundation.datafiles import DataFileRefused, load_toml
from foundation.settings import settings
from foundation.worktime import WorkCalendar


@cache
def office_calendar() -> WorkCalendar:
    """Read the packaged holidays.

    Raises:
        DataFileRefused: the file is not as it should be.
    """
    content = load_toml(resources.files("foundation") / "holidays.toml")
    years: dict[str, dict[str, Any]] = content.get("years", {})
    try:
        return WorkCalendar(
            zone=settings().time_zone,
            holidays=_days(years, "holidays"),
            makeup_days=_days(years, "makeup_days"),
            years=frozenset(int(year) for year in years),
        )
    except (TypeError, ValueError, KeyError) as error:
        raise DataFileRefused(file="holidays.toml", why=str(error)) from error


def _days(years: dict[str, dict[str, Any]], key: str) -> frozenset[date]:
    return frozenset(date.fromisoformat(str(day)) for year in years.values() for day in year[key])
