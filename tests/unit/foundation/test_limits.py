"""Promised limits and the chip a clock deserves, on both sides of each edge."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.flow.limits import ClockState, Limit
from foundation.worktime import WorkCalendar

START = datetime(2026, 6, 18, 11, 0, tzinfo=UTC)
CALENDAR = WorkCalendar(ZoneInfo("Asia/Shanghai"))
SECOND = timedelta(seconds=1)


def clock(minutes: int = 100, **more: datetime) -> ClockState:
    return ClockState("arrive", START, START + timedelta(minutes=minutes), **more)


@pytest.mark.parametrize(
    ("minutes", "kind"),
    [(0, "ok"), (49, "ok"), (50, "warn"), (74, "warn"), (75, "due"), (100, "due")],
)
def test_a_chip_changes_at_half_and_at_three_quarters(minutes: int, kind: str) -> None:
    assert clock().kind(START + timedelta(minutes=minutes)) == kind


def test_a_chip_is_not_yet_over_at_the_due_instant_and_is_a_second_later() -> None:
    due = clock().due_at
    assert clock().kind(due) == "due"
    assert clock().kind(due + SECOND) == "over"


@pytest.mark.parametrize("edge", [50, 75])
def test_a_second_before_an_edge_the_chip_is_still_the_calmer_one(edge: int) -> None:
    at = START + timedelta(minutes=edge)
    assert clock().kind(at - SECOND) != clock().kind(at)


def test_a_met_promise_is_done_and_knows_whether_it_was_late() -> None:
    due = clock().due_at
    kept, late = clock(met_at=due), clock(met_at=due + SECOND)
    assert kept.kind(due + timedelta(days=1)) == late.kind(due) == "done"
    assert (kept.was_late, late.was_late, clock().was_late) == (False, True, False)


def test_a_paused_promise_stands_still() -> None:
    paused = clock(paused_at=START + timedelta(minutes=30))
    long_after = START + timedelta(days=3)
    assert paused.kind(long_after) == "pause"
    assert paused.used_pct(long_after) == 30


@given(st.integers(-10_000, 10_000), st.integers(1, 10_000))
def test_the_share_used_stays_between_nothing_and_all(at: int, minutes: int) -> None:
    assert 0 <= clock(minutes).used_pct(START + timedelta(minutes=at)) <= 100


def test_a_promise_without_any_time_is_used_up() -> None:
    assert clock(0).used_pct(START) == 100


def test_minutes_run_around_the_clock_and_working_days_do_not() -> None:
    saturday = datetime(2026, 6, 27, 3, 0, tzinfo=UTC)
    assert Limit(minutes=45).due(saturday, CALENDAR) == saturday + timedelta(minutes=45)
    monday = Limit(working_days=1).due(saturday, CALENDAR)
    assert monday.astimezone(CALENDAR.zone).isoformat() == "2026-06-29T17:30:00+08:00"


@pytest.mark.parametrize("facts", [{}, {"minutes": 1, "working_days": 1}])
def test_a_limit_is_either_minutes_or_working_days(facts: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="either"):
        Limit(**facts)


@pytest.mark.parametrize("limit", [Limit(minutes=45), Limit(working_days=3)])
def test_a_limit_comes_back_from_its_case_as_it_was(limit: Limit) -> None:
    assert Limit(**limit.as_json()) == limit
