"""Who is asked when: spread over the interval, never at once, never in the past."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.polling.rules import (
    SILENT_AFTER,
    SPREAD,
    is_due,
    is_late,
    next_start,
    patience_s,
    stagger_s,
)

SLOT = datetime(2026, 6, 18, 11, 0, tzinfo=UTC)
connections = st.text(min_size=1, max_size=30)
intervals = st.sampled_from([1, 2, 10, 60, 300, 900, 3600])
instants = st.datetimes(
    min_value=datetime(2020, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(2040, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@given(connections, intervals)
def test_a_connection_starts_in_the_first_third_and_always_at_the_same_place(
    connection: str, interval: int
) -> None:
    assert 0 <= stagger_s(connection, interval) < interval / SPREAD
    assert stagger_s(connection, interval) == stagger_s(connection, interval)


def test_connections_are_spread() -> None:
    starts = {round(stagger_s(f"10.0.0.{n}:502", 60)) for n in range(200)}
    assert len(starts) > 15


@given(instants, connections, intervals)
def test_the_next_start_lies_ahead_and_no_further_than_an_interval(
    now: datetime, connection: str, interval: int
) -> None:
    start = next_start(now, connection, interval)
    assert now <= start <= now + timedelta(seconds=interval, microseconds=1)
    assert start.tzinfo is UTC
    later = next_start(start + timedelta(milliseconds=1), connection, interval)
    assert abs(later - start - timedelta(seconds=interval)) < timedelta(milliseconds=1)


@pytest.mark.parametrize(("second", "due"), [(0, True), (60, False), (300, True), (900, True)])
def test_a_slower_terminal_is_asked_in_its_own_slots_alone(second: int, *, due: bool) -> None:
    assert is_due(SLOT + timedelta(seconds=second), 300) is due


@pytest.mark.parametrize(("second", "late"), [(0, False), (59, False), (60, True), (61, True)])
def test_a_reading_is_late_from_the_end_of_its_interval_on(second: int, *, late: bool) -> None:
    assert is_late(SLOT, SLOT + timedelta(seconds=second), 60) is late


@pytest.mark.parametrize(
    ("failed", "timeout", "patience"),
    [(0, 3.0, 3.0), (SILENT_AFTER - 1, 3.0, 3.0), (SILENT_AFTER, 3.0, 1.0), (99, 0.5, 0.5)],
)
def test_a_silent_terminal_is_waited_for_less(failed: int, timeout: float, patience: float) -> None:
    assert patience_s(failed, timeout) == patience
