"""Tomorrow's load (负荷预测): forecasts of a subject for a day, against what was measured."""

import csv
import io
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from foundation import clock
from foundation.errors import NotFound
from loadmgmt.api.forecast import (
    ask_forecast,
    day_errors,
    days_with_data,
    forecast_subjects,
    load_practice,
    model_board,
    plan_and_actual,
)
from loadmgmt.api.types import QUARTER, DayError, ForecastState, PlanAndActual, Vintage
from metering.api.network import feeders
from metering.api.types import Subject, SubjectKind
from webapp.auth.guard import allow
from webapp.auth.permissions import Permission
from webapp.context import show, t
from webapp.pages.loadmgmt.forecast_charts import (
    clock_of,
    error_chart,
    load_chart,
    peak_of,
    reach_of,
    trend_chart,
)
from webapp.places import places_of
from webapp.session import actor, db, scope

page = Blueprint("forecast", __name__)
BACK, AHEAD = timedelta(days=30), timedelta(days=2)
BOARD_DAYS = 7


@dataclass(frozen=True, slots=True)
class Choice:
    """A subject or a day to choose, with its words."""

    value: str
    text: str
    group: str = ""
    there: bool = True


@dataclass(frozen=True, slots=True)
class Peak:
    """The highest load of a day [W], when, and the interval there in words."""

    watts: float
    at: str
    reach: str = ""


@page.get("/forecast")
@allow(Permission.SEE_FORECAST)
def board() -> str:
    """Show one day of one subject, or only the part that changes."""
    subjects = forecast_subjects(db(), scope())
    subject = _subject(request.args.get("subject", ""), subjects)
    day = _day(request.args.get("day", ""))
    model = _model(request.args.get("model", ""))
    values = _shown(subject, day, model)
    if request.args.get("part") == "body":
        return render_template("loadmgmt/forecast/body.html", **values)
    return show(
        "loadmgmt/forecast.html",
        at="forecast",
        subjects=_subject_choices(subjects),
        days=_day_choices(subject, day),
        with_charts=True,
        **values,
    )


def _subject(key: str, known: list[Subject]) -> Subject:
    if not key:
        return known[0]
    found = next((one for one in known if one.key == key), None)
    if found is None:
        raise NotFound(id=key)
    return found


def _day(text: str) -> date:
    today = clock.business_date()
    try:
        wanted = date.fromisoformat(text)
    except ValueError:
        return today
    return max(today - timedelta(days=366), min(wanted, today + AHEAD))


def _model(name: str) -> str:
    practice = load_practice()
    return name if name in practice.models else practice.live


def _shown(subject: Subject, day: date, model: str) -> dict[str, Any]:
    """Give everything about one day of one subject."""
    practice, today = load_practice(), clock.business_date()
    plan = plan_and_actual(db(), subject, day)
    if model not in plan.plans and plan.plans:
        model = next(iter(plan.plans))
    errors = day_errors(db(), subject, first=today - BACK, last=today)
    recent = [one for one in errors if one.day >= today - timedelta(days=BOARD_DAYS)]
    board_rows = model_board(recent)
    target, zone = float(practice.target), clock.office_zone()
    judged_day = day if day < today else today - timedelta(days=1)
    span = (clock.day_span(today - BACK)[0], clock.day_span(today)[1])
    return {
        "subject": subject,
        "day": day,
        "today": today,
        "model": model,
        "plan": plan,
        "shown": plan.plans.get(model),
        "source": plan.source,
        "forecast_peak": _forecast_peak(plan, plan.plans.get(model)),
        "actual_peak": _peak(plan, plan.actual),
        "actual_share": sum(value is not None for value in plan.actual) / len(plan.actual),
        "judged_day": judged_day,
        "judged": _errors_of(errors, judged_day, _models_by_use(practice.live)),
        "too_little": [
            one
            for one in plan.attempts.values()
            if one.state is not ForecastState.PUBLISHED and one.model not in plan.plans
        ],
        "chart": load_chart(plan, model, zone=zone, t=t, now=_now_of(day)),
        "errors_chart": error_chart(plan, model, target=target, zone=zone, t=t),
        "trend": trend_chart(
            errors, _models_by_use(model), days=span, target=target, zone=zone, t=t
        ),
        "has_errors": bool(errors),
        "board": board_rows,
        "live": practice.live,
        "target": target,
        "level": float(practice.level),
        "board_days": BOARD_DAYS,
        "day_start": clock.day_span(day)[0],
    }


