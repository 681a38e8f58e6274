"""Forecasts: published once, kept as they are, whole or not at all, and refused in words."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from foundation import clock
from foundation.actor import Scope
from foundation.audit import entries
from foundation.db import connect, unit_of_work
from foundation.outbox import EventRow
from foundation.postgres import EmbeddedServer
from loadmgmt.forecast.actions import (
    SUBJECT_JOB,
    ask_forecast,
    forecast_subject,
    make_forecasts,
    plan_missed,
    plan_night,
)
from loadmgmt.forecast.models import Forecast
from loadmgmt.forecast.queries import forecast_subjects, plan_and_actual
from loadmgmt.forecast.types import ForecastState, LoadSource
from metering.api.types import SYSTEM, Subject, SubjectKind
from tests.factories import loadmgmt, metering
from tests.factories.databases import given_up, own_database
from tests.factories.foundation import SYSTEM as ACTOR

DAY = date(2026, 6, 18)
START = datetime(2026, 6, 17, 16, tzinfo=UTC)  # its midnight
EVENING = START - timedelta(minutes=40)  # 23:20 the day before
KNOWN = START - timedelta(hours=1)


@pytest.fixture
def now() -> Iterator[None]:
    with clock.frozen(EVENING):
        yield


def waiting(session: Session) -> list[dict[str, object]]:
    rows = session.execute(
        text("SELECT args FROM procrastinate_jobs WHERE task_name = :name ORDER BY id"),
        {"name": SUBJECT_JOB},
    )
    return list(rows.scalars())


def vintages(session: Session) -> list[tuple[date, str]]:
    rows = session.execute(
        select(Forecast.target_day, Forecast.model).order_by(Forecast.target_day, Forecast.model)
    )
    return [(day, model) for day, model in rows]


@pytest.mark.usefixtures("now")
def test_both_models_publish_a_day_of_96_points_with_where_it_comes_from(
    session: Session,
) -> None:
    loadmgmt.loads(session, until=KNOWN, days=30)
    made = make_forecasts(session, ACTOR, SYSTEM, days=[DAY], known_until=KNOWN)
    plan = plan_and_actual(session, SYSTEM, DAY)
    assert {one.id for one in plan.vintages} == set(made)
    assert set(plan.plans) == {"prophet", "seasonal_naive"}
    assert plan.source is LoadSource.IMPORT
    for one in plan.vintages:
        assert len(one.kw) == len(one.low_kw) == len(one.high_kw) == 96
        assert (one.known_until, one.made_at) == (KNOWN, EVENING)
        assert one.input_share == 1
        assert one.level == pytest.approx(0.8)
        assert one.last_week_wape is not None
        assert not one.used_temperature
        assert one.errors is None  # the day has not been
        assert all(low <= kw <= high for low, kw, high in
                   zip(one.low_kw, one.kw, one.high_kw, strict=True))  # fmt: skip
    # a load that only grows by a little each week is no riddle to either
    actual = [loadmgmt.kw_at(at) for at in plan.starts]
    for one in plan.vintages:
        off = sum(abs(a - b) for a, b in zip(one.kw, actual, strict=True)) / sum(actual)
        assert off < 0.04


@pytest.mark.usefixtures("now")
def test_the_same_knowledge_is_published_once_however_often_it_is_asked(
    session: Session,
) -> None:
    loadmgmt.loads(session, until=KNOWN, days=20)
    args = {"subject": "system", "days": [DAY.isoformat()], "known_until": KNOWN.isoformat()}
    forecast_subject(session, ACTOR, **args)  # type: ignore[arg-type]
    forecast_subject(session, ACTOR, **args)  # type: ignore[arg-type]
    assert vintages(session) == [(DAY, "seasonal_naive")]
    published = session.scalars(
        select(EventRow.payload).where(EventRow.name == "ForecastPublished")
    ).all()
    assert len(published) == 1
    assert published[0]["forecasts"][0]["model"] == "seasonal_naive"
    assert len(entries(session, act="forecast.published")) == 1


@pytest.mark.usefixtures("now")
def test_newer_knowledge_is_another_vintage_and_the_one_that_counts(session: Session) -> None:
    loadmgmt.loads(session, until=KNOWN, days=20)
    earlier = KNOWN - timedelta(hours=9)
    make_forecasts(session, ACTOR, SYSTEM, days=[DAY], known_until=earlier)
    make_forecasts(session, ACTOR, SYSTEM, days=[DAY], known_until=KNOWN)
    plan = plan_and_actual(session, SYSTEM, DAY)
    assert [one.known_until for one in plan.vintages] == [KNOWN, earlier]
    assert plan.plans["seasonal_naive"].known_until == KNOWN


@pytest.mark.usefixtures("now")
def test_what_is_measured_later_is_not_in_a_forecast(session: Session) -> None:
    loadmgmt.loads(session, until=START + timedelta(days=1), days=21)
    make_forecasts(session, ACTOR, SYSTEM, days=[DAY], known_until=KNOWN)
    kept = plan_and_actual(session, SYSTEM, DAY).plans["seasonal_naive"].kw
    week_ago = [START - timedelta(days=7) + timedelta(minutes=15) * n for n in range(96)]
    assert kept == pytest.approx([loadmgmt.kw_at(at) for at in week_ago])


@pytest.mark.usefixtures("now")
def test_a_forecast_may_know_nothing_of_its_own_day(session: Session) -> None:
    with pytest.raises(ValueError, match="own day"):
        make_forecasts(
            session, ACTOR, SYSTEM, days=[DAY], known_until=START + timedelta(minutes=15)
        )


@pytest.mark.usefixtures("now")
def test_too_little_history_is_said_and_not_guessed(session: Session) -> None:
    loadmgmt.loads(session, until=KNOWN, days=6)
    assert make_forecasts(session, ACTOR, SYSTEM, days=[DAY], known_until=KNOWN) == []
    plan = plan_and_actual(session, SYSTEM, DAY)
    assert plan.vintages == ()
    told = {
        name: (one.state, one.days_known, one.days_needed) for name, one in plan.attempts.items()
    }
    too_little = ForecastState.TOO_LITTLE_HISTORY
    assert told == {"seasonal_naive": (too_little, 6, 14), "prophet": (too_little, 6, 28)}


@pytest.mark.usefixtures("now")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE loadmgmt.forecast SET made_at = made_at",
        "DELETE FROM loadmgmt.forecast",
        "TRUNCATE loadmgmt.forecast CASCADE",
    ],
)
def test_the_database_refuses_to_change_what_was_published(
    session: Session, statement: str
) -> None:
    loadmgmt.loads(session, until=KNOWN, days=20)
    make_forecasts(session, ACTOR, SYSTEM, days=[DAY], known_until=KNOWN)
    with pytest.raises(DatabaseError, match=r"stays as it is|permission denied"):
        session.execute(text(statement))


@pytest.fixture
def own(server: EmbeddedServer) -> Iterator[tuple[Engine, Engine]]:
    """Give engines of the office's and the owner's account on a database of the test's own."""
    with own_database(server) as addresses:
        office, owner = connect(addresses.office, pool=2), connect(addresses.owner, pool=1)
        yield office, owner
        office.dispose()
        owner.dispose()


