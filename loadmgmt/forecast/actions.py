"""Making forecasts and publishing them for good."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from foundation import clock, jobs
from foundation.actor import Actor
from foundation.audit import Act, record
from foundation.events import Signal
from foundation.outbox import publish, signal
from loadmgmt.forecast.histories import history_of, horizon_of, metered_subjects, roll_up
from loadmgmt.forecast.judging import judge_forecasts
from loadmgmt.forecast.making import MODELS, make
from loadmgmt.forecast.models import Forecast, ForecastAttempt
from loadmgmt.forecast.practice import load_practice
from loadmgmt.forecast.rules.features import known_days
from loadmgmt.forecast.types import (
    QUARTER,
    Floats,
    ForecastPublished,
    ForecastState,
    History,
    Made,
    Model,
    ModelFailed,
    Prediction,
)
from metering.api.types import SYSTEM, Subject

FORECAST_PUBLISHED = Act.of("forecast.published", "days", "models", "known_until")
FORECAST_ASKED = Act.of("forecast.asked", "days", "known_until")
SUBJECT_JOB = "loadmgmt.forecast_subject"
LOCK = "loadmgmt.forecast"
"""One forecast is made at a time: the worker's other threads stay free for other jobs."""


def make_forecasts(
    session: Session,
    actor: Actor,
    subject: Subject,
    *,
    days: Sequence[date],
    known_until: datetime,
) -> list[int]:
    """Forecast a subject with every model and publish one vintage per day and model.

    What was published from the same knowledge already is left as it is, so that making it
    twice makes nothing twice. A subject with too little history gets none, and that is noted.

    Args:
        session: a transaction of its own: it is open while the models are fitted.
        actor: who makes it.
        subject: whose load.
        days: office days in a row.
        known_until: nothing measured from here on is used; not after the first day's start.

    Returns:
        Numbers of the new vintages.

    Raises:
        ValueError: known_until lies inside a day to be forecast.
    """
    if known_until > clock.day_span(min(days))[0]:
        raise ValueError("a forecast knows nothing of its own day")
    missing = _missing(session, subject, days, known_until)
    if not missing:
        return []
    history = history_of(session, subject, until=known_until)
    published: list[dict[str, Any]] = []
    for model in MODELS:
        wanted = [day for day in days if (model.name, day) in missing]
        if wanted:
            published += _by_model(session, subject, model, history, wanted, known_until)
    if published:
        publish(session, actor, ForecastPublished(tuple(published)))
        record(
            session,
            actor,
            FORECAST_PUBLISHED,
            subject=("forecast", subject.key),
            days=[day.isoformat() for day in days],
            models=sorted({one["model"] for one in published}),
            known_until=known_until.isoformat(),
        )
        judge_forecasts(session, first=min(days), last=max(days))
    signal(session, Signal("forecast", subject.key))
    return [one["id"] for one in published]


def _missing(
    session: Session, subject: Subject, days: Sequence[date], known_until: datetime
) -> set[tuple[str, date]]:
    known = session.execute(
        select(Forecast.model, Forecast.target_day).where(
            Forecast.subject == subject.key,
            Forecast.known_until == known_until,
            Forecast.target_day.in_(days),
        )
    )
    return {(model.name, day) for model in MODELS for day in days} - {
        (model, day) for model, day in known
    }


def _by_model(
    session: Session,
    subject: Subject,
    model: Model,
    history: History,
    days: Sequence[date],
    known_until: datetime,
) -> list[dict[str, Any]]:
    practice = load_practice()
    needs = practice.models[model.name]
    window = history.last_days(needs.window_days)
    known = known_days(window, least_share=float(practice.history.day_share))
    horizon = horizon_of(session, days, known_until=known_until)
    made, state, why = None, ForecastState.TOO_LITTLE_HISTORY, None
    if known >= needs.least_days:
        try:
            made = make(
                model,
                window,
                horizon,
                hold_out_days=practice.hold_out_days,
                level=float(practice.level),
            )
            state = ForecastState.PUBLISHED
        except ModelFailed as error:
            state, why = ForecastState.FAILED, str(error.facts["why"])
    attempt = {
        "known_until": known_until,
        "state": state,
        "days_known": known,
        "days_needed": needs.least_days,
        "why": why,
    }
    _note_attempt(session, subject, model, attempt)
    if made is None:
        return []
    facts = _facts(subject, model, made, window, known_until)
    return _inserted(session, facts, made.prediction, days)


