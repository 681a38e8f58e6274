"""Missed intervals: read late while their window is open, then from the meter's own memory."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from foundation.db import unit_of_work
from metering.devices.rules import Late
from metering.devices.types import PollTarget
from metering.modbus.plan import Block
from metering.polling.backfill import ReadBlock
from metering.readings.types import NewReading, Quality, Source
from metering.requests.actions import ask
from tests.factories.foundation import SYSTEM
from tests.factories.metering import Fitted, reading
from tests.integration.metering.polling.conftest import Field, until

MINUTE_S = 60


def gap(field: Field, one: Fitted, *, minutes_ago: int) -> datetime:
    """Put an interval on the gap list."""
    now = int(datetime.now(UTC).timestamp())
    slot = datetime.fromtimestamp(now - now % MINUTE_S - minutes_ago * MINUTE_S, tz=UTC)
    with unit_of_work(field.office) as session:
        session.execute(
            text("INSERT INTO metering.gap (ts, meter_id, interval_s) VALUES (:ts, :m, 60)"),
            {"ts": slot, "m": one.meter_id},
        )
    return slot


def gaps(field: Field) -> int:
    return int(field.value("SELECT count(*) FROM metering.gap"))


def quality(field: Field, one: Fitted, slot: datetime) -> Quality | None:
    found = field.value(
        "SELECT quality FROM metering.reading WHERE meter_id = :m AND ts = :ts",
        m=one.meter_id,
        ts=slot,
    )
    return None if found is None else Quality(found)


def test_a_missed_interval_is_read_late_and_leaves_the_list(outdoors: Field) -> None:
    async def scene() -> None:
        one = outdoors.fit(outdoors.wire.ports[0], 1, interval_s=MINUTE_S)
        slot = gap(outdoors, one, minutes_ago=3)
        too_old = gap(outdoors, one, minutes_ago=40)
        wide = replace(outdoors.setup.timetable, late=Late(intervals=9, limit_s=1800, grace_s=1))
        async with outdoors.polling(timetable=wide):
            await until(lambda: gaps(outdoors) == 1, "the gap to be filled")
        assert quality(outdoors, one, slot) == Quality.LATE
        assert quality(outdoors, one, too_old) is None

    asyncio.run(scene())


class Memory:
    """A meter that remembers every minute of the last hours."""

    def remembers(self, slot: datetime, *, now: datetime) -> bool:
        return now - slot < timedelta(hours=3)

    async def readings(
        self, read: ReadBlock, target: PollTarget, missed: Sequence[datetime]
    ) -> Sequence[NewReading]:
        await read(Block(4, 0, 2))
        return [replace(reading(target.meter_id, at, u_a=220.0), source=Source.LOAD_PROFILE)
                for at in missed]  # fmt: skip


def test_an_interval_past_its_window_comes_from_the_meters_memory(outdoors: Field) -> None:
    async def scene() -> None:
        one = outdoors.fit(outdoors.wire.ports[0], 1, interval_s=MINUTE_S)
        slot = gap(outdoors, one, minutes_ago=70)
        async with outdoors.polling(source_of=lambda _: Memory()):
            await until(lambda: gaps(outdoors) == 0, "the gap to be filled")
        assert quality(outdoors, one, slot) == Quality.BACKFILLED
        source = "SELECT source FROM metering.reading WHERE ts = :ts"
        assert outdoors.value(source, ts=slot) == int(Source.LOAD_PROFILE)

    asyncio.run(scene())


def test_a_person_who_asks_is_answered_whatever_the_timetable_says(outdoors: Field) -> None:
    async def scene() -> None:
        one = outdoors.fit(outdoors.wire.ports[0], 1, interval_s=86_400)
        async with outdoors.polling() as poller:
            await until(lambda: poller.connections.terminals, "the poller to know the meter")
            with unit_of_work(outdoors.office) as session:
                ask(session, SYSTEM, one.meter_id)
            answered = "SELECT state FROM metering.read_request WHERE meter_id = :m"
            await until(
                lambda: outdoors.value(answered, m=one.meter_id) == "answered", "the answer"
            )
        assert outdoors.value(
            "SELECT count(*) FROM metering.latest WHERE meter_id = :m", m=one.meter_id
        )

    asyncio.run(scene())
