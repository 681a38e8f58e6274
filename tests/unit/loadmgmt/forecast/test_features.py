"""Features: days off with make-up days, looking values up, drawing between them."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from foundation.flow.calendar import office_calendar
from foundation.worktime import WorkCalendar
from loadmgmt.forecast.rules.features import (
    between,
    days_off,
    grid,
    known_days,
    looked_up,
    slots_of,
    wall_clock,
)
from loadmgmt.forecast.types import QUARTER, History

SHANGHAI = ZoneInfo("Asia/Shanghai")
PLAIN = WorkCalendar(SHANGHAI)
MONDAY = np.datetime64("2026-06-15T00:00:00")


def off(day: str) -> tuple[bool, bool]:
    rest, holiday = days_off(np.array([f"{day}T12:00:00"], "datetime64[s]"), office_calendar())
    return bool(rest[0]), bool(holiday[0])


def test_a_holiday_on_a_weekday_is_a_day_of_rest() -> None:
    assert off("2026-10-01") == (True, True)


def test_a_weekend_that_is_worked_for_a_holiday_is_no_day_of_rest() -> None:
    made_up = min(day for day in office_calendar().makeup_days if day.year == 2026)
    assert made_up.weekday() >= 5
    assert off(made_up.isoformat()) == (False, False)


def test_in_a_year_nobody_has_arranged_weekends_alone_are_days_of_rest() -> None:
    assert off("2031-10-01") == (False, False)  # a Wednesday
    assert off("2031-10-04") == (True, False)


@given(st.integers(0, 400), st.integers(1, 200))
def test_every_slot_of_a_day_is_off_or_none_is(first: int, n: int) -> None:
    starts = grid(MONDAY + np.timedelta64(first, "h"), QUARTER, n)
    rest, _ = days_off(starts, PLAIN)
    for day in set(starts.astype("datetime64[D]").tolist()):
        same = rest[starts.astype("datetime64[D]") == np.datetime64(day)]
        assert len(set(same.tolist())) == 1
        assert same[0] == (day.weekday() >= 5)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40), st.integers(-50, 90))
def test_a_value_is_found_at_its_time_and_nowhere_else(values: list[float], shift: int) -> None:
    starts = grid(MONDAY, QUARTER, len(values))
    wanted = starts + shift * np.timedelta64(900, "s")
    found = looked_up(starts, np.array(values), wanted)
    for place, value in enumerate(found):
        source = place + shift
        if 0 <= source < len(values):
            assert value == values[source]
        else:
            assert np.isnan(value)


def test_a_line_is_drawn_between_hours_and_not_across_a_long_gap() -> None:
    times = MONDAY + np.array([0, 1, 2, 9], "timedelta64[h]")
    drawn = between(
        times.astype("datetime64[s]"), np.array([10.0, 14.0, 12.0, 30.0]), grid(MONDAY, QUARTER, 37)
    )
    assert drawn[:9].tolist() == [10, 11, 12, 13, 14, 13.5, 13, 12.5, 12]
    assert np.isnan(drawn[9:36]).all()
    assert drawn[36] == 30


def test_nothing_is_drawn_before_the_first_value_or_after_the_last() -> None:
    times = MONDAY + np.array([1, 2], "timedelta64[h]")
    drawn = between(times.astype("datetime64[s]"), np.array([1.0, 2.0]), grid(MONDAY, QUARTER, 13))
    assert np.isnan(drawn[:4]).all()
    assert np.isnan(drawn[9:]).all()


def test_a_day_counts_when_enough_of_its_slots_are_known() -> None:
    starts = grid(MONDAY, QUARTER, 3 * 96)
    kw = np.ones(3 * 96)
    kw[96 : 96 + 20] = np.nan  # 76 of 96 are left
    kw[192 : 192 + 19] = np.nan
    history = History(slots_of(starts, QUARTER, PLAIN), kw)
    assert known_days(history, least_share=0.8) == 2
    assert known_days(history.part(0, 0), least_share=0.8) == 0


def test_instants_become_the_wall_clock_of_the_office() -> None:
    instants = [datetime(2026, 6, 17, 16, tzinfo=UTC) + timedelta(hours=n) for n in range(2)]
    starts = wall_clock(instants, SHANGHAI)
    assert [str(one) for one in starts] == ["2026-06-18T00:00:00", "2026-06-18T01:00:00"]
    assert slots_of(starts, QUARTER, PLAIN).rest.tolist() == [False, False]
    assert date(2026, 6, 18).weekday() == 3
