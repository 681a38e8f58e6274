"""The simulator as a product: any profile, many units, memory and clock, faults that outlive it."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from metering.modbus.commanding import CommandState, carry_out
from metering.modbus.decode import decode
from metering.modbus.freezes import freeze_reader, period_end
from metering.modbus.identity import identity_blocks
from metering.modbus.meter_clock import clock_block, clock_shown
from metering.modbus.plan import compile_plan
from metering.modbus.profile import load_profiles
from metering.modbus.quantities import EVERY_GROUP
from metering.modbus.simulated_fleet import FleetWanted, fleet_of
from metering.modbus.simulated_unit import FleetRefused

PATIENCE_S = 10.0
SHANGHAI = ZoneInfo("Asia/Shanghai")
PROFILES = load_profiles()
FREEZES = [(name, one.every) for name, profile in PROFILES.items() for one in profile.freezes]


def wanted(**changes: object) -> FleetWanted:
    given = {"profiles": ("eastron_sdm630",), "units": 3, "ports": 2, "host": "127.0.0.1",
             "port": 15020}  # fmt: skip
    return FleetWanted(**{**given, **changes})


async def allowed() -> None:
    """Nothing forbids it."""


def test_units_are_spread_over_the_ports_and_numbered_from_one() -> None:
    fleet = fleet_of(wanted(profiles=("abb_b23", "sunspec_203"), units=5))
    assert [(unit.port, unit.unit_id) for unit in fleet] == [
        (15020, 1), (15021, 1), (15020, 2), (15021, 2), (15020, 3),
    ]  # fmt: skip
    assert [unit.profile for unit in fleet[:3]] == ["abb_b23", "sunspec_203", "abb_b23"]


@pytest.mark.parametrize("changes", [{"units": 495}, {"port": 65535}, {"port": 0}])
def test_a_fleet_that_cannot_stand_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(FleetRefused):
        fleet_of(wanted(**changes))


@pytest.mark.parametrize("framing", ["mbap", "rtu"])
@pytest.mark.parametrize("name", sorted(PROFILES))
def test_every_profile_gives_everything_it_declares(
    town_of: Callable, unit_of: Callable, name: str, framing: str
) -> None:
    async def scene() -> None:
        async with town_of(unit_of(1, name, framing=framing)) as town:
            link, profile = town.link(framing=framing), PROFILES[name]
            plan = compile_plan(profile, groups=EVERY_GROUP)
            replies = [await link.read(1, block, timeout_s=PATIENCE_S) for block in plan.blocks]
            assert None not in {
                value
                for column, value in zip(plan.columns, decode(plan, replies), strict=True)
                if not column.startswith(("wh_export", "vah_export"))
            }
            for _, block in identity_blocks(profile):
                await link.read(1, block, timeout_s=PATIENCE_S)
            block = clock_block(profile)
            if block is not None and profile.clock is not None:
                data = await link.read(1, block, timeout_s=PATIENCE_S)
                shown = clock_shown(profile.clock, data, SHANGHAI)
                assert abs(shown.timestamp() - town.clock.now) < 3600

    asyncio.run(scene())


@pytest.mark.parametrize(("name", "every"), FREEZES)
def test_a_freeze_shows_what_the_counters_showed_at_its_instant(
    town_of: Callable, unit_of: Callable, name: str, every: str
) -> None:
    async def scene() -> None:
        async with town_of(unit_of(1, name)) as town:
            link = town.link()
            await town.order("outage")
            town.clock.now += 5000.0
            await town.order("clear")
            town.clock.now += 3 * 86400.0
            reader = freeze_reader(PROFILES[name], every)
            ((block, numbers),) = reader.blocks_of(1, 2)[:1]
            data = await link.read(1, block, timeout_s=PATIENCE_S)
            now = datetime.fromtimestamp(town.clock.now, SHANGHAI)
            terminal = town.simulator.terminals["M1"]
            for entry in reader.entries(numbers, data, zone=SHANGHAI):
                assert abs(entry.at - period_end(every, entry.number, now)) < timedelta(hours=1)
                truth = terminal.state(period_end(every, entry.number, now).timestamp())
                for quantity, value in entry.values.items():
                    assert value == pytest.approx(truth[quantity], abs=11)

    asyncio.run(scene())


def test_reset_registers_start_again_at_zero_and_run_on(town_of: Callable) -> None:
    async def scene() -> None:
        async with town_of() as town:
            link = town.link()
            before = (await town.values(link))["wh_import"]
            await town.order("register_reset")
            assert (await town.values(link))["wh_import"] == 0
            town.clock.now += 7200
            after = (await town.values(link))["wh_import"]
            assert 0 < after < before

    asyncio.run(scene())


def test_a_drifting_clock_runs_away_and_moves_the_freezes_with_it(town_of: Callable) -> None:
    async def scene() -> None:
        async with town_of() as town:
            link, profile = town.link(), PROFILES["demo_terminal"]
            await town.order("clock_drift", seconds=-120, ppm=1000)
            town.clock.now += 60_000
            data = await link.read(1, clock_block(profile), timeout_s=PATIENCE_S)
            shown = clock_shown(profile.clock, data, SHANGHAI)
            assert shown.timestamp() - town.clock.now == pytest.approx(-120 + 60, abs=1.5)
            listed = await town.order("list")
            assert listed["faults"][0]["ppm"] == 1000

    asyncio.run(scene())


def test_an_opened_relay_and_a_wrong_clock_outlive_the_process(
    town_of: Callable, tmp_path: Path
) -> None:
    async def scene() -> None:
        state, relay = tmp_path / "state.json", PROFILES["demo_terminal"].control("relay")
        async with town_of(state_file=state) as town:
            done = await carry_out(
                town.link(), 1, relay, "open", gate=allowed, timeout_s=PATIENCE_S
            )
            assert done.state is CommandState.CONFIRMED
            await town.order("clock_drift", seconds=50)
        async with town_of(state_file=state) as town:
            link = town.link()
            assert (await town.values(link))["i_a"] == 0
            kinds = {kind.kind for _, kind in town.simulator.faults()}
            assert {"relay_open", "clock_drift"} <= kinds

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("profile", "order", "why"),
    [
        ("eastron_sdm630", {"order": "relay_open"}, "no_relay"),
        ("eastron_sdm630", {"order": "clock_drift", "seconds": 5}, "no_clock"),
        ("demo_terminal", {"order": "clock_drift"}, "bad_value"),
    ],
)
def test_a_fault_a_terminal_cannot_have_is_refused(
    town_of: Callable, unit_of: Callable, profile: str, order: dict[str, object], why: str
) -> None:
    async def scene() -> None:
        async with town_of(unit_of(1, profile)) as town:
            answer = await town.simulator.execute({**order, "target": "M1"})
            assert (answer["ok"], answer["error"]) == (False, why)

    asyncio.run(scene())
