"""Gateways and stubborn terminals: RTU frames, several requests at once, refused blocks."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from foundation.db import unit_of_work
from metering.modbus.simulated_unit import SimulatedUnit
from metering.modbus.simulator import Simulator
from tests.factories.metering import Fitted, meter
from tests.integration.metering.polling.conftest import Field, until

DOUBLES = "SELECT count(*) - count(DISTINCT ts) FROM metering.reading WHERE meter_id = :m"


@asynccontextmanager
async def gateway(
    units: int, *, clock: Callable[[], float] = time.time, **changes: Any
) -> AsyncIterator[tuple[Simulator, int]]:
    """Run several meters behind one address."""
    some = [
        SimulatedUnit(
            **{
                "key": f"M{number}",
                "area_no": "T1",
                "host": "127.0.0.1",
                "port": 0,
                "unit_id": number,
                "profile": "demo_single",
                "kind": "home",
                "seed": number,
                "peak_w": 9000.0,
                **changes,
            }
        )
        for number in range(1, units + 1)
    ]
    simulator = Simulator(some, zone=ZoneInfo("Asia/Shanghai"), clock=clock)
    await simulator.start()
    try:
        yield simulator, next(iter(simulator.ports.values()))
    finally:
        await simulator.stop()


def fitted(field: Field, port: int, units: int, **manner: object) -> list[Fitted]:
    with unit_of_work(field.office) as session:
        meters = [
            meter(session, port=port, unit=number, profile="demo_single")
            for number in range(1, units + 1)
        ]
        for name, value in manner.items():
            session.execute(text(f"UPDATE metering.terminal SET {name} = :v"), {"v": value})
    return meters


@pytest.mark.parametrize(
    ("framing", "depth"), [("rtu", 1), ("mbap", 4)], ids=["rtu frames", "four at once"]
)
def test_a_gateway_is_talked_to_in_its_manner(outdoors: Field, framing: str, depth: int) -> None:
    async def scene() -> None:
        async with gateway(6, framing=framing) as (_simulator, port):
            meters = fitted(outdoors, port, 6, framing=framing, depth=depth)
            async with outdoors.polling() as poller:
                await until(lambda: all(outdoors.readings(one) for one in meters), "all readings")
                connection, _ = poller.connections.by_meter[meters[0].meter_id]
                assert (connection.link.framing, connection.link.depth) == (framing, depth)
                took = {
                    (one.name, *one.labels.values()): one.value
                    for family in poller.connections.slowness.collect()
                    for one in family.samples
                }
                usual = took["gridhall_terminal_reply_seconds", "0.5"]
                slowest = took["gridhall_terminal_reply_seconds", "1.0"]
                assert 0 < usual <= slowest
                assert (
                    took["gridhall_terminal_slowest_seconds", f"{connection.address}/1"] <= slowest
                )
            assert [outdoors.value(DOUBLES, m=one.meter_id) for one in meters] == [0] * 6

    asyncio.run(scene())


def test_a_changed_manner_reopens_the_link_and_nothing_else(outdoors: Field) -> None:
    async def scene() -> None:
        async with gateway(2) as (_simulator, port):
            meters = fitted(outdoors, port, 2)
            other = outdoors.fit(outdoors.wire.ports[0], 1)
            async with outdoors.polling() as poller:
                await until(lambda: all(outdoors.readings(one) for one in meters), "readings")
                await until(lambda: outdoors.readings(other), "a reading of the other")
                with unit_of_work(outdoors.office) as session:
                    session.execute(
                        text("UPDATE metering.terminal SET depth = 2 WHERE port = :p"), {"p": port}
                    )
                    session.execute(text("SELECT pg_notify('metering_fleet', '')"))

                def deep() -> bool:
                    held = poller.connections.by_meter.get(meters[0].meter_id)
                    return held is not None and held[0].link.depth == 2

                await until(deep, "the new link")
            assert outdoors.wire.connects == [outdoors.wire.ports[0]]

    asyncio.run(scene())
