"""Looking at a live device: framing, offset, word order, raw and decoded side by side."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.modbus.place import Place
from metering.modbus.plan import Block
from metering.modbus.plausibility import judged, score
from metering.modbus.probe import guesses, look_at, read_registers
from metering.modbus.profile import load_profiles
from metering.modbus.profile_variants import in_order, moved_by

PROFILES = load_profiles()


@pytest.mark.parametrize("framing", ["mbap", "rtu"])
def test_the_framing_is_found_and_the_device_says_what_it_is(
    town_of: Callable, unit_of: Callable, framing: str
) -> None:
    async def scene() -> None:
        async with town_of(unit_of(1, framing=framing)) as town:
            place = Place("127.0.0.1", town.port, 1, 0.3)
            seen = await look_at(place, PROFILES["demo_terminal"])
            assert seen.framing == framing
            assert [tried.speaks for tried in seen.tried] == (
                [True] if framing == "mbap" else [False, True]
            )
            said = {one.what: (one.said, one.fits) for one in seen.identity}
            assert said["maker"] == ("Gridhall", True)
            assert said["model"] == ("GH-DEMO-3", True)
            assert said["serial"][0] is not None

    asyncio.run(scene())


def test_nobody_there_is_said() -> None:
    async def scene() -> None:
        seen = await look_at(Place("127.0.0.1", 9, 1, 0.2), None)
        assert seen.framing is None
        assert [tried.error.code for tried in seen.tried] == ["link_down", "link_down"]

    asyncio.run(scene())


@pytest.mark.parametrize(
    "name", ["eastron_sdm630", "abb_b23", "acrel_adl400", "schneider_pm5100", "demo_terminal",
             "chint_dtsu666", "gavazzi_em340", "schneider_iem3000"],
)  # fmt: skip
def test_a_right_profile_fits_as_it_is(town_of: Callable, unit_of: Callable, name: str) -> None:
    async def scene() -> None:
        async with town_of(unit_of(1, name)) as town:
            seen = await look_at(Place("127.0.0.1", town.port, 1, 2), PROFILES[name])
            best = seen.fits[0]
            assert (best.shift, best.order) == (0, None)
            assert best.score > 0.95, [one for one in best.findings if not one.holds]
            shown = town.simulator.terminals["M1"].state(town.clock.now)
            values = {one.point.quantity: one for one in best.points}
            assert values["u_a"].value == pytest.approx(shown["u_a"], abs=0.06)
            assert values["u_a"].holds
            assert values["u_a"].raw is not None

    asyncio.run(scene())


@pytest.mark.parametrize("shift", [-1, 1])
@pytest.mark.parametrize("name", ["eastron_sdm630", "schneider_pm5100", "acrel_adl400"])
def test_a_map_that_is_off_by_one_is_found_out(
    town_of: Callable, unit_of: Callable, name: str, shift: int
) -> None:
    async def scene() -> None:
        async with town_of(unit_of(1, name)) as town:
            wrong = moved_by(PROFILES[name], -shift) if _fits_low(name, shift) else None
            if wrong is None:
                pytest.skip("its first register is 0")
            seen = await look_at(Place("127.0.0.1", town.port, 1, 2), wrong)
            assert (seen.fits[0].shift, seen.fits[0].order) == (shift, None)
            assert seen.fits[0].score > 0.95

    asyncio.run(scene())


def test_bits_at_address_0_hide_no_offset_of_the_registers(
    town_of: Callable, unit_of: Callable
) -> None:
    async def scene() -> None:
        right = PROFILES["demo_terminal"]
        high = moved_by(right, 1)
        points = tuple(
            there if there.function in {3, 4} else here
            for here, there in zip(right.points, high.points, strict=True)
        )
        spans = tuple(
            there if there.function in {3, 4} else here
            for here, there in zip(right.readable, high.readable, strict=True)
        )
        wrong = replace(high, points=points, readable=spans)
        assert min(point.first for point in wrong.points) == 0
        async with town_of(unit_of(1, "demo_terminal")) as town:
            seen = await look_at(Place("127.0.0.1", town.port, 1, 2), wrong)
            assert (seen.fits[0].shift, seen.fits[0].order) == (-1, None)
            assert seen.fits[0].score > 0.95

    asyncio.run(scene())


def _fits_low(name: str, shift: int) -> bool:
    return min(point.first for point in PROFILES[name].points) - shift >= 0


@pytest.mark.parametrize("order", ["CDAB", "BADC", "DCBA"])
def test_a_wrong_word_order_is_found_out(town_of: Callable, unit_of: Callable, order: str) -> None:
    async def scene() -> None:
        async with town_of(unit_of(1, "eastron_sdm630")) as town:
            wrong = in_order(PROFILES["eastron_sdm630"], order)
            seen = await look_at(Place("127.0.0.1", town.port, 1, 2), wrong)
            assert (seen.fits[0].shift, seen.fits[0].order) == (0, "ABCD")
            assert seen.fits[0].score > 0.95

    asyncio.run(scene())


def test_another_model_fits_badly(town_of: Callable, unit_of: Callable) -> None:
    async def scene() -> None:
        async with town_of(unit_of(1, "eastron_sdm630")) as town:
            seen = await look_at(Place("127.0.0.1", town.port, 1, 2), PROFILES["abb_b23"])
            assert all(fit.score < 0.5 for fit in seen.fits)

    asyncio.run(scene())


def test_raw_registers_are_read_around_what_is_refused(
    town_of: Callable, unit_of: Callable
) -> None:
    async def scene() -> None:
        async with town_of(unit_of(1)) as town:
            link = town.link()
            found = await read_registers(
                link, Place("127.0.0.1", town.port, 1, 5), Block(3, 0x28, 12)
            )
            given = {one.block.address + at for one in found if one.data
                     for at in range(one.block.count)}  # fmt: skip
            assert given == set(range(0x28, 0x30))
            assert {one.error.exception for one in found if one.error} == {2}

    asyncio.run(scene())


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_float_is_among_the_guesses_of_its_own_bytes(number: float) -> None:
    found = guesses(pack(">f", number))
    assert ("f32", "ABCD", number) in {(one.type, one.order, one.number) for one in found}


def test_phases_that_do_not_add_up_are_said() -> None:
    values = {"p": 3000, "p_a": 1000, "p_b": 1000, "p_c": 100, "u_a": 221.0, "f": 50.0}
    wrong = [one for one in judged(values) if not one.holds]
    assert [(one.check, one.quantity, one.expected) for one in wrong] == [("sum", "p", 2100.0)]
    assert score(judged({**values, "p_c": 1000}), values) == 1
    assert replace(wrong[0], holds=True).holds
