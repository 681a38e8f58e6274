"""Histories: telemetry or sums of meters, never both in one series, gaps unknown."""

from datetime import UTC, datetime, timedelta

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from foundation import clock
from foundation.audit import entries
from loadmgmt.forecast.demo_load import replay
from loadmgmt.forecast.histories import (
    history_of,
    horizon_of,
    metered_subjects,
    roll_up,
    store_loads,
    take_loads,
)
from loadmgmt.forecast.queries import loads, sources
from loadmgmt.forecast.types import QUARTER, LoadSource, NewLoad
from loadmgmt.weather.actions import take_weather
from loadmgmt.weather.types import NewWeather
from metering.api.types import SYSTEM, Subject, SubjectKind
from tests.factories import loadmgmt, metering
from tests.factories.foundation import SYSTEM as ACTOR
from tests.factories.metering import reading, stored

NOON = datetime(2026, 6, 18, 4, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 6, 17, 16, tzinfo=UTC)


def day(session: Session, subject: Subject = SYSTEM) -> dict[datetime, float]:
    return loads(session, subject, (NOON - timedelta(days=1), NOON))


def test_taking_the_same_telemetry_twice_changes_nothing(session: Session) -> None:
    rows = [NewLoad(NOON - QUARTER * n, 100.0 + n) for n in range(1, 4)]
    assert take_loads(session, ACTOR, SYSTEM, rows, file="a.csv") == 3
    assert take_loads(session, ACTOR, SYSTEM, rows, file="a.csv") == 0
    corrected = [NewLoad(NOON - QUARTER, 90.0), NewLoad(NOON - QUARTER * 2, None)]
    assert take_loads(session, ACTOR, SYSTEM, corrected, file="b.csv") == 2
    assert day(session) == {NOON - QUARTER: 90.0, NOON - QUARTER * 3: 103.0}
    assert [one.facts["rows"] for one in entries(session, act="load.taken")] == [2, 3]


def test_a_subject_with_telemetry_leaves_its_meters_aside(session: Session) -> None:
    sums = [NewLoad(NOON - QUARTER * n, 1.0, 1.0) for n in (1, 2)]
    store_loads(session, SYSTEM, sums, source=LoadSource.METERS)
    assert sources(session, [SYSTEM]) == {SYSTEM: LoadSource.METERS}
    store_loads(session, SYSTEM, [NewLoad(NOON - QUARTER * 2, 8.0)], source=LoadSource.IMPORT)
    store_loads(session, SYSTEM, sums, source=LoadSource.METERS)
    assert sources(session, [SYSTEM]) == {SYSTEM: LoadSource.IMPORT}
    assert day(session) == {NOON - QUARTER * 2: 8.0}
    assert SYSTEM not in metered_subjects(session)


def test_meters_are_added_up_and_a_late_reading_mends_the_sum(session: Session) -> None:
    place = metering.area(session)
    meters = [metering.meter(session, place=place, profile="demo_single") for _ in range(2)]
    slot = NOON - timedelta(hours=1)
    stored(session, reading(meters[0].meter_id, slot, p=1000.0))
    feeder = next(one for one in _feeders(session, place[0]))
    with clock.frozen(NOON):
        roll_up(session, since=NOON - timedelta(hours=2))
        assert day(session, feeder) == {}  # half of the points: unknown, not half
        stored(session, reading(meters[1].meter_id, slot, p=500.0))
        roll_up(session, since=NOON - timedelta(hours=2))
        roll_up(session, since=NOON - timedelta(hours=2))
    assert day(session, feeder) == {slot: 1.5}


def _feeders(session: Session, area_id: int) -> list[Subject]:
    number = session.execute(
        text("SELECT feeder_id FROM metering.transformer_area WHERE id = :id"), {"id": area_id}
    ).scalar_one()
    return [Subject(SubjectKind.FEEDER, number)]


def test_a_subject_without_a_history_is_added_up_from_far_back(session: Session) -> None:
    one = metering.meter(session, profile="demo_single")
    long_ago = NOON - timedelta(days=20)
    stored(session, reading(one.meter_id, long_ago, p=1000.0))
    feeder = _feeders(session, one.area_id)[0]
    with clock.frozen(NOON):
        roll_up(session, since=NOON - timedelta(hours=2))
    assert loads(session, feeder, (long_ago, NOON)) == {long_ago: 1.0}


def test_a_history_ends_at_its_origin_and_what_is_missing_is_unknown(session: Session) -> None:
    loadmgmt.loads(session, until=NOON, days=2)
    session.execute(
        text("DELETE FROM loadmgmt.load_history WHERE ts = :ts"),
        {"ts": MIDNIGHT - timedelta(hours=2)},
    )
    history = history_of(session, SYSTEM, until=MIDNIGHT)
    assert str(history.slots.starts[-1]) == "2026-06-17T23:45:00"
    assert int(np.isnan(history.kw).sum()) == 1
    assert len(history.kw) == 36 * 4
    assert history_of(session, Subject(SubjectKind.POINT, 1), until=MIDNIGHT).known_share == 0


def test_weather_is_what_was_observed_before_and_forecast_by_then(session: Session) -> None:
    loadmgmt.loads(session, until=NOON, days=2)
    hours = [MIDNIGHT + timedelta(hours=n) for n in range(-24, 30)]
    issued = {"early": MIDNIGHT - timedelta(hours=6), "late": MIDNIGHT + timedelta(hours=1)}
    rows = [NewWeather(at, 20.0) for at in hours]
    rows += [NewWeather(at, 25.0, issued["early"]) for at in hours if at >= MIDNIGHT]
    rows += [NewWeather(at, 99.0 / 3, issued["late"]) for at in hours if at >= MIDNIGHT]
    take_weather(session, ACTOR, rows, file="w.csv")
    today = clock.business_date(MIDNIGHT)
    history = history_of(session, SYSTEM, until=MIDNIGHT)
    horizon = horizon_of(session, [today], known_until=MIDNIGHT)
    assert history.slots.temperature is not None
    assert np.nanmax(history.slots.temperature) == 20
    assert horizon.temperature is not None
    assert set(horizon.temperature.tolist()) == {25.0}  # neither observed nor issued later
    later = history_of(session, SYSTEM, until=NOON)
    assert later.forecast_temperature is not None
    assert np.nanmax(later.forecast_temperature) == 25  # issued before that day began


def test_without_weather_there_is_none(session: Session) -> None:
    loadmgmt.loads(session, until=NOON, days=2)
    today = clock.business_date(MIDNIGHT)
    assert history_of(session, SYSTEM, until=MIDNIGHT).slots.temperature is None
    assert horizon_of(session, [today], known_until=MIDNIGHT).temperature is None


def test_the_demo_towns_load_goes_on_from_where_it_stopped(session: Session) -> None:
    with clock.frozen(NOON + timedelta(minutes=7)):
        assert replay(session) == 364 * 96
        assert replay(session) == 0
    with clock.frozen(NOON + timedelta(minutes=31)):
        assert replay(session) == 2
    assert len(day(session)) == 96
