"""Nominal intervals: every instant lies in one."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from metering.readings.rules.slots import slot_of


@given(
    st.datetimes(timezones=st.just(UTC), min_value=datetime(2000, 1, 1)),  # noqa: DTZ001
    st.sampled_from([1, 60, 300, 900, 3600, 86_400]),
)
def test_an_instant_lies_in_the_slot_it_is_given(at: datetime, interval: int) -> None:
    slot = slot_of(at, interval)
    assert slot <= at < slot + timedelta(seconds=interval)
    assert slot.timestamp() % interval == 0
    assert slot_of(slot, interval) == slot
