"""Working days: holidays, the weekends worked for them, year ends."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.flow.calendar import office_calendar
from foundation.worktime import WorkCalendar, add_working_days, working_days_between

ZONE = ZoneInfo("Asia/Shanghai")
PLAIN = WorkCalendar(ZONE)
OFFICE = office_calendar()
instants = st.datetimes(
    min_value=datetime(2023, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(2026, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)


def office_day(day: str, at: str = "10:00") -> datetime:
    return datetime.fromisoformat(f"{day}T{at}").replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        ("2026-01-01", False),
        ("2026-01-02", False),
        ("2026-01-04", True),  # a Sunday made up for the New Year
        ("2026-02-14", True),  # a Saturday made up for the Spring Festival
        ("2026-02-15", False),
        ("2026-02-23", False),
        ("2026-02-24", True),
        ("2026-02-28", True),  # a Saturday made up
        ("2026-04-06", False),  # a Monday
        ("2026-05-05", False),
        ("2026-05-06", True),
        ("2026-05-09", True),  # a Saturday made up
        ("2026-06-19", False),  # Dragon Boat Festival, a Friday
        ("2026-09-20", True),  # a Sunday made up
        ("2026-09-25", False),
        ("2026-10-07", False),
        ("2026-10-08", True),
        ("2026-10-10", True),  # a Saturday made up
        ("2026-10-11", False),  # a plain Sunday
    ],
)
def test_the_official_days_of_2026_are_known(day: str, *, worked: bool) -> None:
    assert OFFICE.is_working_day(date.fromisoformat(day)) is worked


def test_a_year_without_an_arrangement_says_so_and_counts_weekends_alone() -> None:
    assert OFFICE.covers(date(2026, 12, 31))
    assert not OFFICE.covers(date(2031, 10, 1))
    assert OFFICE.is_working_day(date(2031, 10, 1))
    assert not OFFICE.is_working_day(date(2031, 10, 4))


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ("2026-06-15", 3, "2026-06-18"),
        ("2026-06-16", 3, "2026-06-22"),  # over the Dragon Boat Festival
        ("2026-02-13", 1, "2026-02-14"),  # the made-up Saturday counts
        ("2026-02-13", 2, "2026-02-24"),
        ("2026-09-30", 3, "2026-10-10"),
        ("2025-12-31", 1, "2026-01-04"),  # over a year end, on to a made-up Sunday
    ],
)
def test_a_limit_ends_when_the_office_closes_on_its_last_day(
    start: str, days: int, end: str
) -> None:
    due = add_working_days(office_day(start), days, OFFICE)
    assert due.astimezone(ZONE) == office_day(end, "17:30")


def test_the_day_of_acceptance_is_the_offices_day_not_that_of_greenwich() -> None:
    late_evening = datetime(2026, 6, 15, 16, 30, tzinfo=UTC)  # half past midnight on the 16th
    assert add_working_days(late_evening, 1, PLAIN).astimezone(ZONE) == office_day(
        "2026-06-17", "17:30"
    )


@given(start=instants, days=st.integers(1, 40))
def test_adding_and_counting_agree(start: datetime, days: int) -> None:
    due = add_working_days(start, days, OFFICE)
    assert working_days_between(start, due, OFFICE) == days
    assert OFFICE.is_working_day(due.astimezone(ZONE).date())
    assert due.astimezone(ZONE).time() == time(17, 30)
    assert due.tzinfo is UTC


@given(start=instants, days=st.integers(1, 30), later=st.integers(0, 30))
def test_more_days_are_never_due_sooner(start: datetime, days: int, later: int) -> None:
    assert add_working_days(start, days + later, OFFICE) >= add_working_days(start, days, OFFICE)
    shifted = start + timedelta(hours=later)
    assert add_working_days(shifted, days, OFFICE) >= add_working_days(start, days, OFFICE)


@given(start=instants, days=st.integers(1, 20), more=st.integers(1, 20))
def test_a_limit_may_be_added_in_two_parts(start: datetime, days: int, more: int) -> None:
    halfway = add_working_days(start, days, OFFICE)
    assert add_working_days(halfway, more, OFFICE) == add_working_days(start, days + more, OFFICE)


@given(st.dates(date(2023, 1, 1), date(2026, 12, 31)))
def test_holidays_rest_and_made_up_days_work(day: date) -> None:
    if day in OFFICE.makeup_days:
        assert OFFICE.is_working_day(day)
        assert day.weekday() >= 5
    elif day in OFFICE.holidays:
        assert not OFFICE.is_working_day(day)
    else:
        assert OFFICE.is_working_day(day) is (day.weekday() < 5)


def test_no_day_is_a_holiday_and_made_up_for_at_once() -> None:
    assert not OFFICE.holidays & OFFICE.makeup_days


def test_nothing_lies_between_an_instant_and_an_earlier_one() -> None:
    assert working_days_between(office_day("2026-06-18"), office_day("2026-06-15"), OFFICE) == 0


@pytest.mark.parametrize("days", [0, -1])
def test_a_limit_of_no_days_is_refused(days: int) -> None:
    with pytest.raises(ValueError, match="one or more"):
        add_working_days(office_day("2026-06-15"), days, OFFICE)


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        add_working_days(datetime(2026, 6, 15), 1, OFFICE)  # noqa: DTZ001 - the point