def _facts(
    subject: Subject, model: Model, made: Made, window: History, known_until: datetime
) -> dict[str, Any]:
    return {
        "subject": subject.key,
        "model": model.name,
        "model_version": model.version,
        "known_until": known_until,
        "made_at": clock.now(),
        "trained_from": known_until - QUARTER * len(window.slots),
        "input_share": window.known_share,
        "last_week_wape": made.last_week.wape,
        "used_temperature": made.used_temperature,
        "level": float(load_practice().level),
    }


def _inserted(
    session: Session, facts: Mapping[str, Any], prediction: Prediction, days: Sequence[date]
) -> list[dict[str, Any]]:
    start = clock.day_span(days[0])[0]
    rows = []
    for day in days:
        low, high = (int((edge - start) / QUARTER) for edge in clock.day_span(day))
        part = slice(low, high)
        rows.append(
            {
                **facts,
                "target_day": day,
                "kw": _rounded(prediction.kw[part]),
                "low_kw": _rounded(prediction.low[part]),
                "high_kw": _rounded(prediction.high[part]),
            }
        )
    fresh = session.execute(
        insert(Forecast)
        .values(rows)
        .on_conflict_do_nothing()
        .returning(Forecast.id, Forecast.target_day)
    )
    return [
        {
            "id": number,
            "subject": facts["subject"],
            "target_day": day.isoformat(),
            "model": facts["model"],
        }
        for number, day in fresh
    ]


def _rounded(values: Floats) -> list[float]:
    rounded: list[float] = np.round(values, 3).tolist()
    return rounded


def _note_attempt(
    session: Session, subject: Subject, model: Model, attempt: Mapping[str, Any]
) -> None:
    facts = {"at": clock.now(), **attempt}
    statement = insert(ForecastAttempt).values(subject=subject.key, model=model.name, **facts)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["subject", "model"],
            set_=facts,
            where=statement.excluded.known_until >= ForecastAttempt.known_until,
        )
    )


def plan_night(session: Session) -> None:
    """Add up the loads, then ask for every subject's forecast of the coming days."""
    practice, now = load_practice(), clock.now()
    roll_up(session, since=now - timedelta(days=practice.accuracy.again_days))
    today = clock.business_date(now)
    days = [today + timedelta(days=ahead) for ahead in practice.days_ahead]
    for subject in _subjects(session):
        _defer(session, subject, days=days, known_until=_last_hour(now))


def plan_missed(session: Session) -> None:
    """Ask for the forecasts of today and tomorrow where no night has made any."""
    now = clock.now()
    start, _ = clock.day_span(clock.business_date(now))
    days = [clock.business_date(now), clock.business_date(now) + timedelta(days=1)]
    known = session.execute(
        select(Forecast.subject, Forecast.target_day).where(Forecast.target_day.in_(days))
    )
    there = {(model, day) for model, day in known}
    tried = set(session.scalars(select(ForecastAttempt.subject).where(ForecastAttempt.at >= start)))
    for subject in _subjects(session):
        missed = [day for day in days if (subject.key, day) not in there]
        if missed and subject.key not in tried:
            _defer(session, subject, days=missed, known_until=start)


def _subjects(session: Session) -> list[Subject]:
    metered = metered_subjects(session)
    return metered if SYSTEM in metered else [SYSTEM, *metered]


def _last_hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)


def ask_forecast(session: Session, actor: Actor, subject: Subject) -> None:
    """Ask for tomorrow's forecast from what is known now; asking twice an hour makes one."""
    now = clock.now()
    days, known_until = [clock.business_date(now) + timedelta(days=1)], _last_hour(now)
    _defer(session, subject, days=days, known_until=known_until)
    record(
        session,
        actor,
        FORECAST_ASKED,
        subject=("forecast", subject.key),
        days=[day.isoformat() for day in days],
        known_until=known_until.isoformat(),
    )


def ask_forecasts_of_past(session: Session, subject: Subject, *, days: int) -> None:
    """Ask for what would have been forecast for the last days from what was known then."""
    today = clock.business_date()
    for back in range(1, days + 1):
        day = today - timedelta(days=back)
        _defer(session, subject, days=[day], known_until=clock.day_span(day)[0])


def _defer(
    session: Session, subject: Subject, *, days: Sequence[date], known_until: datetime
) -> None:
    args = {
        "subject": subject.key,
        "days": [day.isoformat() for day in days],
        "known_until": known_until.isoformat(),
    }
    jobs.defer(session, SUBJECT_JOB, args, lock=LOCK)


def forecast_subject(
    session: Session, actor: Actor, *, subject: str, days: list[str], known_until: str
) -> None:
    """Make one subject's forecasts: the job that `plan_night` asks for."""
    make_forecasts(
        session,
        actor,
        Subject.of(subject),
        days=[date.fromisoformat(day) for day in days],
        known_until=datetime.fromisoformat(known_until),
    )
