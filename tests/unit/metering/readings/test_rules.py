"""What may be believed of a reading, on both sides of each limit."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.datafiles import build, load_toml
from metering.readings.rules import Validation, judge, slot_of
from metering.readings.types import ENERGIES, Quality

RANGES = build(
    Validation,
    load_toml(resources.files("metering.readings") / "validation.toml"),
    where="validation.toml",
).range
TOP = float(RANGES.volts_of_nominal * 220)
LOW, HIGH = (float(one) for one in RANGES.frequency_hz)
REGISTER = ENERGIES[0]


def quality(last: dict[str, int | None] | None = None, **values: float | None) -> Quality:
    return judge(values, nominal_volts=Decimal(220), ranges=RANGES, last_energy=last)


@pytest.mark.parametrize(
    ("name", "value", "good"),
    [
        ("u_a", 0.0, True),
        ("u_a", -0.1, False),
        ("u_b", TOP, True),
        ("u_b", TOP + 0.1, False),
        ("i_a", float(RANGES.amps), True),
        ("i_a", -float(RANGES.amps), True),
        ("i_c", float(RANGES.amps) + 0.1, False),
        ("i_c", -float(RANGES.amps) - 0.1, False),
        ("f", 0.0, True),
        ("f", LOW, True),
        ("f", LOW - 0.01, False),
        ("f", HIGH, True),
        ("f", HIGH + 0.01, False),
        ("pf", float(RANGES.power_factor), True),
        ("pf", -float(RANGES.power_factor), True),
        ("pf", float(RANGES.power_factor) + 0.001, False),
        (REGISTER, 0.0, True),
        (REGISTER, -1.0, False),
        ("p", -5000.0, True),
        ("u_a", None, True),
    ],
)
def test_a_value_is_believed_up_to_its_limit(name: str, value: float | None, *, good: bool) -> None:
    assert quality(**{name: value}) == (Quality.GOOD if good else Quality.OUT_OF_RANGE)


@pytest.mark.parametrize(
    ("before", "now", "reset"),
    [(100, 100, False), (100, 101, False), (100, 99, True), (None, 5, False), (100, None, False)],
)
def test_a_register_that_runs_backwards_was_reset(
    before: int | None, now: int | None, *, reset: bool
) -> None:
    found = quality({REGISTER: before}, **{REGISTER: now})
    assert found == (Quality.RESET if reset else Quality.GOOD)


def test_without_a_reading_before_nothing_runs_backwards() -> None:
    assert quality(None, **{REGISTER: 0}) == Quality.GOOD


def test_several_things_may_be_wrong_at_once() -> None:
    assert quality({REGISTER: 5}, u_a=9999.0, **{REGISTER: 4}) == (
        Quality.OUT_OF_RANGE | Quality.RESET
    )


@given(
    st.datetimes(timezones=st.just(UTC), min_value=datetime(2000, 1, 1)),  # noqa: DTZ001
    st.sampled_from([1, 60, 300, 900, 3600, 86_400]),
)
def test_an_instant_lies_in_the_slot_it_is_given(at: datetime, interval: int) -> None:
    slot = slot_of(at, interval)
    assert slot <= at < slot + timedelta(seconds=interval)
    assert slot.timestamp() % interval == 0
    assert slot_of(slot, interval) == slot
