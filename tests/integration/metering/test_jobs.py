"""What metering does by itself: partitions ahead, yesterday's figures, old batches dropped."""

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from foundation import clock
from metering.jobs import forget_judged_batches, make_days_ahead, roll_up_yesterday
from metering.readings.actions import mark_judged
from metering.readings.queries import daily
from tests.factories.foundation import SYSTEM
from tests.factories.metering import meter, reading, stored

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


def test_yesterdays_figures_follow_its_readings_however_often_they_are_made(
    session: Session,
) -> None:
    one = meter(session)
    yesterday = NOON - timedelta(days=1)
    stored(
        session,
        *(
            reading(one.meter_id, yesterday + timedelta(minutes=15 * n), u_a=220.0 + n,
                    p=100.0 * n, wh_import=1000 + 25 * n)
            for n in range(4)
        ),
    )  # fmt: skip
    day = date(2026, 6, 17)
    with clock.frozen(NOON):
        for _ in range(2):
            roll_up_yesterday(session, SYSTEM)
            (row,) = daily(session, one.meter_id, first=day, last=day)
            assert (row.day, row.points, row.used_wh, row.u_min, row.u_max, row.p_max) == (
                day,
                4,
                75,
                220.0,
                223.0,
                300.0,
            )


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
