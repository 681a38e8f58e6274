"""Features: which days are worked, and which values stand where in time."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from foundation.worktime import WorkCalendar
from loadmgmt.forecast.types import Flags, Floats, History, Slots, Times

MOST_BETWEEN = np.timedelta64(3, "h")
"""Weather is drawn straight between two values no further apart than this."""


def wall_clock(instants: list[datetime], zone: ZoneInfo) -> Times:
    """Give instants as the wall clock of a zone, naive: datetime64[s][n]."""
    return np.array([at.astimezone(zone).replace(tzinfo=None) for at in instants], "datetime64[s]")


def days_off(starts: Times, calendar: WorkCalendar) -> tuple[Flags, Flags]:
    """Say which slots lie on a day of rest, and which on a statutory holiday.

    A weekend that is worked for a holiday (调休) is no day of rest. In a year whose
    arrangement is not known, weekends alone are days of rest.

    Args:
        starts: wall clock, datetime64[s][n].
        calendar: working days and holidays.
    """
    days = starts.astype("datetime64[D]")
    unique, place = np.unique(days, return_inverse=True)
    dates: list[date] = unique.astype(object).tolist()
    rest = np.array([not calendar.is_working_day(day) for day in dates], dtype=np.bool_)
    holiday = np.array([day in calendar.holidays for day in dates], dtype=np.bool_)
    return rest[place], holiday[place]


def looked_up(starts: Times, values: Floats, wanted: Times) -> Floats:
    """Give the values at some times, NaN where there is none.

    Args:
        starts: growing times, datetime64[s][n].
        values: float64[n].
        wanted: times in any order, datetime64[s][m].
    """
    if not len(starts):
        return np.full(len(wanted), np.nan)
    place = np.minimum(np.searchsorted(starts, wanted), len(starts) - 1)
    return np.where(starts[place] == wanted, values[place], np.nan)


def between(times: Times, values: Floats, wanted: Times) -> Floats:
    """Draw straight lines between values, not across gaps longer than MOST_BETWEEN.

    Args:
        times: growing, datetime64[s][n].
        values: without NaN, float64[n].
        wanted: times, datetime64[s][m].

    Returns:
        float64[m], NaN where no value is near enough on either side.
    """
    if not len(times):
        return np.full(len(wanted), np.nan)
    drawn = np.interp(wanted.astype(np.int64), times.astype(np.int64), values)
    after = np.searchsorted(times, wanted, side="left")
    before = np.searchsorted(times, wanted, side="right") - 1
    inside = (before >= 0) & (after < len(times))
    low, high = times[np.maximum(before, 0)], times[np.minimum(after, len(times) - 1)]
    near = inside & (high - low <= MOST_BETWEEN)
    return np.where(near, drawn, np.nan)


def known_days(history: History, *, least_share: float) -> int:
    """Count the days of which at least a share of the slots is known."""
    if not len(history.slots):
        return 0
    days = history.slots.starts.astype("datetime64[D]")
    unique, place = np.unique(days, return_inverse=True)
    known = np.zeros(len(unique))
    np.add.at(known, place, np.isfinite(history.kw))
    return int((known >= least_share * history.slots.per_day).sum())


def grid(first: np.datetime64, step: timedelta, n: int) -> Times:
    """Give n times from a first one on."""
    unit = np.timedelta64(step).astype("timedelta64[s]")
    times: Times = first.astype("datetime64[s]") + np.arange(n) * unit
    return times


def slots_of(starts: Times, step: timedelta, calendar: WorkCalendar) -> Slots:
    """Give slots with their days off."""
    rest, holiday = days_off(starts, calendar)
    return Slots(starts, step, rest, holiday)