@pytest.mark.usefixtures("now")
def test_a_job_cut_off_at_its_end_leaves_nothing_and_the_next_one_all(
    own: tuple[Engine, Engine],
) -> None:
    office, owner = own
    with unit_of_work(office) as session:
        loadmgmt.loads(session, until=KNOWN, days=20)
    days = [DAY, DAY + timedelta(days=1)]
    with given_up(office) as session:
        assert len(make_forecasts(session, ACTOR, SYSTEM, days=days, known_until=KNOWN)) == 2
    for _ in range(2):
        with unit_of_work(office) as session:
            make_forecasts(session, ACTOR, SYSTEM, days=days, known_until=KNOWN)
            assert vintages(session) == [(day, "seasonal_naive") for day in days]
            assert session.scalar(select(func.count()).select_from(EventRow)) == 1
    # the owner of the tables may not change it either
    with pytest.raises(DatabaseError, match="stays as it is"), unit_of_work(owner) as session:
        session.execute(text("UPDATE loadmgmt.forecast SET kw = low_kw"))


@pytest.mark.usefixtures("now")
def test_the_night_asks_for_each_subject_once_and_one_at_a_time(session: Session) -> None:
    loadmgmt.loads(session, until=KNOWN, days=3)
    metering.area(session)
    plan_night(session)
    feeders = forecast_subjects(session, Scope.everything())[1:]
    assert [job["subject"] for job in waiting(session)] == [
        "system",
        *(one.key for one in feeders),
    ]
    assert waiting(session)[0] == {
        "subject": "system",
        "days": ["2026-06-18", "2026-06-19"],
        "known_until": KNOWN.isoformat(),
    }
    locks = session.execute(text("SELECT DISTINCT lock FROM procrastinate_jobs")).scalars().all()
    assert locks == ["loadmgmt.forecast"]


@pytest.mark.usefixtures("now")
def test_what_the_night_missed_is_made_up_for_and_nothing_else(session: Session) -> None:
    loadmgmt.loads(session, until=KNOWN, days=20)
    today, midnight = DAY - timedelta(days=1), START - timedelta(days=1)
    make_forecasts(session, ACTOR, SYSTEM, days=[today], known_until=midnight)
    session.execute(text("UPDATE loadmgmt.forecast_attempt SET at = at - interval '1 day'"))
    plan_missed(session)
    assert waiting(session) == [
        {"subject": "system", "days": ["2026-06-18"], "known_until": midnight.isoformat()}
    ]


@pytest.mark.usefixtures("now")
def test_a_subject_that_was_tried_today_is_not_tried_every_hour(session: Session) -> None:
    loadmgmt.loads(session, until=KNOWN, days=6)
    make_forecasts(session, ACTOR, SYSTEM, days=[DAY], known_until=KNOWN)
    plan_missed(session)
    assert waiting(session) == []


@pytest.mark.usefixtures("now")
def test_asking_is_audited_and_is_for_tomorrow_from_the_last_full_hour(
    session: Session,
) -> None:
    feeder = Subject(SubjectKind.FEEDER, 7)
    ask_forecast(session, ACTOR, feeder)
    assert waiting(session) == [
        {"subject": "feeder:7", "days": ["2026-06-18"], "known_until": KNOWN.isoformat()}
    ]
    assert [one.subject_no for one in entries(session, act="forecast.asked")] == ["feeder:7"]


@pytest.mark.usefixtures("now")
def test_an_attempt_from_older_knowledge_does_not_hide_a_newer_one(session: Session) -> None:
    loadmgmt.loads(session, until=KNOWN, days=6)
    for back in (0, 1):
        day, start = DAY - timedelta(days=back), START - timedelta(days=back)
        make_forecasts(session, ACTOR, SYSTEM, days=[day], known_until=min(start, KNOWN))
    attempts = plan_and_actual(session, SYSTEM, DAY).attempts
    assert attempts["prophet"].days_known == 6
