"""The store: idempotent, by quality, and what it hands to the judges."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from metering.readings.queries import claim_batch, day_curve, latest
from metering.readings.types import UNKNOWN, Quality
from tests.factories.metering import meter, reading, stored

SLOT = datetime(2026, 6, 18, 11, 0, tzinfo=UTC)


def _count(session: Session) -> int:
    return session.execute(text("SELECT count(*) FROM metering.reading")).scalar_one()


def test_a_repeated_poll_changes_nothing(session: Session) -> None:
    one = meter(session)
    first = reading(one.meter_id, SLOT, u_a=221.3)
    assert stored(session, first) == 1
    assert stored(session, first) == 0
    assert stored(session, reading(one.meter_id, SLOT, u_a=199.9)) == 0
    assert latest(session, [one.meter_id])[one.meter_id].ts == SLOT
    assert _count(session) == 1


def test_a_better_reading_replaces_a_worse_one_and_never_the_other_way(session: Session) -> None:
    one = meter(session)
    assert stored(session, reading(one.meter_id, SLOT, quality=Quality.ESTIMATED, u_a=210.0)) == 1
    assert stored(session, reading(one.meter_id, SLOT, quality=Quality.LATE, u_a=221.0)) == 1
    assert stored(session, reading(one.meter_id, SLOT, quality=Quality.ESTIMATED, u_a=230.0)) == 0
    assert session.execute(text("SELECT u_a FROM metering.reading")).scalar_one() == 221.0


def test_what_was_not_read_is_null_not_zero(session: Session) -> None:
    one = meter(session)
    stored(session, reading(one.meter_id, SLOT, u_a=220.0, i_a=None))
    newest = latest(session, [one.meter_id])[one.meter_id]
    assert newest.u_a == 220.0
    assert newest.i_a is None
    assert newest.cover_open is None


def test_new_readings_are_handed_to_the_judges_once(session: Session) -> None:
    one, two = meter(session), meter(session)
    stored(session, reading(one.meter_id, SLOT, u_a=235.4), reading(two.meter_id, SLOT, u_a=1.0))
    stored(session, reading(one.meter_id, SLOT, u_a=235.4))
    batch = claim_batch(session)
    assert batch is not None
    assert batch.slot == SLOT
    assert batch.meter_id.tolist() == [one.meter_id, two.meter_id]
    assert batch.volts[:, 0].tolist() == [2354, 10]
    assert batch.volts[0, 1] == UNKNOWN
    waiting = session.execute(text("SELECT count(*) FROM metering.reading_batch")).scalar_one()
    assert waiting == 1


def test_a_day_has_96_quarter_hours_and_gaps_stay_gaps(session: Session) -> None:
    one = meter(session)
    start = datetime(2026, 6, 17, 16, 0, tzinfo=UTC)  # midnight of 18 June in Shanghai
    minutes = [reading(one.meter_id, start + timedelta(minutes=n), u_a=220.0 + n) for n in (0, 5)]
    stored(session, *minutes, reading(one.meter_id, start + timedelta(hours=2), u_a=230.0))
    curve = day_curve(session, one.meter_id, datetime(2026, 6, 18).date())  # noqa: DTZ001
    assert len(curve) == 96
    assert curve[0].u_a == 222.5
    assert curve[1].u_a is None
    assert curve[8].u_a == 230.0
