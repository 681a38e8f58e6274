"""Hours and days: what registers add up to, whatever comes late, goes round or is replaced."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from foundation import clock
from metering.devices.actions import Registers, install_meter, remove_meter
from metering.jobs import add_up
from metering.readings.queries import daily, hourly
from metering.readings.types import HourlyEnergy, Quality
from tests.factories.foundation import SYSTEM
from tests.factories.metering import Fitted, meter, reading, stored

HOUR = datetime(2026, 6, 18, 4, 0, tzinfo=UTC)  # noon in Shanghai
DAY = date(2026, 6, 18)


@pytest.fixture(autouse=True)
def _mark(session: Session) -> None:
    session.execute(text("DELETE FROM metering.rollup_mark"))
    session.execute(
        text("INSERT INTO metering.rollup_mark (id, rolled_to) VALUES (1, :at)"), {"at": HOUR}
    )


def minute(number: float) -> datetime:
    return HOUR + timedelta(minutes=number)


def put(session: Session, one: Fitted, at: float, wh: int, **values: float | Quality) -> None:
    """Store a reading as if it were stored when it was read."""
    with clock.frozen(minute(at)):
        stored(session, reading(one.meter_id, minute(at), wh_import=wh, **values))  # type: ignore[arg-type]


def rolled(session: Session, one: Fitted, *, at: float = 75) -> HourlyEnergy:
    with clock.frozen(minute(at)):
        add_up(session, SYSTEM)
    (found,) = hourly(session, [one.meter_id], first=HOUR, end=minute(60))
    return found


def test_an_hour_is_the_sum_of_its_steps_up_to_the_reading_at_its_end(session: Session) -> None:
    one = meter(session)
    for at, wh in ((0, 1000), (15, 1100), (30, 1250), (45, 1300), (60, 1420)):
        put(session, one, at, wh, p=400.0 + at, u_a=220.0 + at / 15)
    hour = rolled(session, one)
    assert (hour.used_wh, hour.covered_s, hour.points, hour.resets) == (420, 3600, 4, 0)
    assert (hour.u_min, hour.u_max, hour.p_max) == (220.0, 223.0, 445.0)


def test_adding_up_again_changes_nothing(session: Session) -> None:
    one = meter(session)
    put(session, one, 0, 1000)
    put(session, one, 30, 1100)
    first = rolled(session, one)
    assert rolled(session, one, at=80) == first
    assert (first.used_wh, first.covered_s) == (100, 1800)


def test_a_reading_that_comes_late_is_added_to_its_hour_and_its_day(session: Session) -> None:
    one = meter(session)
    put(session, one, 0, 1000)
    put(session, one, 30, 1100)
    assert rolled(session, one).points == 2
    tomorrow = 60 * 13
    with clock.frozen(minute(tomorrow)):
        add_up(session, SYSTEM)
        (before,) = daily(session, one.meter_id, first=DAY, last=DAY)
        stored(
            session,
            reading(one.meter_id, minute(45), wh_import=1180, quality=Quality.BACKFILLED),
        )
        add_up(session, SYSTEM)
    hour = rolled(session, one, at=tomorrow)
    assert (hour.used_wh, hour.points, hour.late) == (180, 3, 1)
    (after,) = daily(session, one.meter_id, first=DAY, last=DAY)
    assert (before.used_wh, after.used_wh) == (100, 180)


def test_a_register_that_was_reset_counts_nothing_and_is_told(session: Session) -> None:
    one = meter(session)
    for at, wh in ((0, 5000), (15, 5100), (30, 40), (45, 90)):
        put(session, one, at, wh)
    hour = rolled(session, one)
    assert (hour.used_wh, hour.resets, hour.covered_s) == (150, 1, 1800)


def test_a_register_that_goes_round_counts_on(session: Session) -> None:
    one = meter(session)
    session.execute(
        text("UPDATE metering.meter SET register_wh = 100000 WHERE id = :id"), {"id": one.meter_id}
    )
    put(session, one, 0, 99_900)
    put(session, one, 30, 60)
    hour = rolled(session, one)
    assert (hour.used_wh, hour.resets) == (160, 0)


def test_a_step_no_meter_could_make_counts_nothing(session: Session) -> None:
    one = meter(session)
    put(session, one, 0, 1000)
    put(session, one, 15, 1000 + 10**9)
    hour = rolled(session, one)
    assert (hour.used_wh, hour.resets) == (None, 1)


def test_a_replaced_meter_counts_to_its_end_and_the_new_one_from_its_start(
    session: Session,
) -> None:
    old = meter(session)
    put(session, old, 0, 9_000)
    put(session, old, 15, 9_100)
    with clock.frozen(minute(20)):
        remove_meter(session, SYSTEM, old.meter_no, removed_at=minute(20), end_wh=9_130)
        new_id = install_meter(
            session,
            "M-NEW-1",
            point_id=old.point_id,
            terminal_id=None,
            installed_at=minute(25),
            registers=Registers(start_wh=7),
        )
    with clock.frozen(minute(30)):
        stored(session, reading(new_id, minute(30), wh_import=57))
    assert rolled(session, old).used_wh == 130
    (new,) = hourly(session, [new_id], first=HOUR, end=minute(60))
    assert (new.used_wh, new.resets) == (50, 0)
