"""Every fault of the simulator in both framings: no wrong value, the round ends, it says why."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from metering.modbus.decode import decode
from metering.modbus.errors import NoReply
from metering.modbus.link import Link
from metering.modbus.plan import Block, compile_plan
from metering.modbus.profile import load_profiles
from metering.modbus.quantities import EVERY_GROUP
from metering.modbus.reading import Answers, Learned, read_terminal
from metering.modbus.rtu import framed_rtu
from metering.modbus.simulated_faults import FaultKind

pytestmark = pytest.mark.usefixtures("wire_kind")
FRAMINGS = ("mbap", "rtu")
SHORT_S = 0.06
OF_THE_GRID = {
    FaultKind.SAG, FaultKind.PHASE_LOSS, FaultKind.CT_BYPASS, FaultKind.COVER_OPEN,
    FaultKind.RELAY_OPEN, FaultKind.CLOCK_DRIFT, FaultKind.REGISTER_RESET,
}  # fmt: skip
FIELDS: dict[FaultKind, dict[str, object]] = {
    FaultKind.SAG: {"to": 0.8},
    FaultKind.SLOW: {"seconds": 0.15},
    FaultKind.TRICKLE: {"seconds": 0.01},
    FaultKind.CLOCK_DRIFT: {"seconds": 600},
    FaultKind.OUTAGE: {"dark": True},
    FaultKind.EXCEPTION: {"code": 4},
}
REASONS: dict[FaultKind, set[str]] = {
    FaultKind.SILENCE: {"no_reply"},
    FaultKind.OUTAGE: {"no_reply"},
    FaultKind.SLOW: {"no_reply"},
    FaultKind.TRICKLE: {"garbled_reply", "no_reply"},
    FaultKind.HANG_UP: {"link_down"},
    FaultKind.EXCEPTION: {"exception_reply"},
    FaultKind.TRUNCATED: {"garbled_reply"},
    FaultKind.WRONG_TRANSACTION: {"no_reply"},
    FaultKind.WRONG_UNIT: {"garbled_reply"},
    FaultKind.WRONG_FUNCTION: {"garbled_reply"},
    FaultKind.WRONG_COUNT: {"garbled_reply"},
    FaultKind.HUGE_LENGTH: {"garbled_reply", "no_reply"},
    FaultKind.CRC_ERROR: {"garbled_reply", "exception_reply"},
}
HARMLESS = {FaultKind.DUPLICATE, FaultKind.ONE_CONNECTION}
"""Faults under which every value still comes, and is right."""


def assert_no_wrong_value(answers: Answers, truth: dict[str, Any]) -> None:
    """Whatever came is what the meter showed."""
    values = decode(answers.plan, answers.replies)
    for column, value in zip(answers.plan.columns, values, strict=True):
        assert value is None or value == truth[column], column


def whole(answers: Answers) -> dict[str, Any]:
    return dict(zip(answers.plan.columns, decode(answers.plan, answers.replies), strict=True))


async def read(link: Link, unit: int, timeout_s: float) -> Answers:
    plan = compile_plan(load_profiles()["demo_terminal"], groups=EVERY_GROUP)
    return await read_terminal(link, unit, plan, timeout_s=timeout_s, learned=Learned(), key=unit)


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("kind", sorted(set(FaultKind) - OF_THE_GRID))
def test_no_fault_makes_a_wrong_value_and_the_round_ends_with_its_reason(
    town_of: Callable, unit_of: Callable, kind: FaultKind, framing: str
) -> None:
    async def scene() -> None:
        units = [unit_of(number, framing=framing) for number in (1, 2, 3)]
        async with town_of(*units) as town:
            calm = town.link(framing=framing)
            truth = {number: whole(await read(calm, number, 10)) for number in (1, 2, 3)}
            await calm.close()
            order = {"order": kind, "target": "M2", **FIELDS.get(kind, {})}
            said = await town.simulator.execute(order)
            if (kind, framing) == (FaultKind.WRONG_TRANSACTION, "rtu"):
                assert said["error"] == "no_transactions"
                return
            assert said["ok"]
            link = town.link(framing=framing)
            for number in (1, 2, 3):
                patience_s = SHORT_S if number == 2 and kind not in HARMLESS else 10
                answers = await read(link, number, patience_s)
                assert_no_wrong_value(answers, truth[number])
                if number != 2 or kind in HARMLESS:
                    assert whole(answers) == truth[number]
                else:
                    assert answers.errors
                    assert {error.code for error in answers.errors} <= REASONS[kind]
            await town.order("clear", "all")
            assert whole(await read(link, 2, 10)) == truth[2]

    asyncio.run(scene())


@pytest.mark.parametrize("framing", FRAMINGS)
def test_every_fault_is_in_the_matrix_or_of_the_grid(framing: str) -> None:
    del framing
    assert set(REASONS) | HARMLESS | OF_THE_GRID == set(FaultKind)


@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_second_master_is_turned_away_where_one_is_taken(
    town_of: Callable, unit_of: Callable, framing: str
) -> None:
    async def scene() -> None:
        async with town_of(unit_of(1, framing=framing)) as town:
            first, second = town.link(framing=framing), town.link(framing=framing)
            await town.order("one_connection")
            assert not (await read(first, 1, 10)).errors
            refused = await read(second, 1, SHORT_S)
            assert [error.code for error in refused.errors] == ["link_down"]
            await first.close()
            for _ in range(20):
                again = await read(second, 1, 10)
                if not again.errors:
                    break
                await asyncio.sleep(0.05)
            assert not again.errors

    asyncio.run(scene())


def test_on_rtu_framing_a_late_reply_never_answers_the_next_request(
    town_of: Callable, unit_of: Callable
) -> None:
    """What pymodbus 3.16 does not do: there every later answer is the one before it."""

    async def scene() -> None:
        units = [unit_of(number, framing="rtu") for number in (1, 2)]
        async with town_of(*units) as town:
            calm = town.link(framing="rtu")
            truth = {number: whole(await read(calm, number, 10)) for number in (1, 2)}
            link = town.link(framing="rtu")
            await town.order("slow", "M1", seconds=SHORT_S + 0.02)
            for _ in range(4):
                late = await read(link, 1, SHORT_S)
                assert {error.code for error in late.errors} <= {"no_reply", "unit_resting"}
                assert late.errors
                assert_no_wrong_value(late, truth[1])
                assert whole(await read(link, 2, 10)) == truth[2]
            assert link.counters.connects == 1 + link.counters.timeouts

    asyncio.run(scene())


def test_a_serial_server_that_hands_a_late_reply_to_the_new_connection_is_waited_out() -> None:
    """Some device servers send what the line says to whoever is connected."""

    async def scene() -> None:
        writers: list[asyncio.StreamWriter] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writers.append(writer)
            while request := await reader.read(8):
                address = int.from_bytes(request[2:4], "big")
                delay_s = 0.1 if address == 100 else 0.0
                reply = framed_rtu(request[0], bytes((3, 2)) + address.to_bytes(2, "big"))
                asyncio.get_running_loop().call_later(
                    delay_s, lambda reply=reply: writers[-1].write(reply)
                )

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        link = Link("127.0.0.1", server.sockets[0].getsockname()[1], framing="rtu")
        with pytest.raises(NoReply):
            await link.read(1, Block(3, 100, 1), timeout_s=SHORT_S)
        for address in (200, 300, 400):
            data = await link.read(1, Block(3, address, 1), timeout_s=5)
            assert int.from_bytes(data, "big") == address
        assert link.counters.late == 1
        await link.close()
        for writer in writers:
            writer.close()
        server.close()
        await server.wait_closed()

    asyncio.run(scene())
