"""Reads of forecasts and of the loads they are judged by."""

from collections.abc import Callable, Collection, Iterable
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, String, func, select
from sqlalchemy.dialects.postgresql import array, distinct_on
from sqlalchemy.orm import Session

from foundation.actor import Scope
from foundation.clock import day_span, office_zone
from foundation.db import Query
from loadmgmt.forecast.models import Forecast, ForecastAccuracy, ForecastAttempt, LoadHistory
from loadmgmt.forecast.rules.metrics import merged
from loadmgmt.forecast.types import (
    QUARTER,
    Attempt,
    BoardRow,
    DayError,
    Errors,
    LoadSource,
    PlanAndActual,
    Vintage,
)
from metering.api.network import feeders
from metering.api.types import SYSTEM, Subject, SubjectKind

_ERRORS = (
    ForecastAccuracy.wape,
    ForecastAccuracy.mape,
    ForecastAccuracy.rmse,
    ForecastAccuracy.peak,
    ForecastAccuracy.coverage,
    ForecastAccuracy.share,
)


def forecast_subjects(session: Session, scope: Scope) -> list[Subject]:
    """List what is forecast: the system, every feeder, the largest customers tried so far."""
    lines = [
        Subject(SubjectKind.FEEDER, one.feeder_id)
        for one in feeders(session)
        if scope.unit_ids is None or one.unit_id in scope.unit_ids
    ]
    keys = session.scalars(
        select(ForecastAttempt.subject)
        .where(ForecastAttempt.subject.startswith(f"{SubjectKind.POINT}:"))
        .distinct()
        .order_by(ForecastAttempt.subject)
    )
    return [SYSTEM, *lines, *sorted(Subject.of(key) for key in keys)]


def sources(session: Session, subjects: Collection[Subject]) -> dict[Subject, LoadSource]:
    """Say where the histories of subjects come from; one with telemetry has no other."""
    wanted = {subject.key: subject for subject in subjects}
    key = func.unnest(array(list(wanted), type_=String)).column_valued("key")
    first = (  # "import" comes before "meters"
        select(func.min(LoadHistory.source)).where(LoadHistory.subject == key).scalar_subquery()
    )
    rows = session.execute(select(key, first)) if wanted else ()
    return {wanted[name]: LoadSource(source) for name, source in rows if source is not None}


def loads(
    session: Session, subject: Subject, span: tuple[datetime, datetime]
) -> dict[datetime, float]:
    """Give the known loads of a span by the start of their quarter hour [kW]."""
    source = sources(session, [subject]).get(subject)
    rows = session.execute(
        select(LoadHistory.ts, LoadHistory.kw)
        .where(
            LoadHistory.subject == subject.key,
            LoadHistory.ts >= span[0],
            LoadHistory.ts < span[1],
            LoadHistory.source == source,
        )
        .order_by(LoadHistory.ts)
    )
    return {ts: kw for ts, kw in rows if kw is not None}


def plan_and_actual(session: Session, subject: Subject, day: date) -> PlanAndActual:
    """Give one office day of a subject: what was forecast, and what was measured so far."""
    start, end = day_span(day)
    known = loads(session, subject, (start - timedelta(days=1), end))
    starts = _quarters(start, end)
    vintages = _vintages(session, subject, day)
    return PlanAndActual(
        subject=subject,
        day=day,
        starts=starts,
        actual=tuple(known.get(at) for at in starts),
        yesterday=tuple(known.get(at - timedelta(days=1)) for at in starts),
        plans=_plans(vintages),
        vintages=vintages,
        attempts=_attempts(session, subject),
        source=sources(session, [subject]).get(subject),
    )


def _quarters(start: datetime, end: datetime) -> tuple[datetime, ...]:
    return tuple(start + QUARTER * place for place in range(int((end - start) / QUARTER)))


def _plans(vintages: Iterable[Vintage]) -> dict[str, Vintage]:
    """Give by model the vintage that knew most; they come newest first."""
    plans: dict[str, Vintage] = {}
    for one in vintages:
        plans.setdefault(one.model, one)
    return plans


