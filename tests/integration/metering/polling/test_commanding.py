"""Commands on the wire: an approved one switches the relay once, and the terminal proves it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from foundation import clock
from foundation.actor import Role
from foundation.db import unit_of_work
from metering.modbus.simulated_unit import SimulatedUnit
from metering.modbus.simulator import Simulator
from metering.requests.types import NewWrite, WriteCard, WriteKind, WriteState
from metering.requests.write_queries import write_card
from metering.requests.writing import approve_write, ask_write, book_ended_writes
from tests.factories.foundation import SYSTEM, person
from tests.factories.metering import Fitted, meter
from tests.integration.metering.polling.conftest import Field, until

NOON = datetime(2099, 6, 25, 4, 0, tzinfo=UTC)
"""A working day far ahead: what is approved then may be sent now."""


@asynccontextmanager
async def a_terminal() -> AsyncIterator[tuple[Simulator, int]]:
    """Run a terminal with a relay; give it and its port."""
    unit = SimulatedUnit(
        key="M1",
        area_no="T1",
        host="127.0.0.1",
        port=0,
        unit_id=1,
        profile="demo_single",
        kind="home",
        seed=1,
        peak_w=9000.0,
    )
    simulator = Simulator([unit], zone=ZoneInfo("Asia/Shanghai"))
    await simulator.start()
    try:
        yield simulator, next(iter(simulator.ports.values()))
    finally:
        await simulator.stop()


def approved(
    field: Field, one: Fitted, kind: WriteKind = WriteKind.OPEN, *, minute: int = 0
) -> str:
    """Ask for a command and approve it."""
    with clock.frozen(NOON.replace(minute=minute)), unit_of_work(field.office) as session:
        first, second = person(session, Role.DISPATCHER), person(session, Role.SUPERVISOR)
        reason = "drift" if kind is WriteKind.SET_CLOCK else "test"
        number = ask_write(session, first, NewWrite(one.meter_id, kind, reason))
        approve_write(
            session, second, number, version=1, ending=one.meter_no[-4:], opinion="核对无误"
        )
    return number


def card(field: Field, number: str) -> WriteCard:
    with unit_of_work(field.office) as session:
        return write_card(session, number)


def fitted(field: Field, port: int) -> Fitted:
    with unit_of_work(field.office) as session:
        return meter(session, port=port, unit=1, profile="demo_single")


async def ended(field: Field, number: str) -> WriteCard:
    await until(lambda: card(field, number).answered_at, f"the end of {number}")
    with unit_of_work(field.office) as session:
        book_ended_writes(session, SYSTEM)
    return card(field, number)


def test_an_approved_command_switches_the_relay_and_the_terminal_proves_it(
    outdoors: Field,
) -> None:
    async def scene() -> None:
        async with a_terminal() as (_simulator, port):
            one = fitted(outdoors, port)
            async with outdoors.polling() as poller:
                await until(lambda: one.meter_id in poller.connections.by_meter, "the terminal")
                cut = await ended(outdoors, approved(outdoors, one))
                assert (cut.state, cut.read_back) == (WriteState.DONE, {"shows": "open"})
                back = await ended(outdoors, approved(outdoors, one, WriteKind.CLOSE, minute=1))
                assert (back.state, back.read_back) == (WriteState.DONE, {"shows": "close"})

    asyncio.run(scene())


def test_a_terminal_that_says_nothing_is_not_switched_and_not_shown_as_done(
    outdoors: Field,
) -> None:
    async def scene() -> None:
        async with a_terminal() as (simulator, port):
            one = fitted(outdoors, port)
            async with outdoors.polling() as poller:
                await until(lambda: one.meter_id in poller.connections.by_meter, "the terminal")
                await simulator.execute({"order": "silence", "target": "M1"})
                lost = await ended(outdoors, approved(outdoors, one))
                assert lost.state in {WriteState.FAILED, WriteState.TIMED_OUT}
                assert lost.error is not None
                await simulator.execute({"order": "clear", "target": "M1"})
                again = await ended(outdoors, approved(outdoors, one, minute=1))
                assert again.state is WriteState.DONE

    asyncio.run(scene())


def test_a_clock_is_set_and_read_back(outdoors: Field) -> None:
    async def scene() -> None:
        async with a_terminal() as (simulator, port):
            one = fitted(outdoors, port)
            drifted = await simulator.execute(
                {"order": "clock_drift", "target": "M1", "seconds": 900}
            )
            assert drifted["ok"], drifted
            async with outdoors.polling() as poller:
                await until(lambda: one.meter_id in poller.connections.by_meter, "the terminal")
                done = await ended(outdoors, approved(outdoors, one, WriteKind.SET_CLOCK))
            assert done.state is WriteState.DONE
            assert done.read_back is not None
            assert abs(done.read_back["drift_s"]) <= 3

    asyncio.run(scene())


def test_a_command_nobody_approved_is_never_sent(outdoors: Field) -> None:
    async def scene() -> None:
        async with a_terminal() as (_simulator, port):
            one = fitted(outdoors, port)
            with clock.frozen(NOON), unit_of_work(outdoors.office) as session:
                asker = person(session, Role.DISPATCHER)
                waits = ask_write(session, asker, NewWrite(one.meter_id, WriteKind.OPEN, "test"))
            async with outdoors.polling():
                await until(lambda: outdoors.readings(one), "the first reading")
                await asyncio.sleep(0.5)
            assert card(outdoors, waits).taken_at is None

    asyncio.run(scene())
