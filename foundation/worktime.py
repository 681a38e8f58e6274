"""Working time: days and hours with China's holidays and make-up days, as data.

All functions are pure; the calendar is handed in. Fault clocks run in calendar minutes
around the clock and need none of this.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SATURDAY = 5


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """Which days are worked, and from when until when (office time zone)."""

    zone: ZoneInfo
    holidays: frozenset[date] = frozenset()
    makeup_days: frozenset[date] = frozenset()
    years: frozenset[int] = frozenset()
    opens: time = field(default=time(8, 30))
    closes: time = field(default=time(17, 30))

    def is_working_day(self, day: date) -> bool:
        """Whether a day is worked: weekdays but holidays, and weekends made up for."""
        if day in self.makeup_days:
            return True
        return day.weekday() < SATURDAY and day not in self.holidays

    @property
    def day_length(self) -> timedelta:
        """Give the office hours of one working day."""
        any_day = date(2026, 1, 5)
        return datetime.combine(any_day, self.closes) - datetime.combine(any_day, self.opens)

    def covers(self, day: date) -> bool:
        """Whether the year's official arrangement is known; if not, weekends alone count."""
        return day.year in self.years


def add_working_days(start: datetime, days: int, calendar: WorkCalendar) -> datetime:
    """Give the end of the n-th working day after an instant's office date.

    The day of acceptance does not count; the limit ends when the office closes on the
    last day.

    Args:
        start: acceptance, aware.
        days: working days, one or more.
        calendar: the office's calendar.

    Raises:
        ValueError: days is below one, or start is naive.
    """
    if days < 1:
        raise ValueError("days must be one or more")
    if start.tzinfo is None:
        raise ValueError("start must be aware")
    day = start.astimezone(calendar.zone).date()
    left = days
    while left:
        day += timedelta(days=1)
        left -= calendar.is_working_day(day)
    return datetime.combine(day, calendar.closes, calendar.zone).astimezone(UTC)


def resumed_due(
    due: datetime, paused: datetime, resumed: datetime, calendar: WorkCalendar
) -> datetime:
    """Give when a limit in working days ends after a pause: a day later per day it waited.

    As many working days are left after the day it runs on as were left after the day it
    stopped; a limit that was over when it stopped stays over.

    Args:
        due: when it would have ended.
        paused: when it stopped.
        resumed: when it runs on, not before it stopped.
        calendar: the office's calendar.
    """
    if paused > due:
        return due
    left = working_days_between(paused, due, calendar)
    if left:
        return add_working_days(resumed, left, calendar)
    day = resumed.astimezone(calendar.zone).date()
    while not calendar.is_working_day(day):
        day += timedelta(days=1)
    return max(due, datetime.combine(day, calendar.closes, calendar.zone).astimezone(UTC))


def working_time(start: datetime, end: datetime, calendar: WorkCalendar) -> timedelta:
    """Give the office hours between two instants, for the share of a day a step took.

    Args:
        start: from, aware.
        end: until, aware; nothing has passed if it is before start.
        calendar: the office's calendar.
    """
    first, last = start.astimezone(calendar.zone), end.astimezone(calendar.zone)
    total, day = timedelta(), first.date()
    while day <= last.date():
        if calendar.is_working_day(day):
            opens = datetime.combine(day, calendar.opens, calendar.zone)
            closes = datetime.combine(day, calendar.closes, calendar.zone)
            total += max(timedelta(), min(closes, last) - max(opens, first))
        day += timedelta(days=1)
    return total


def working_days_between(start: datetime, end: datetime, calendar: WorkCalendar) -> int:
    """Count the working days after start's office date up to and with end's."""
    day = start.astimezone(calendar.zone).date()
    last = end.astimezone(calendar.zone).date()
    count = 0
    while day < last:
        day += timedelta(days=1)
        count += calendar.is_working_day(day)
    return count


@dataclass(frozen=True, slots=True)
class DailySpan:
    """A part of every day, [start, end) in office time; it may reach over midnight."""

    start: time
    end: time

    def holds(self, at: time) -> bool:
        """Whether a time of day lies within."""
        if self.start <= self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end


def quiet_until(at: datetime, spans: tuple[DailySpan, ...], zone: ZoneInfo) -> datetime | None:
    """Give the end of the quiet hours an instant lies in; None outside of them.

    Args:
        at: aware.
        spans: quiet hours of every day.
        zone: the office's time zone.
    """
    local = at.astimezone(zone)
    for span in spans:
        if span.holds(local.time()):
            end = datetime.combine(local.date(), span.end, zone)
            return (end if end > local else end + timedelta(days=1)).astimezone(UTC)
    return None