def _models_by_use(first: str) -> list[str]:
    names = list(load_practice().models)
    return [first, *(name for name in names if name != first)]


def _errors_of(
    errors: list[DayError], day: date, models: list[str]
) -> list[tuple[str, DayError | None]]:
    found = {one.model: one for one in errors if one.day == day}
    return [(model, found.get(model)) for model in models]


def _now_of(day: date) -> datetime | None:
    return clock.now() if day == clock.business_date() else None


def _forecast_peak(plan: PlanAndActual, one: Vintage | None) -> Peak | None:
    if one is None:
        return None
    place = peak_of(one.kw)
    at = clock_of(plan.starts[place] + QUARTER, clock.office_zone(), plan.day)
    return Peak(one.kw[place] * 1000, at, reach_of(one.low_kw[place], one.high_kw[place]))


def _peak(plan: PlanAndActual, values: tuple[float | None, ...]) -> Peak | None:
    place = peak_of(values)
    value = values[place] if values else None
    if value is None:
        return None
    at = clock_of(plan.starts[place] + QUARTER, clock.office_zone(), plan.day)
    return Peak(value * 1000, at)


def _subject_choices(subjects: list[Subject]) -> list[Choice]:
    lines = {one.feeder_id: f"{one.feeder_name} {one.feeder_no}" for one in feeders(db())}
    points = [one.id for one in subjects if one.kind is SubjectKind.POINT]
    places = places_of(db(), points)
    choices = []
    for one in subjects:
        if one.kind is SubjectKind.FEEDER:
            text = lines.get(one.id or 0, one.key)
        elif one.kind is SubjectKind.POINT:
            place = places.of(one.id)
            text = " ".join(part for part in (place.name, place.number) if part)
        else:
            text = t("forecast.subject.system")
        choices.append(Choice(one.key, text, one.kind.value))
    return choices


def _day_choices(subject: Subject, chosen: date) -> list[Choice]:
    today = clock.business_date()
    first, last = min(today - BACK, chosen), today + AHEAD
    there = days_with_data(db(), subject, first=first, last=last)
    words = {0: "forecast.today", 1: "forecast.tomorrow", -1: "forecast.day_before"}
    choices = []
    for back in range((last - first).days + 1):
        one = last - timedelta(days=back)
        key = words.get((one - today).days)
        text = f"{one.isoformat()} {t(key)}" if key else one.isoformat()
        choices.append(Choice(one.isoformat(), text, there=one in there or one == chosen))
    return choices


@page.post("/forecast/ask")
@allow(Permission.MAKE_FORECAST)
def ask() -> Answer:
    """Ask for tomorrow's forecast of a subject from what is known now."""
    subject = _subject(request.form.get("subject", ""), forecast_subjects(db(), scope()))
    ask_forecast(db(), actor(), subject)
    flash(t("forecast.asked"), "ok")
    tomorrow = clock.business_date() + timedelta(days=1)
    return redirect(url_for("forecast.board", subject=subject.key, day=tomorrow.isoformat()))


@page.get("/forecast/export")
@allow(Permission.SEE_FORECAST)
def export() -> Response:
    """Give the day as a CSV file: raw numbers, the unit in the head."""
    subject = _subject(request.args.get("subject", ""), forecast_subjects(db(), scope()))
    day = _day(request.args.get("day", ""))
    plan = plan_and_actual(db(), subject, day)
    text = io.StringIO()
    rows = csv.writer(text)
    models = list(plan.plans.values())
    rows.writerow(
        ["interval_start", "actual_kw", "yesterday_kw"]
        + [f"{one.model}_{what}" for one in models for what in ("kw", "low_kw", "high_kw")]
    )
    for place, start in enumerate(plan.starts):
        local = start.astimezone(clock.office_zone()).isoformat(timespec="minutes")
        said = [plan.actual[place], plan.yesterday[place]]
        said += [
            value
            for one in models
            for value in (one.kw[place], one.low_kw[place], one.high_kw[place])
        ]
        rows.writerow([local, *("" if value is None else round(value, 3) for value in said)])
    name = f"forecast-{subject.key.replace(':', '-')}-{day}.csv"
    return Response(
        text.getvalue(),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
