"""Judging: against what was measured, with its share, and not at all while too little is."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from foundation import clock
from loadmgmt.forecast.actions import make_forecasts
from loadmgmt.forecast.judging import judge_forecasts, judge_night
from loadmgmt.forecast.queries import day_errors, days_with_data, model_board, plan_and_actual
from metering.api.types import SYSTEM
from tests.factories import loadmgmt
from tests.factories.foundation import SYSTEM as ACTOR

DAY = date(2026, 6, 18)
START = datetime(2026, 6, 17, 16, tzinfo=UTC)
END = START + timedelta(days=1)
MORNING = END + timedelta(hours=6)


def published(session: Session, *, measured: timedelta) -> None:
    """Publish a forecast of DAY, and let so much of the day be measured."""
    with clock.frozen(START - timedelta(minutes=40)):
        loadmgmt.loads(session, until=START, days=20)
        make_forecasts(session, ACTOR, SYSTEM, days=[DAY], known_until=START - timedelta(hours=1))
    loadmgmt.loads(session, until=START + measured, days=1)


def judge(session: Session) -> int:
    with clock.frozen(MORNING):
        return judge_forecasts(session, first=DAY, last=DAY)


def test_yesterdays_forecast_is_judged_by_what_was_measured(session: Session) -> None:
    published(session, measured=timedelta(days=1))
    assert judge(session) == 1
    (one,) = plan_and_actual(session, SYSTEM, DAY).vintages
    assert one.errors is not None
    actual = [loadmgmt.kw_at(START + timedelta(minutes=15) * n) for n in range(96)]
    off = sum(abs(a - b) for a, b in zip(one.kw, actual, strict=True))
    assert one.errors.wape == pytest.approx(off / sum(actual), rel=1e-4)
    assert one.errors.share == 1


def test_a_day_known_too_little_has_its_share_and_no_figure_until_more_is_known(
    session: Session,
) -> None:
    published(session, measured=timedelta(hours=12))
    assert judge(session) == 1
    (error,) = day_errors(session, SYSTEM, first=DAY, last=DAY)
    assert (error.errors.wape, error.errors.share) == (None, 0.5)
    assert model_board([error])[0].errors.wape is None
    assert judge(session) == 0  # nothing more is known
    loadmgmt.loads(session, until=END, days=1)
    assert judge(session) == 1
    (error,) = day_errors(session, SYSTEM, first=DAY, last=DAY)
    assert error.errors.wape is not None
    assert judge(session) == 0


def test_a_day_that_is_not_over_is_not_judged(session: Session) -> None:
    published(session, measured=timedelta(hours=12))
    with clock.frozen(END - timedelta(minutes=1)):
        assert judge_forecasts(session, first=DAY, last=DAY) == 0


def test_the_morning_judges_the_last_days(session: Session) -> None:
    published(session, measured=timedelta(days=1))
    with clock.frozen(MORNING):
        judge_night(session)
    assert len(day_errors(session, SYSTEM, first=DAY, last=DAY)) == 1


def test_of_several_vintages_the_one_that_knew_most_counts_and_afterwards_is_said(
    session: Session,
) -> None:
    published(session, measured=timedelta(days=1))
    with clock.frozen(MORNING):
        make_forecasts(session, ACTOR, SYSTEM, days=[DAY], known_until=START)
    (error,) = day_errors(session, SYSTEM, first=DAY, last=DAY)
    assert error.made_late
    (row,) = model_board([error])
    assert (row.days, row.late_days) == (1, 1)
    plan = plan_and_actual(session, SYSTEM, DAY)
    assert [one.made_at >= START for one in plan.vintages] == [True, False]
    assert all(one.errors for one in plan.vintages)  # judged at once: its day was over


def test_days_with_a_load_or_a_forecast_can_be_chosen(session: Session) -> None:
    published(session, measured=timedelta(hours=1))
    session.execute(
        text("DELETE FROM loadmgmt.load_history WHERE ts >= :a AND ts < :b"),
        {"a": START - timedelta(days=3), "b": START - timedelta(days=2)},
    )
    there = days_with_data(
        session, SYSTEM, first=DAY - timedelta(days=4), last=DAY + timedelta(days=2)
    )
    assert there == {DAY, *(DAY - timedelta(days=n) for n in (1, 2, 4))}
