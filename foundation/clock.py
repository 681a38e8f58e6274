"""What time it is: UTC inside, the office's zone for business dates; frozen in tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from foundation.settings import settings

_frozen: datetime | None = None


def now() -> datetime:
    """Give the present instant in UTC."""
    return _frozen or datetime.now(UTC)


def office_zone() -> ZoneInfo:
    """Give the office's time zone."""
    return settings().time_zone


def business_date(at: datetime | None = None) -> date:
    """Give the office's calendar date at an instant (now, if none is given)."""
    return (at or now()).astimezone(office_zone()).date()


def day_span(day: date) -> tuple[datetime, datetime]:
    """Give an office day as a half-open span of instants [start, end) in UTC."""
    start = datetime.combine(day, time(), office_zone())
    end = datetime.combine(day + timedelta(days=1), time(), office_zone())
    return start.astimezone(UTC), end.astimezone(UTC)


@contextmanager
def frozen(at: datetime) -> Iterator[None]:
    """Stop the clock at an instant (tests)."""
    global _frozen  # noqa: PLW0603 - one clock per process is the point
    before, _frozen = _frozen, at.astimezone(UTC)
    try:
        yield
    finally:
        _frozen = before
