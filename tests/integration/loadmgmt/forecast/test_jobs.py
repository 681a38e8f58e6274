"""The jobs of the night: each does its part, and done twice it does it once."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from foundation import clock
from loadmgmt.forecast.actions import SUBJECT_JOB, make_forecasts
from loadmgmt.forecast.models import ForecastAccuracy, LoadHistory
from loadmgmt.jobs import forecast_accuracy, forecast_missed, forecast_nightly, roll_up_running
from metering.api.types import SYSTEM
from tests.factories import loadmgmt, metering
from tests.factories.foundation import SYSTEM as ACTOR
from tests.factories.metering import reading, stored

START = datetime(2026, 6, 17, 16, tzinfo=UTC)  # a midnight of the office
EVENING = START - timedelta(minutes=40)
"""23:20, when the night's forecasts are asked for."""


@pytest.fixture
def evening() -> Iterator[None]:
    with clock.frozen(EVENING):
        yield


def asked(session: Session) -> list[tuple[str, tuple[str, ...]]]:
    rows = session.execute(
        text("SELECT args FROM procrastinate_jobs WHERE task_name = :name ORDER BY id"),
        {"name": SUBJECT_JOB},
    ).scalars()
    return [(row["subject"], tuple(row["days"])) for row in rows]


@pytest.mark.usefixtures("evening")
def test_the_night_asks_for_tomorrow_and_the_day_after(session: Session) -> None:
    loadmgmt.loads(session, until=EVENING, days=1)
    forecast_nightly(session, ACTOR)
    assert asked(session) == [("system", ("2026-06-18", "2026-06-19"))]


@pytest.mark.usefixtures("evening")
def test_the_hour_asks_for_what_is_missing_until_it_was_tried(session: Session) -> None:
    loadmgmt.loads(session, until=EVENING, days=6)
    forecast_missed(session, ACTOR)
    assert asked(session) == [("system", ("2026-06-17", "2026-06-18"))]
    make_forecasts(
        session, ACTOR, SYSTEM, days=[date(2026, 6, 18)], known_until=START - timedelta(days=1)
    )
    forecast_missed(session, ACTOR)
    assert len(asked(session)) == 1  # it was tried, and had too little to go by


def test_the_running_day_is_added_up_once_however_often(session: Session) -> None:
    meter = metering.meter(session, profile="demo_single")
    slots = [EVENING.replace(minute=15) - timedelta(minutes=15) * n for n in range(1, 5)]
    stored(session, *(reading(meter.meter_id, slot, p=4000.0) for slot in slots))
    with clock.frozen(EVENING):
        for _ in range(2):
            roll_up_running(session, ACTOR)
    known = session.execute(
        select(LoadHistory.subject, LoadHistory.ts).where(LoadHistory.kw.is_not(None))
    ).all()
    assert {subject.split(":")[0] for subject, _ in known} == {"feeder", "system"}
    assert sorted(ts for _, ts in known) == sorted(slots * 2)


def test_the_morning_judges_each_vintage_once(session: Session) -> None:
    loadmgmt.loads(session, until=START, days=20)
    with clock.frozen(EVENING):
        make_forecasts(
            session,
            ACTOR,
            SYSTEM,
            days=[date(2026, 6, 18)],
            known_until=START - timedelta(hours=1),
        )
    loadmgmt.loads(session, until=START + timedelta(days=1), days=1)
    with clock.frozen(START + timedelta(hours=30, minutes=20)):
        for _ in range(2):
            forecast_accuracy(session, ACTOR)
    judged = session.scalars(select(ForecastAccuracy.wape)).all()
    assert len(judged) == 1
    assert judged[0] is not None