def _judged() -> Query:
    return select(
        Forecast.id,
        Forecast.subject,
        Forecast.target_day,
        Forecast.model,
        Forecast.model_version,
        Forecast.known_until,
        Forecast.made_at,
        Forecast.trained_from,
        Forecast.input_share,
        Forecast.last_week_wape,
        Forecast.used_temperature,
        Forecast.level,
        Forecast.kw,
        Forecast.low_kw,
        Forecast.high_kw,
        *_ERRORS,
    ).outerjoin(ForecastAccuracy, ForecastAccuracy.forecast_id == Forecast.id)


def _vintages(session: Session, subject: Subject, day: date) -> tuple[Vintage, ...]:
    statement = (
        _judged()
        .where(Forecast.subject == subject.key, Forecast.target_day == day)
        .order_by(Forecast.known_until.desc(), Forecast.id.desc())
    )
    return tuple(_vintage(row) for row in session.execute(statement))


def _vintage(row: Row[Any]) -> Vintage:
    make: Callable[..., Vintage] = Vintage
    values: list[Any] = list(row)
    points = (tuple(series) for series in values[12:15])
    errors = Errors(*values[15:]) if values[-1] is not None else None
    return make(*values[:12], *points, errors)


def _attempts(session: Session, subject: Subject) -> dict[str, Attempt]:
    rows = session.execute(
        select(
            ForecastAttempt.model,
            ForecastAttempt.state,
            ForecastAttempt.at,
            ForecastAttempt.days_known,
            ForecastAttempt.days_needed,
            ForecastAttempt.why,
        ).where(ForecastAttempt.subject == subject.key)
    )
    return {row.model: Attempt(*row) for row in rows}


def day_errors(session: Session, subject: Subject, *, first: date, last: date) -> list[DayError]:
    """Give how each model did on each day, oldest first: the vintage that knew most counts."""
    newest = (
        select(
            Forecast.target_day,
            Forecast.model,
            Forecast.made_at,
            *_ERRORS,
        )
        .join(ForecastAccuracy, ForecastAccuracy.forecast_id == Forecast.id)
        .ext(distinct_on(Forecast.target_day, Forecast.model))
        .where(
            Forecast.subject == subject.key,
            Forecast.target_day >= first,
            Forecast.target_day <= last,
        )
        .order_by(Forecast.target_day, Forecast.model, Forecast.known_until.desc())
    )
    return [_day_error(*row) for row in session.execute(newest)]


def _day_error(day: date, model: str, made_at: datetime, *errors: Any) -> DayError:
    return DayError(day, model, Errors(*errors), made_at >= day_span(day)[0])


def model_board(errors: Iterable[DayError]) -> list[BoardRow]:
    """Rank models by their error over some days; one that was never judged stands last."""
    by_model: dict[str, list[DayError]] = {}
    for one in errors:
        by_model.setdefault(one.model, []).append(one)
    rows = [_board_row(model, days) for model, days in by_model.items()]
    return sorted(rows, key=lambda row: (row.errors.wape is None, row.errors.wape or 0.0))


def _board_row(model: str, days: list[DayError]) -> BoardRow:
    judged = [one for one in days if one.errors.wape is not None]
    return BoardRow(
        model=model,
        errors=merged([one.errors for one in judged], [1.0] * len(judged)),
        days=len(judged),
        late_days=sum(one.made_late for one in judged),
        trend=tuple(one.errors.wape for one in days),
    )


def days_with_data(
    session: Session, subject: Subject, *, first: date, last: date
) -> frozenset[date]:
    """Give the office days of a span that have a measured load or a forecast."""
    day = func.date(func.timezone(office_zone().key, LoadHistory.ts))
    measured = session.scalars(
        select(day)
        .where(
            LoadHistory.subject == subject.key,
            LoadHistory.ts >= day_span(first)[0],
            LoadHistory.ts < day_span(last)[1],
            LoadHistory.kw.is_not(None),
        )
        .distinct()
    ).all()
    forecast = session.scalars(
        select(Forecast.target_day)
        .where(
            Forecast.subject == subject.key,
            Forecast.target_day >= first,
            Forecast.target_day <= last,
        )
        .distinct()
    ).all()
    return frozenset(measured) | frozenset(forecast)
