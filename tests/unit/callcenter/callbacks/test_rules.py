"""When customers are called back, and which answer reopens a ticket."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.callbacks.books import callback_rules
from callcenter.callbacks.rules import first_attempt_at, next_attempt_at, reopens
from callcenter.callbacks.types import Answer
from foundation.worktime import DailySpan, quiet_until

ZONE = ZoneInfo("Asia/Shanghai")
RULE = callback_rules()


def local(hour: int, minute: int = 0, second: int = 0, *, day: int = 18) -> datetime:
    return datetime(2026, 6, day, hour, minute, second, tzinfo=ZONE).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "first"),
    [
        (local(11, 59, 59), local(11, 59, 59)),
        (local(12), local(14)),
        (local(13, 59), local(14)),
        (local(14), local(14)),
        (local(20, 59, 59), local(20, 59, 59)),
        (local(21), local(8, day=19)),
        (local(7, 59, 59), local(8)),
        (local(8), local(8)),
    ],
)
def test_nobody_is_called_at_noon_or_at_night(now: datetime, first: datetime) -> None:
    assert first_attempt_at(now, rule=RULE, zone=ZONE) == first


def test_the_next_attempt_is_hours_later_and_never_in_quiet_hours() -> None:
    assert next_attempt_at(local(15), rule=RULE, zone=ZONE) == local(19)
    assert next_attempt_at(local(9), rule=RULE, zone=ZONE) == local(14)
    assert next_attempt_at(local(18), rule=RULE, zone=ZONE) == local(8, day=19)


@given(minutes=st.integers(0, 2 * 24 * 60))
def test_an_attempt_never_falls_into_quiet_hours(minutes: int) -> None:
    at = next_attempt_at(local(0) + timedelta(minutes=minutes), rule=RULE, zone=ZONE)
    assert quiet_until(at, RULE.quiet, ZONE) is None


@pytest.mark.parametrize(
    ("solved", "satisfaction", "again"),
    [
        (True, 5, False),
        (True, 3, False),
        (True, 2, True),
        (True, 1, True),
        (True, None, False),
        (False, 5, True),
        (False, None, True),
    ],
)
def test_unsolved_or_dissatisfied_begins_a_new_round(
    *, solved: bool, satisfaction: int | None, again: bool
) -> None:
    assert reopens(Answer(solved, satisfaction), RULE) is again


def test_a_span_over_midnight_holds_both_its_ends() -> None:
    night = DailySpan(time(21), time(8))
    assert [night.holds(time(hour)) for hour in (20, 21, 0, 7, 8)] == [
        False,
        True,
        True,
        True,
        False,
    ]
