"""Spools that others left: drained in order, each parcel once, however they came to an end."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from foundation.actor import Actor
from foundation.db import unit_of_work
from metering.polling.actions import record_parcel
from metering.polling.parcel import Parcel, to_bytes
from metering.polling.spool import Spool, frame
from metering.readings.packing import pack_readings
from metering.readings.types import Quality
from tests.factories.metering import Fitted, reading
from tests.integration.metering.polling.conftest import Field, until


def parcel(number: int, one: Fitted, slot: datetime, *, quality: Quality, u_a: float) -> Parcel:
    """Give a parcel of one reading."""
    return Parcel(
        number=number,
        site="",
        rows=pack_readings([reading(one.meter_id, slot, quality=quality, u_a=u_a)]),
        count=1,
        oldest=slot,
        days=(slot.date(),),
    )


def left_behind(field: Field, worker: UUID, some: list[Parcel], *, torn: bytes = b"") -> None:
    """Leave a spool as a process does that is killed while it writes."""
    spool = Spool(field.folder / "spool" / str(worker), limit_bytes=1_000_000)
    for one in some:
        spool.append(one.number, to_bytes(one))
    spool.close()
    (file,) = (field.folder / "spool" / str(worker)).glob("*.spool")
    with file.open("ab") as tail:
        tail.write(torn)


def drained(field: Field) -> bool:
    """Whether no spool is left on the disk."""
    return not list((field.folder / "spool").glob("*/*.spool"))


def test_what_a_killed_poller_left_is_stored_by_the_next_one_and_nothing_twice(
    outdoors: Field,
) -> None:
    async def scene() -> None:
        one, dead = outdoors.fit(outdoors.wire.ports[0], 1, interval_s=86_400), uuid4()
        slot = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=9)
        some = [
            parcel(n, one, slot + timedelta(minutes=n), quality=Quality.GOOD, u_a=220.0 + n)
            for n in range(4)
        ]
        with unit_of_work(outdoors.office) as session:  # stored, and killed before it could say so
            assert record_parcel(session, Actor.system("poller"), dead, some[0]) == 1
        unfinished = frame(9, to_bytes(some[3]))[:-5]
        left_behind(outdoors, dead, some, torn=unfinished)
        async with outdoors.polling():
            await until(lambda: drained(outdoors), "the spool to drain")
        kept = "SELECT string_agg(u_a::text, ' ' ORDER BY ts) FROM metering.reading"
        assert outdoors.value(f"{kept} WHERE meter_id = :m", m=one.meter_id) == "220 221 222 223"
        numbers = "SELECT number FROM metering.poll_parcel WHERE worker = :w"
        assert outdoors.value(numbers, w=dead) == 3
        assert not (outdoors.folder / "spool" / str(dead)).exists()

    asyncio.run(scene())


def test_of_two_pollers_that_read_one_interval_the_better_reading_stays(outdoors: Field) -> None:
    async def scene() -> None:
        one = outdoors.fit(outdoors.wire.ports[0], 1, interval_s=86_400)
        slot = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=9)
        late, good = uuid4(), uuid4()
        left_behind(outdoors, late, [parcel(1, one, slot, quality=Quality.LATE, u_a=1.0)])
        left_behind(outdoors, good, [parcel(1, one, slot, quality=Quality.GOOD, u_a=2.0)])
        async with outdoors.polling():
            await until(lambda: drained(outdoors), "the spools to drain")
        kept = "SELECT u_a FROM metering.reading WHERE meter_id = :m AND ts = :ts"
        assert outdoors.value(kept, m=one.meter_id, ts=slot) == 2.0

    asyncio.run(scene())


def test_a_parcel_the_database_refuses_for_good_is_set_aside_and_holds_up_no_other(
    outdoors: Field,
) -> None:
    async def scene() -> None:
        one, dead = outdoors.fit(outdoors.wire.ports[0], 1, interval_s=86_400), uuid4()
        slot = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=9)
        good = parcel(2, one, slot, quality=Quality.GOOD, u_a=2.0)
        bad = Parcel(number=1, site="", rows=b"\x00\x01nonsense", count=1, oldest=slot)
        left_behind(outdoors, dead, [bad, good])
        async with outdoors.polling():
            await until(lambda: drained(outdoors), "the spool to drain")
        assert outdoors.readings(one) == 1
        assert (outdoors.folder / "spool" / "refused" / f"{dead}-1.parcel").exists()

    asyncio.run(scene())
