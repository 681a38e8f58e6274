"""Gateways and stubborn terminals: RTU frames, several requests at once, refused blocks."""

import asyncio

import pytest
from sqlalchemy import text

from foundation.db import unit_of_work
from tests.integration.metering.polling.conftest import Field, fitted, gateway, until


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
            assert outdoors.doubles() == 0

    asyncio.run(scene())


def test_who_did_not_answer_before_is_asked_after_the_others(outdoors: Field) -> None:
    async def scene() -> None:
        port = outdoors.wire.ports[0]
        meters = [outdoors.fit(port, unit, interval_s=5) for unit in (1, 2, 3)]
        with unit_of_work(outdoors.office) as session:
            session.execute(
                text("UPDATE metering.terminal SET failed_rounds = 1 WHERE id = :id"),
                {"id": meters[0].terminal_id},
            )
        async with outdoors.polling():
            await until(lambda: all(outdoors.readings(one) for one in meters), "all readings")
        asked = list(dict.fromkeys(one.unit for one in outdoors.wire.requests))
        assert asked == [2, 3, 1]

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
