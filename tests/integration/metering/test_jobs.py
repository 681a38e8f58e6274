"""What metering does by itself: partitions ahead, old batches dropped."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from foundation import clock
from foundation.db import connect, unit_of_work
from foundation.postgres import EmbeddedServer
from metering.jobs import forget_days, forget_judged_batches, make_days_ahead, sort_days
from metering.readings.actions import ensure_days, mark_judged
from tests.factories.databases import own_database
from tests.factories.foundation import SYSTEM
from tests.factories.metering import meter, reading, stored

READINGS = text("SELECT * FROM metering.reading ORDER BY ts, meter_id")
NOON = datetime(2026, 6, 18, 4, 0, tzinfo=UTC)


def partitions(session: Session) -> set[str]:
    rows = session.execute(
        text("SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace"
             " WHERE n.nspname = 'metering' AND relispartition AND relkind = 'r'")
    )  # fmt: skip
    return set(rows.scalars())


def test_partitions_of_the_coming_days_are_made_and_making_them_again_changes_nothing(
    session: Session,
) -> None:
    before = partitions(session)
    with clock.frozen(clock.now() + timedelta(days=40)):
        make_days_ahead(session, SYSTEM)
        made = partitions(session)
        assert len(made - before) >= 7
        make_days_ahead(session, SYSTEM)
        assert partitions(session) == made


def test_batches_judged_long_ago_are_dropped_and_waiting_ones_kept(session: Session) -> None:
    one = meter(session)
    for minute in (0, 1):
        stored(session, reading(one.meter_id, NOON + timedelta(minutes=minute), u_a=220.0))
    first, second = session.execute(
        text("SELECT id FROM metering.reading_batch ORDER BY id DESC LIMIT 2")
    ).scalars()
    mark_judged(session, second)
    forget_judged_batches(session, SYSTEM)
    count = text("SELECT count(*) FROM metering.reading_batch WHERE id IN (:a, :b)")
    assert session.execute(count, {"a": first, "b": second}).scalar_one() == 2
    with clock.frozen(clock.now() + timedelta(days=30)):
        forget_judged_batches(session, SYSTEM)
    assert session.execute(count, {"a": first, "b": second}).scalar_one() == 1


def test_a_sealed_day_is_sorted_by_meter_and_reads_the_same(server: EmbeddedServer) -> None:
    day = clock.now().astimezone(UTC).date() - timedelta(days=5)
    start = datetime(day.year, day.month, day.day, 1, tzinfo=UTC)
    with own_database(server) as where:
        engine = connect(where.office, pool=1)
        with unit_of_work(engine) as session:
            one, two = meter(session), meter(session)
        for minute in (30, 0, 15):
            at = start + timedelta(minutes=minute)
            with unit_of_work(engine) as session:
                stored(session, reading(two.meter_id, at, u_a=1.0), reading(one.meter_id, at))
        with unit_of_work(engine) as session:
            before = session.execute(READINGS).all()
            assert lying(session) != sorted(lying(session))
        for _ in range(20):
            with unit_of_work(engine) as session:
                sort_days(session, SYSTEM)
        with unit_of_work(engine) as session:
            assert session.execute(READINGS).all() == before
            assert lying(session) == sorted(lying(session))
            sorted_days = session.execute(text("SELECT day FROM metering.reading_day")).scalars()
            assert day in set(sorted_days)
            stored(session, reading(one.meter_id, start + timedelta(minutes=45), u_a=1.0))
            assert len(session.execute(READINGS).all()) == len(before) + 1
        engine.dispose()


def lying(session: Session) -> list[tuple[int, datetime]]:
    """Give the readings in the order they lie on the disk."""
    rows = session.execute(text("SELECT meter_id, ts FROM metering.reading ORDER BY ctid"))
    return [(row[0], row[1]) for row in rows]


def test_the_day_that_runs_is_never_sorted(session: Session) -> None:
    today = clock.now().astimezone(UTC).date()
    with pytest.raises(DBAPIError, match="not over"), session.begin_nested():
        session.execute(text("SELECT metering.sort_reading_day(:day)"), {"day": today})


def test_days_that_are_too_old_are_dropped_and_the_others_kept(session: Session) -> None:
    old = date(2020, 2, 1)
    ensure_days(session, old, old)
    kept = partitions(session) - {"reading_20200201"}
    forget_days(session, SYSTEM)
    assert partitions(session) == kept


def test_the_last_thirty_days_cannot_be_dropped(session: Session) -> None:
    before = clock.now().date() - timedelta(days=3)
    with pytest.raises(DBAPIError, match="thirty days"), session.begin_nested():
        session.execute(text("SELECT metering.forget_reading_day(:before)"), {"before": before})
