"""Validation: each rule on both sides of its edge, and arrays equal to the rule one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metering.readings.rules import batch
from metering.readings.rules.energy import energy_step
from metering.readings.rules.validation import (
    Before,
    Limits,
    Rating,
    doubts,
    most_watts,
    quality_of,
    remember,
)
from metering.readings.types import Doubt, Quality
from metering.readings.validating import load_validation

RULES = load_validation()
LIMITS = Limits.of(RULES)
HOME = Rating(nominal=2200, is_three_phase=False, most_w=13_200)
SHOP = Rating(nominal=2200, is_three_phase=True, most_w=39_600)
NOON = 1_781_780_400


def seen(at_s: int = NOON, wh: int | None = 100_000, p: int | None = 1000) -> Before:
    return Before(at_s, (wh, None, None), p, at_s, p)


def found(rating: Rating = HOME, before: Before | None = None, after_s: int = 900, **values: int):  # noqa: ANN201
    return doubts(values, at_s=NOON + after_s, before=before, rating=rating, limits=LIMITS)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("u_a", 3520, 3521),
        ("u_a", 0, -1),
        ("i_a", 20_000_000, 20_000_001),
        ("f", 4000, 3999),
        ("f", 0, 7001),
        ("pf", -1001, 1002),
        ("wh_import", 0, -1),
    ],
)
def test_a_value_no_supply_can_have_is_out_of_range(name: str, good: int, bad: int) -> None:
    assert not found(**{name: good})
    assert found(**{name: bad}) == Doubt.RANGE


def test_a_register_that_runs_backwards_was_reset() -> None:
    assert not found(before=seen(), wh_import=100_000, p=0)
    assert found(before=seen(), wh_import=99_999, p=0) == Doubt.RESET


def test_a_register_that_goes_round_was_not_reset() -> None:
    round_at = Rating(2200, is_three_phase=False, most_w=13_200, register_wh=1_000_000)
    assert not found(round_at, seen(wh=999_500, p=1000), wh_import=200, p=1000)
    assert found(round_at, seen(wh=800_000), wh_import=200, p=0) == Doubt.RESET


def test_a_register_faster_than_the_meter_could_flies() -> None:
    # 13.2 kW x 1.2 for a quarter hour is 3960 Wh, and 1000 Wh the last digit may hide
    assert Doubt.STEP not in found(before=seen(), wh_import=104_960)
    assert Doubt.STEP in found(before=seen(), wh_import=104_961)


def test_power_without_a_step_is_a_stopped_meter() -> None:
    before = Before(NOON, (100_000, None, None), 2000, NOON - 2699, 2000)
    assert Doubt.STOPPED not in found(before=before, wh_import=100_000, p=2000)
    before = Before(NOON, (100_000, None, None), 2000, NOON - 2700, 2000)
    assert Doubt.STOPPED in found(before=before, wh_import=100_000, p=2000)
    assert Doubt.STOPPED not in found(before=before, wh_import=100_001, p=2000)


def test_a_register_that_disagrees_with_the_power_is_told() -> None:
    # up to 4 x 1000 W + 660 W for a quarter hour, and 1000 Wh of slack
    assert not found(before=seen(p=1000), wh_import=100_000 + 1165 + 1000, p=1000)
    assert found(before=seen(p=1000), wh_import=100_000 + 1166 + 1000, p=1000) == Doubt.ENERGY


@pytest.mark.parametrize(("total", "doubted"), [(3150, False), (3157, False), (3158, True)])
def test_the_phases_add_up_to_the_total(total: int, doubted: bool) -> None:  # noqa: FBT001
    said = found(SHOP, p=total, p_a=1000, p_b=1000, p_c=1000)
    assert (said == Doubt.PHASE_SUM) is doubted


def test_swapped_phases_show_odd_angles_and_feeding_back_does_not() -> None:
    def angles(*pairs: tuple[int, int]) -> Doubt:
        values = {f"p_{n}": p for n, (p, _) in zip("abc", pairs, strict=True)}
        values |= {f"q_{n}": q for n, (_, q) in zip("abc", pairs, strict=True)}
        return found(SHOP, **values)

    same = (1000, 100)
    assert not angles(same, same, same)
    assert angles(same, (-587, 816), (-413, -916)) == Doubt.PHASE_ORDER
    assert not angles(same, same, (-1000, -100))


def test_a_ratio_entered_wrongly_shows_in_the_power() -> None:
    apparent = {"u_a": 2200, "i_a": 10_000}  # 2200 VA
    assert not found(p=2200, q=0, **apparent)
    assert not found(p=2860, q=0, **apparent)
    assert found(p=2861, q=0, **apparent) == Doubt.CT_RATIO
    assert not found(p=1100, q=0, **apparent)
    assert found(p=1099, q=0, **apparent) == Doubt.CT_RATIO


def test_the_most_a_meter_can_carry_follows_its_plate() -> None:
    assert most_watts(2200, 1, basic_a=5, ct=1, rated=RULES.rated) == 13_200
    assert most_watts(57_735, 3, basic_a=5, ct=20, rated=RULES.rated) == 20_784_600


def test_doubts_become_quality() -> None:
    assert quality_of(Doubt.NONE) is Quality.GOOD
    assert quality_of(Doubt.RANGE | Doubt.RESET) == Quality.OUT_OF_RANGE | Quality.RESET
    assert quality_of(Doubt.STEP) is Quality.SUSPECT


@given(
    before=st.integers(0, 10**6 - 1),
    used=st.integers(0, 10**5 - 1),
)
def test_going_round_loses_no_energy(before: int, used: int) -> None:
    after = (before + used) % 10**6
    goes_round = before + used >= 10**6
    step = energy_step(before, after, 10**6)
    if not goes_round or (before >= 900_000 and after < 100_000):
        assert step == used
    assert energy_step(before, after, None) == (None if after < before else after - before)


edges = st.sampled_from([0, 1, -1, 2200, 3520, 3521, 2**30 - 1, 2**30, -(2**30), 2**31, 2**40])
number = st.one_of(edges, st.integers(-(2**20), 2**20), st.integers(0, 2**52))
maybe = st.one_of(st.none(), number)
samples = st.fixed_dictionaries(dict.fromkeys(batch.COLUMNS, maybe))
power = st.one_of(st.none(), st.integers(-(2**29), 2**29))
register = st.one_of(st.none(), st.integers(0, 2**52), st.sampled_from([0, 99_999, 100_000]))
remembered = st.one_of(
    st.none(),
    st.builds(
        Before,
        st.integers(NOON - 10**6, NOON),
        st.tuples(register, register, register),
        power,
        st.integers(NOON - 10**6, NOON),
        power,
    ),
)
ratings = st.builds(
    Rating,
    st.sampled_from([2200, 57_735]),
    is_three_phase=st.booleans(),
    most_w=st.sampled_from([13_200, 39_600, 20_784_600]),
    ratio=st.sampled_from([1, 30, 2000]),
    register_wh=st.sampled_from([None, 100_000, 10**9]),
)
cases = st.lists(st.tuples(samples, remembered, ratings), min_size=1, max_size=8)


@settings(max_examples=150, deadline=None)
@given(cases)
def test_arrays_say_what_the_rules_say_one_by_one(rows) -> None:  # noqa: ANN001
    size = len(rows)
    values = np.zeros((size, len(batch.COLUMNS)), dtype=np.int64)
    known = np.zeros((size, len(batch.COLUMNS)), dtype=np.bool_)
    memories, rated = batch.Memories.room(size), batch.Ratings.room(size)
    for row, (sample, before, rating) in enumerate(rows):
        for name, column in batch.AT.items():
            known[row, column] = sample[name] is not None
            values[row, column] = sample[name] or 0
        memories.put(row, before)
        rated.put(row, rating)
    at_s = np.full(size, NOON, dtype=np.int64)
    readings = batch.Readings(values, known, at_s)
    said = batch.doubts_of(readings, memories, rated, LIMITS)
    after = batch.remembered(readings, memories)
    for row, (sample, before, rating) in enumerate(rows):
        expected = doubts(sample, at_s=NOON, before=before, rating=rating, limits=LIMITS)
        assert Doubt(int(said[row])) == expected
        assert after.get(row) == remember(sample, at_s=NOON, before=before)
        assert memories.get(row) == before
        assert readings.sample(row) == {k: v for k, v in sample.items() if v is not None}
