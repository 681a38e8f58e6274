"""Who is asked when: spread over the interval, never at once, never in the past."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.polling.rules import (
    SILENT_AFTER,
    SPREAD,
    beat_every_s,
    is_late,
    is_worth_saying,
    lease_margin_s,
    next_slot,
    next_start,
    patience_s,
    shard_of,
    share,
    stagger_s,
    was_begun,
)
from metering.polling.types import SHARDS

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


@pytest.mark.parametrize(
    ("last", "now", "slot", "missed"),
    [
        (None, 125.0, 120, 0),
        (120, 125.0, 180, 0),
        (120, 180.0, 180, 0),
        (120, 245.0, 240, 1),
        (120, 600.0, 600, 7),
        (120, 60.0, 180, 0),
    ],
)
def test_a_round_that_outlasts_its_interval_leaves_slots_out_and_no_queue(
    last: int | None, now: float, slot: int, missed: int
) -> None:
    assert next_slot(last, now, 60) == (slot, missed)


@given(st.integers(0, 2**31), st.lists(st.floats(0, 500), max_size=20), intervals)
def test_every_slot_is_asked_or_counted_as_missed(
    first: int, rounds: list[float], interval: int
) -> None:
    slot, _ = next_slot(None, float(first), interval)
    begun, now_s, asked, missed_in_all = slot, float(slot), 1, 0
    for took in rounds:
        now_s = max(now_s, slot) + took
        slot, missed = next_slot(slot, now_s, interval)
        asked, missed_in_all = asked + 1, missed_in_all + missed
    assert (slot - begun) // interval + 1 == asked + missed_in_all


@given(connections, intervals, st.integers(10**9, 2 * 10**9))
def test_a_round_that_was_begun_is_known_by_its_instant_as_the_database_keeps_it(
    connection: str, interval: int, slot: int
) -> None:
    planned = slot + stagger_s(connection, interval)
    kept = datetime.fromtimestamp(planned, tz=UTC)
    assert was_begun(planned, kept - timedelta(microseconds=1))
    assert not was_begun(planned + interval, kept)
    assert not was_begun(planned, None)


@pytest.mark.parametrize(("second", "late"), [(0, False), (59, False), (60, True), (61, True)])
def test_a_reading_is_late_from_the_end_of_its_interval_on(second: int, *, late: bool) -> None:
    assert is_late(600, 600 + second, 60) is late


@given(connections)
def test_a_connection_has_one_shard_of_all(connection: str) -> None:
    assert 0 <= shard_of(connection) < SHARDS


@given(st.integers(0, 300))
def test_shares_cover_all_shards_and_differ_by_none(pollers: int) -> None:
    fair = share(pollers)
    assert fair * max(1, pollers) >= SHARDS
    assert (fair - 1) * max(1, pollers) < SHARDS


@given(st.floats(1, 120))
def test_an_owner_stops_before_its_lease_ends_and_renews_more_often(ttl_s: float) -> None:
    assert 0 < lease_margin_s(ttl_s) < ttl_s / 2
    assert beat_every_s(ttl_s) < ttl_s - lease_margin_s(ttl_s)


def test_a_silent_terminal_is_written_down_now_and_then() -> None:
    said = [failed for failed in range(1, 40) if is_worth_saying(failed)]
    assert said == [1, 2, 3, 16, 32]


@pytest.mark.parametrize(
    ("failed", "timeout", "patience"),
    [(0, 3.0, 3.0), (SILENT_AFTER - 1, 3.0, 3.0), (SILENT_AFTER, 3.0, 1.0), (99, 0.5, 0.5)],
)
def test_a_silent_terminal_is_waited_for_less(failed: int, timeout: float, patience: float) -> None:
    assert patience_s(failed, timeout) == patience
