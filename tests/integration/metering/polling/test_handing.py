"""Shards that change hands: nobody asks what it is handing over, and nothing stays unasked."""

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from uuid import uuid4

from psycopg import connect as connect_plainly
from sqlalchemy import text

from foundation.db import connect, driver_url, unit_of_work
from metering.polling.owning import Facts, Leases, Moves
from metering.polling.rules import stagger_s
from metering.polling.types import Gained
from tests.factories.wire import terminals
from tests.integration.metering.polling.conftest import Field, until

PORTS = 16
HALF = 128
SLOW_S = 60
MOST_SPREAD_S = 6.0
"""What is taken over is asked within five seconds, were it asked."""


def test_what_is_being_handed_over_is_not_opened_again(outdoors: Field) -> None:
    async def scene() -> None:
        with terminals(PORTS) as wire:
            for port in wire.ports:
                outdoors.fit(port, 1)
            other = replace(outdoors.setup.me, worker=uuid4())
            async with outdoors.polling() as first:
                await until(lambda: first.connections.terminals == PORTS, "one to ask all")
                storing = connect_plainly(driver_url(outdoors.where.owner))
                storing.execute("LOCK TABLE metering.poll_parcel IN ACCESS EXCLUSIVE MODE")
                async with outdoors.polling(me=other) as second:
                    await until(lambda: first.connections.terminals < PORTS, "some to be let go")
                    left = first.connections.terminals
                    with unit_of_work(outdoors.office) as session:
                        session.execute(text("SELECT pg_notify('metering_fleet', '')"))
                    await asyncio.sleep(0.5)
                    assert first.connections.terminals == left
                    storing.close()
                    await until(lambda: second.connections.terminals == PORTS - left, "the rest")
                    assert first.connections.terminals == left

    asyncio.run(scene())


def test_what_the_owner_before_asked_is_not_asked_again_after_the_database_was_away(
    outdoors: Field,
) -> None:
    async def scene() -> None:
        with terminals(PORTS) as wire:
            fitted = [outdoors.fit(port, 1, interval_s=SLOW_S) for port in wire.ports]
            other = replace(outdoors.setup.me, worker=uuid4())
            async with outdoors.polling() as first:
                await until(lambda: all(outdoors.readings(one) for one in fitted), "a round")
                async with outdoors.polling(me=other) as second:
                    # what it takes cannot be loaded, and then the database is gone
                    loading = connect_plainly(driver_url(outdoors.where.owner))
                    loading.execute("LOCK TABLE metering.terminal IN ACCESS EXCLUSIVE MODE")
                    await until(lambda: len(second.leases.kept) == HALF, "half of the shards")
                    outdoors.cut_off()
                    await asyncio.sleep(1.0)
                    outdoors.give_back()
                    await until(
                        lambda: first.connections.terminals + second.connections.terminals == PORTS,
                        "all to be asked",
                    )
                    await asyncio.sleep(MOST_SPREAD_S)
                    loading.close()
        asked = Counter(
            (
                one.port,
                one.address,
                (one.at_s - stagger_s(f"127.0.0.1:{one.port}", SLOW_S)) // SLOW_S,
            )
            for one in wire.requests
        )
        assert len(asked) >= PORTS
        assert max(asked.values()) == 1

    asyncio.run(scene())


def test_shards_nobody_could_be_given_are_asked_again(outdoors: Field) -> None:
    async def scene() -> None:
        told: list[set[int]] = []

        async def gained(some: Sequence[Gained]) -> None:
            told.append({one.shard for one in some})

        async def handing(_some: Collection[int]) -> None:
            outdoors.cut_off()

        async def lost(_some: Collection[int]) -> None:
            pass

        engine = connect(outdoors.where.poller, pool=2)
        first, second = (
            Leases(
                engine,
                replace(outdoors.setup.me, worker=uuid4()),
                facts=lambda: Facts(0, 0, None),
                moves=Moves(gained, lost, handing),
            )
            for _ in range(2)
        )
        running = [asyncio.create_task(first.run())]
        await until(lambda: len(first.kept) == 256, "one to have all")
        running.append(asyncio.create_task(second.run()))
        await until(lambda: len(told) == 2, "what could not be handed over to be kept")
        assert len(told[1]) == 128
        assert len(first.kept) == 256
        outdoors.give_back()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await first.close()
        await second.close()
        engine.dispose()

    asyncio.run(scene())
