"""The simulator on real sockets: the fleet, its faults, and what survives a restart."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
from pymodbus.client import AsyncModbusTcpClient

from metering.modbus.decode import decode
from metering.modbus.plan import Block, compile_plan
from metering.modbus.profile import load_profiles
from metering.modbus.simulated_unit import FleetRefused
from metering.modbus.simulator_state import StateFileRefused

PROFILES = sorted(load_profiles())


@pytest.mark.parametrize("profile", PROFILES)
def test_a_polled_meter_gives_what_its_curve_says(
    town_of: Callable, unit_of: Callable, profile: str
) -> None:
    async def scene() -> None:
        async with town_of(unit_of(1, profile)) as town:
            link = town.link()
            for _ in range(5):
                town.clock.now += 4321
                values = await town.values(link)
                state = town.simulator.terminals["M1"].state(town.clock.now)
                assert values["u_a"] == pytest.approx(state["u_a"], abs=0.06)
                assert values["p"] == pytest.approx(state["p"], abs=0.6)
                assert values["wh_import"] == pytest.approx(state["wh_import"], abs=51)

    asyncio.run(scene())


@pytest.mark.parametrize("profile", PROFILES)
def test_pymodbus_reads_the_same(town_of: Callable, unit_of: Callable, profile: str) -> None:
    async def scene() -> None:
        async with town_of(unit_of(1, profile)) as town:
            ours = await town.values(town.link())
            client = AsyncModbusTcpClient("127.0.0.1", port=town.port)
            assert await client.connect()
            plan = town.plan()
            reads = {
                2: client.read_discrete_inputs,
                3: client.read_holding_registers,
                4: client.read_input_registers,
            }
            replies = []
            for block in plan.blocks:
                answer = await reads[block.function](block.address, count=block.count, device_id=1)
                assert not answer.isError()
                if block.function == 2:
                    replies.append(bytes([answer.bits[0]]))
                else:
                    replies.append(b"".join(r.to_bytes(2, "big") for r in answer.registers))
            client.close()
            theirs = dict(zip(plan.columns, decode(plan, replies), strict=True))
            assert theirs == ours

    asyncio.run(scene())


def test_transformer_ratios_divide_the_registers_and_multiply_back(
    town_of: Callable, unit_of: Callable
) -> None:
    async def scene() -> None:
        unit = unit_of(
            1, "acrel_adl400", kind="factory", peak_w=300_000.0, ct=Decimal(120), pt=Decimal(1)
        )
        async with town_of(unit) as town:
            values = await town.values(town.link())
            state = town.simulator.terminals["M1"].state(town.clock.now)
            assert values["p"] == pytest.approx(state["p"], abs=60)
            assert values["i_a"] == pytest.approx(state["i_a"], abs=0.6)
            assert values["u_a"] == pytest.approx(state["u_a"], abs=0.06)

    asyncio.run(scene())


def test_an_outage_darkens_its_area_alone_and_clear_brings_it_back(
    town_of: Callable, unit_of: Callable
) -> None:
    async def scene() -> None:
        units = [unit_of(number, area_no="T1" if number < 3 else "T2") for number in range(1, 4)]
        async with town_of(*units) as town:
            link = town.link()
            assert (await town.order("outage", "T1"))["meters"] == 2
            volts = [(await town.values(link, key))["u_a"] for key in ("M1", "M2", "M3")]
            assert volts[:2] == [0.0, 0.0]
            assert volts[2] > 200
            listed = (await town.order("list"))["faults"]
            assert [(row["kind"], row["target"], row["meters"]) for row in listed] == [
                ("outage", "T1", ["M1", "M2"])
            ]
            assert (await town.order("clear", "all"))["ended"] == 2
            assert (await town.values(link, "M1"))["u_a"] > 200
            assert (await town.order("list"))["faults"] == []

    asyncio.run(scene())


def test_a_fault_on_the_wire_side_shows_through_the_registers(town_of: Callable) -> None:
    async def scene() -> None:
        async with town_of() as town:
            link = town.link()
            before = await town.values(link)
            await town.order("ct_bypass", phases="a")
            await town.order("cover_open")
            await town.order("sag", phases="b", percent=80)
            await town.order("phase_loss", phases="c")
            after = await town.values(link)
            assert (after["i_a"], after["p_a"], after["u_a"]) == (0.0, 0, before["u_a"])
            assert after["u_b"] == pytest.approx(176.0)
            assert (after["u_c"], after["i_c"]) == (0.0, 0.0)
            assert (before["cover_open"], after["cover_open"]) == (0, 1)
            await town.order("clear", kind="cover_open")
            assert (await town.values(link))["cover_open"] == 0

    asyncio.run(scene())


def test_a_restart_neither_heals_a_meter_nor_moves_a_register(
    town_of: Callable, tmp_path: Path
) -> None:
    kept = tmp_path / "simulator.json"

    async def before() -> tuple[float, int]:
        async with town_of(state_file=kept) as town:
            await town.order("outage", "T1")
            town.clock.now += 7200
            await town.order("clear", "all")
            await town.order("ct_bypass", phases="b", duration_s=5400)
            town.clock.now += 3600
            values = await town.values(town.link())
            return town.clock.now, values["wh_import"]

    async def after(now: float) -> tuple[list[str], int, int]:
        # no order was given since: what a killed process left on disk is what stands here
        async with town_of(state_file=kept) as town:
            town.clock.now = now
            kinds = [row["kind"] for row in (await town.order("list"))["faults"]]
            values = await town.values(town.link())
            healthy = town.simulator.terminals["M1"].curve.at(now)["wh_import"]
            assert (await town.order("silence"))["order_no"] == 3
            return kinds, values["wh_import"], healthy

    now, wh = asyncio.run(before())
    kinds, wh_after, healthy = asyncio.run(after(now))
    assert kinds == ["ct_bypass"]
    assert wh_after == wh
    assert wh < healthy - 100


def test_a_state_file_of_somebody_else_is_refused_and_left_alone(
    town_of: Callable, tmp_path: Path
) -> None:
    kept = tmp_path / "simulator.json"
    for content in ("{", "[]", '{"version": 9}', '{"version": 1, "meters": {}}'):
        kept.write_text(content, encoding="utf-8")

        async def scene() -> None:
            async with town_of(state_file=kept):
                pytest.fail("stood up")

        with pytest.raises(StateFileRefused):
            asyncio.run(scene())
        assert kept.read_text(encoding="utf-8") == content


def test_reload_brings_new_meters_moves_none_and_keeps_faults(
    town_of: Callable, unit_of: Callable
) -> None:
    async def scene() -> None:
        fleet = [unit_of(1)]
        async with town_of(*fleet, loader=lambda: list(fleet)) as town:
            link = town.link()
            await town.order("sag", to=0.5)
            before = await town.values(link)
            fleet.append(unit_of(2))
            fleet.append(unit_of(3, host="127.0.0.2"))
            assert (await town.order("reload"))["meters"] == 3
            assert await town.values(link) == before
            town.assert_true(await town.values(link, "M2"), "M2")
            assert link.counters.connects == 1
            assert len(town.simulator.ports) == 2
            del fleet[1:]
            fleet[0] = unit_of(1, peak_w=4000.0)
            await town.order("reload")
            assert (await town.values(link))["u_a"] == pytest.approx(110.0)
            assert len(town.simulator.ports) == 1

    asyncio.run(scene())


def test_a_fleet_that_cannot_stand_is_refused_and_the_old_one_stays(
    town_of: Callable, unit_of: Callable
) -> None:
    async def scene() -> None:
        fleet = [unit_of(1)]
        async with town_of(*fleet, loader=lambda: list(fleet)) as town:
            link = town.link()
            fleet.append(unit_of(2, host="203.0.113.1"))
            answer = await town.simulator.execute({"order": "reload"})
            assert (answer["ok"], answer["error"]) == (False, "fleet_refused")
            town.assert_true(await town.values(link))

    asyncio.run(scene())


@pytest.mark.parametrize(
    "second",
    [
        {"key": "M1"},
        {"unit_id": 1},
        {"profile": "nobody"},
        {"unit_id": 256},
        {"kind": "castle"},
        {"peak_w": 0.0},
        {"ct": Decimal(0)},
    ],
)
def test_meters_that_clash_or_cannot_be_are_refused(
    town_of: Callable, unit_of: Callable, second: dict[str, object]
) -> None:
    async def scene() -> None:
        async with town_of(unit_of(1), unit_of(2, **second)):
            pytest.fail("stood up")

    with pytest.raises(FleetRefused):
        asyncio.run(scene())


def test_a_request_that_is_no_modbus_ends_the_connection(town_of: Callable) -> None:
    async def scene() -> None:
        async with town_of() as town:
            reader, writer = await asyncio.open_connection("127.0.0.1", town.port)
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            with suppress(ConnectionError):
                assert await reader.read() == b""
            writer.close()
            assert town.simulator.counters.not_modbus == 1

    asyncio.run(scene())


def test_a_write_or_a_torn_read_is_answered_with_an_exception(town_of: Callable) -> None:
    async def scene() -> None:
        async with town_of() as town:
            reader, writer = await asyncio.open_connection("127.0.0.1", town.port)
            for request, reply in (
                ("0001 0000 0006 01 06 0000 0001", "0001 0000 0003 01 86 01"),
                ("0002 0000 0004 01 03 0000", "0002 0000 0003 01 83 03"),
                ("0003 0000 0006 01 03 0000 007e", "0003 0000 0003 01 83 03"),
            ):
                writer.write(bytes.fromhex(request))
                assert await reader.readexactly(9) == bytes.fromhex(reply)
            writer.close()
            await writer.wait_closed()

    asyncio.run(scene())


def test_two_hundred_meters_on_many_addresses_are_read_in_one_go(
    town_of: Callable, unit_of: Callable
) -> None:
    async def scene() -> None:
        units = [
            unit_of(1 + number % 4, key=f"M{number}", host=f"127.0.1.{1 + number // 4}")
            for number in range(200)
        ]
        async with town_of(*units) as town:
            plan = compile_plan(load_profiles()["demo_terminal"])
            links = {
                address: type(town.link())(address[0], port, connect_timeout_s=10.0)
                for address, port in town.simulator.ports.items()
            }
            town.links += links.values()
            block: Block = plan.blocks[1]
            answers = await asyncio.gather(
                *(links[unit.address].read(unit.unit_id, block, timeout_s=10.0) for unit in units)
            )
            assert len(answers) == 200
            assert all(len(answer) == block.payload_bytes for answer in answers)
            assert town.simulator.counters.connections == 50

    asyncio.run(scene())
