"""Judging the forecasts whose day is over, as far as it is known."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from foundation import clock
from foundation.events import Signal
from foundation.outbox import signal
from loadmgmt.forecast.histories import roll_up
from loadmgmt.forecast.models import Forecast, ForecastAccuracy, LoadHistory
from loadmgmt.forecast.practice import load_practice
from loadmgmt.forecast.queries import sources
from loadmgmt.forecast.rules.metrics import judged
from loadmgmt.forecast.types import QUARTER, Errors, Floats, Prediction
from metering.api.types import Subject


def judge_night(session: Session) -> None:
    """Add up what came in late, then judge the forecasts of the last days."""
    again = load_practice().accuracy.again_days
    roll_up(session, since=clock.now() - timedelta(days=again))
    today = clock.business_date()
    judge_forecasts(session, first=today - timedelta(days=again), last=today)
    signal(session, Signal("forecast"))


def judge_forecasts(session: Session, *, first: date, last: date) -> int:
    """Judge the vintages of days that are over and not yet judged by all they could be.

    A day that is known too little gets its share and no figure; it is judged again when
    more is known.

    Returns:
        How many were judged, or judged better than before.
    """
    yesterday = clock.business_date() - timedelta(days=1)
    rows = session.execute(
        select(
            Forecast.id,
            Forecast.subject,
            Forecast.target_day,
            Forecast.kw,
            Forecast.low_kw,
            Forecast.high_kw,
        )
        .outerjoin(ForecastAccuracy, ForecastAccuracy.forecast_id == Forecast.id)
        .where(
            Forecast.target_day >= first,
            Forecast.target_day <= min(last, yesterday),
            or_(ForecastAccuracy.share.is_(None), ForecastAccuracy.share < 1),
        )
        .order_by(Forecast.id)
    ).all()
    actual = _actual(session, {(row.subject, row.target_day) for row in rows})
    least = float(load_practice().accuracy.complete_share)
    values = [
        _accuracy(row.id, _prediction(row), actual[row.subject, row.target_day], least=least)
        for row in rows
    ]
    return _store_accuracy(session, values)


def _prediction(row: Any) -> Prediction:
    return Prediction(np.array(row.kw), np.array(row.low_kw), np.array(row.high_kw))


def _actual(session: Session, wanted: Iterable[tuple[str, date]]) -> dict[tuple[str, date], Floats]:
    """Give the measured days wanted, NaN where unknown."""
    pairs = set(wanted)
    if not pairs:
        return {}
    subjects = {Subject.of(key): key for key, _ in pairs}
    days = [day for _, day in pairs]
    span = (clock.day_span(min(days))[0], clock.day_span(max(days))[1])
    source = sources(session, list(subjects))
    rows = session.execute(
        select(LoadHistory.subject, LoadHistory.ts, LoadHistory.kw, LoadHistory.source).where(
            LoadHistory.subject.in_(subjects.values()),
            LoadHistory.ts >= span[0],
            LoadHistory.ts < span[1],
        )
    )
    known = {
        (key, ts): kw
        for key, ts, kw, told in rows
        if kw is not None and told is source[Subject.of(key)]
    }
    return {(key, day): _day_of(known, key, day) for key, day in pairs}


def _day_of(known: Mapping[tuple[str, datetime], float], key: str, day: date) -> Floats:
    start, end = clock.day_span(day)
    places = range(int((end - start) / QUARTER))
    return np.array([known.get((key, start + QUARTER * n), np.nan) for n in places])


def _accuracy(
    forecast_id: int, prediction: Prediction, actual: Floats, *, least: float
) -> dict[str, Any]:
    errors = judged(prediction, actual)
    if errors.share < least:
        errors = Errors(share=errors.share)
    return {
        "forecast_id": forecast_id,
        "judged_at": clock.now(),
        "share": errors.share,
        "wape": errors.wape,
        "mape": errors.mape,
        "rmse": errors.rmse,
        "peak": errors.peak,
        "coverage": errors.coverage,
    }


def _store_accuracy(session: Session, values: list[dict[str, Any]]) -> int:
    if not values:
        return 0
    statement = insert(ForecastAccuracy).values(values)
    new = statement.excluded
    columns = ("judged_at", "share", "wape", "mape", "rmse", "peak", "coverage")
    changed = session.execute(
        statement.on_conflict_do_update(
            index_elements=["forecast_id"],
            set_={name: new[name] for name in columns},
            where=new.share > ForecastAccuracy.share,
        ).returning(ForecastAccuracy.forecast_id)
    )
    return len(changed.all())
