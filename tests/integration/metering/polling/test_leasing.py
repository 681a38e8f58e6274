"""Leases: never two owners, a new epoch with every owner, even shares."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from metering.polling.actions import record_parcel
from metering.polling.leasing import advance, beat, bury, leave, release
from metering.polling.parcel import Parcel, from_bytes, to_bytes
from metering.polling.queries import missed_slots, pollers, spooled_since
from metering.polling.rules import shard_of
from metering.polling.types import SHARDS, Back, Beat, Failure, MissedSlots, Standing
from metering.readings.actions import ensure_days
from metering.readings.packing import pack_readings
from metering.readings.types import EventKind, NewEvent
from tests.factories.foundation import SYSTEM
from tests.factories.metering import meter, reading

SITE = "north"
SLOT = datetime(2026, 6, 18, 11, 0, tzinfo=UTC)


def beats(
    session: Session,
    worker: UUID,
    held: Collection[int] = (),
    *,
    ttl_s: float = 60.0,
    resumes: bool = False,
) -> Standing:
    said = Beat(worker, "one", SITE, ttl_s, held=frozenset(held), resumes=resumes)
    return beat(session, said)


def lapse(session: Session, worker: UUID) -> None:
    """Let a poller's leases end as if it had been frozen."""
    for statement in (
        "UPDATE metering.poll_shard SET lease_until = 'epoch' WHERE owner = :w",
        "UPDATE metering.poll_worker SET live_until = 'epoch' WHERE id = :w",
    ):
        session.execute(text(statement), {"w": worker})


def test_the_first_poller_of_a_site_takes_every_shard(session: Session) -> None:
    standing = beats(session, uuid4())
    assert sorted(one.shard for one in standing.gained) == list(range(SHARDS))
    assert {one.epoch for one in standing.gained} == {1}
    assert (standing.live, standing.share) == (1, SHARDS)


def test_a_second_one_takes_only_what_was_handed_over(session: Session) -> None:
    first, second = uuid4(), uuid4()
    held = {one.shard: one.epoch for one in beats(session, first).gained}
    assert beats(session, second).gained == []
    standing = beats(session, first, held)
    assert (standing.renewed, standing.share) == (held, SHARDS // 2)
    over = {shard: held[shard] for shard in range(SHARDS // 2)}
    advance(session, first, SITE, {0: (1, SLOT)})
    release(session, first, SITE, over)
    gained = beats(session, second).gained
    assert sorted(one.shard for one in gained) == sorted(over)
    assert {one.epoch for one in gained} == {2}
    assert all(one.was_released for one in gained)
    assert next(one.last_slot for one in gained if one.shard == 0) == SLOT


def test_leases_that_ended_are_taken_and_never_renewed(session: Session) -> None:
    frozen, other = uuid4(), uuid4()
    held = {one.shard: one.epoch for one in beats(session, frozen).gained}
    lapse(session, frozen)
    gained = beats(session, other).gained
    assert len(gained) == SHARDS
    assert not any(one.was_released for one in gained)
    assert beats(session, frozen, held).renewed == {}


def test_who_reads_on_without_a_lease_keeps_what_nobody_took(session: Session) -> None:
    alone = uuid4()
    held = {one.shard: one.epoch for one in beats(session, alone).gained}
    lapse(session, alone)
    assert beats(session, alone, held, resumes=True).renewed == held


@pytest.mark.parametrize("how", ["bury", "leave"])
def test_the_shards_of_one_that_is_gone_are_free_at_once(session: Session, how: str) -> None:
    gone, other = uuid4(), uuid4()
    held = {one.shard: one.epoch for one in beats(session, gone).gained}
    if how == "bury":
        bury(session, [gone])
    else:
        leave(session, gone, SITE, held)
    standing = beats(session, other)
    assert (len(standing.gained), standing.live) == (SHARDS, 1)
    assert not any(one.was_released for one in standing.gained)


def test_the_database_and_the_poller_agree_about_shards(session: Session) -> None:
    for port in (502, 1502, 20_001):
        one = meter(session, port=port, unit=247, profile="demo_terminal")
        shard = session.execute(
            text("SELECT shard FROM metering.terminal WHERE id = :id"), {"id": one.terminal_id}
        ).scalar_one()
        assert shard == shard_of(f"127.0.0.1:{port}")


def parcel(session: Session, number: int, *, epoch: int, worker_failed: int = 3) -> Parcel:
    one = meter(session, profile="demo_terminal")
    ensure_days(session, SLOT.date(), SLOT.date())
    assert one.terminal_id is not None
    return Parcel(
        number=number,
        site=SITE,
        rows=pack_readings([reading(one.meter_id, SLOT, u_a=220.0)]),
        count=1,
        oldest=SLOT,
        days=(SLOT.date(),),
        failures=(Failure(one.terminal_id, 7, SLOT, worker_failed, "no_reply"),),
        back=(Back(one.terminal_id, 7, SLOT),),
        events=(NewEvent(one.meter_id, EventKind.EXCEPTION, SLOT, facts={"code": 2}),),
        missed=(MissedSlots("10.0.0.1:502", SLOT, 2, "busy"),),
        progress={7: (epoch, SLOT), 8: (epoch, None)},
    )


def test_a_parcel_comes_back_from_its_bytes(session: Session) -> None:
    one = parcel(session, 3, epoch=1)
    assert from_bytes(to_bytes(one)) == one


def test_a_parcel_counts_once_however_often_it_is_stored(session: Session) -> None:
    worker = uuid4()
    beats(session, worker)
    one = parcel(session, 1, epoch=1)
    assert record_parcel(session, SYSTEM, worker, one) == 1
    assert record_parcel(session, SYSTEM, worker, one) == 0
    told = session.execute(
        text("SELECT count(*) FROM foundation.event WHERE name LIKE 'Terminals%'")
    )
    assert told.scalar_one() == 1
    (row,) = [row for row in missed_slots(session, since=SLOT.date()) if row.why == "busy"]
    assert row.slots == 2


def test_readings_are_kept_from_one_who_lost_its_shard_and_what_it_says_of_it_is_not(
    session: Session,
) -> None:
    frozen, other = uuid4(), uuid4()
    beats(session, frozen)
    lapse(session, frozen)
    beats(session, other)
    one = parcel(session, 1, epoch=1)
    assert record_parcel(session, SYSTEM, frozen, one) == 1
    told = session.execute(
        text("SELECT count(*) FROM foundation.event WHERE name LIKE 'Terminals%'")
    )
    assert told.scalar_one() == 0
    last = "SELECT last_slot FROM metering.poll_shard WHERE site = :site AND shard = 7"
    assert session.execute(text(last), {"site": SITE}).scalar() is None


def test_who_polls_is_listed_with_what_it_owns_and_what_waits_on_its_disk(
    session: Session,
) -> None:
    worker, since = uuid4(), SLOT - timedelta(hours=1)
    beat(session, Beat(worker, "one", SITE, 60.0, terminals=9, spool_bytes=7, spool_since=since))
    (row,) = [row for row in pollers(session) if row.worker == worker]
    assert (row.is_live, row.shards, row.terminals, row.spool_bytes) == (True, SHARDS, 9, 7)
    assert spooled_since(session) == since
