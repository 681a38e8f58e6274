"""What an operator may type about loads and weather."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path

import click
from sqlalchemy.orm import Session

from foundation import clock
from foundation.actor import Actor, Scope
from foundation.db import unit_of_work
from foundation.office import Office
from loadmgmt.forecast.actions import make_forecasts
from loadmgmt.forecast.backtest import backtest
from loadmgmt.forecast.histories import roll_up, take_loads
from loadmgmt.forecast.judging import judge_night
from loadmgmt.forecast.making import MODELS
from loadmgmt.forecast.practice import load_practice
from loadmgmt.forecast.queries import day_errors, forecast_subjects, model_board, plan_and_actual
from loadmgmt.forecast.rules.load_file import read_loads
from loadmgmt.forecast.rules.series_file import read_series
from loadmgmt.forecast.types import SubjectUnknown
from loadmgmt.weather.actions import take_weather
from loadmgmt.weather.rules import read_weather
from metering.api.devices import meter_by_no
from metering.api.network import feeders
from metering.api.types import SYSTEM, Subject, SubjectKind

ACTOR = Actor.system("command line")
FREQUENCIES = {"15min": 15, "30min": 30, "60min": 60}
SUBJECTS = "system, feeder:F07 or meter:M-1404-0001"


def add_commands(group: click.Group) -> None:
    """Add this room's commands."""
    group.add_command(forecast)
    group.add_command(weather)


@click.group()
def forecast() -> None:
    """Load forecasts."""


@forecast.command("run")
@click.option("--subject", "names", multiple=True, help=f"{SUBJECTS}; every subject if not given")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="office day; tomorrow if not given")
@click.pass_obj
def run_forecast(office: Office, names: tuple[str, ...], day: datetime | None) -> None:
    """Make and publish forecasts now, one transaction for each subject.

    From what is known at the last full hour; for a day that has begun, from what was known
    before it.
    """
    now = clock.now()
    target = day.date() if day else clock.business_date(now) + timedelta(days=1)
    hour = now.replace(minute=0, second=0, microsecond=0)
    known_until = min(hour, clock.day_span(target)[0])
    with unit_of_work(office.engine) as session:
        roll_up(session, since=now - timedelta(days=load_practice().accuracy.again_days))
        everything = forecast_subjects(session, Scope.everything())
        subjects = [subject_of(session, name) for name in names] or everything
    for subject in subjects:
        with unit_of_work(office.engine) as session:
            made = make_forecasts(session, ACTOR, subject, days=[target], known_until=known_until)
        with unit_of_work(office.engine) as session:
            _tell(session, subject, target, set(made))


def _tell(session: Session, subject: Subject, day: date, made: set[int]) -> None:
    plan = plan_and_actual(session, subject, day)
    for one in plan.vintages:
        if one.id in made:
            peak = max(range(len(one.kw)), key=one.kw.__getitem__)
            at = plan.starts[peak].astimezone(clock.office_zone())
            click.echo(
                f"{subject.key} {day} {one.model} {one.model_version}:"
                f" peak {one.kw[peak]:.1f} kW at {at:%H:%M}"
            )
    for attempt in plan.attempts.values():
        if attempt.state.value != "published":
            why = f" ({attempt.why})" if attempt.why else ""
            click.echo(
                f"{subject.key} {day} {attempt.model}: {attempt.state},"
                f" {attempt.days_known} of {attempt.days_needed} days{why}"
            )
    if not made and any(one.state.value == "published" for one in plan.attempts.values()):
        click.echo(f"{subject.key} {day}: published already from what was known")


@forecast.command("accuracy")
@click.option("--subject", default="system", show_default=True, help=SUBJECTS)
@click.option("--days", default=30, show_default=True, help="how far back [d]")
@click.pass_obj
def accuracy(office: Office, subject: str, days: int) -> None:
    """Judge what is due and print how each model did."""
    with unit_of_work(office.engine) as session:
        judge_night(session)
        today = clock.business_date()
        errors = day_errors(
            session,
            subject_of(session, subject),
            first=today - timedelta(days=days),
            last=today,
        )
    for one in errors:
        late = " made afterwards" if one.made_late else ""
        click.echo(
            f"{one.day} {one.model:16} WAPE {_pct(one.errors.wape)} of {_pct(one.errors.share)}"
            f" of the day{late}"
        )
    for row in model_board(errors):
        click.echo(f"all {row.days} days {row.model:16} WAPE {_pct(row.errors.wape)}")


def _pct(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2%}"


@forecast.command("load")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--subject", default="system", show_default=True, help=SUBJECTS)
@click.pass_obj
def take_load(office: Office, file: Path, subject: str) -> None:
    """Take a measured load in from a CSV FILE; doing it twice changes nothing.

    \b
    Columns:
      time  beginning of the quarter hour, ISO 8601; without an offset the office's clock
      kw    mean load of the quarter hour [kW]; empty where unknown
    """  # noqa: D301 - click reads it
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = read_loads(lines, clock.office_zone(), file=file.name)
    with unit_of_work(office.engine) as session:
        wanted = subject_of(session, subject)
        changed = take_loads(session, ACTOR, wanted, rows, file=file.name)
    click.echo(f"{wanted.key}: {changed} of {len(rows)} quarter hours are new or changed")


@forecast.command("backtest")
@click.option(
    "--series", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--freq", type=click.Choice(list(FREQUENCIES)), default="15min", show_default=True)
@click.option("--horizon", type=int, help="slots to forecast from each origin; a day if not given")
@click.option("--origins", default=28, show_default=True, help="how many midnights, the last ones")
@click.option("--spacing", default=1, show_default=True, help="days from one origin to the next")
@click.option(
    "--model",
    "names",
    multiple=True,
    type=click.Choice([model.name for model in MODELS]),
    help="every model if not given",
)
@click.option("--json", "as_json", is_flag=True, help="print everything, by origin too")
def run_backtest(
    series: Path,
    freq: str,
    horizon: int | None,
    origins: int,
    spacing: int,
    names: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Judge the models on the past of a CSV file, from one midnight after the other.

    A model is given what was known at an origin and nothing else: loads and temperatures
    before it, and for the hours to be forecast only the calendar and temperature_forecast.
    It needs no database and no running office.

    \b
    Columns:
      ts                    beginning of the interval, ISO 8601, in the place's wall clock
      value                 mean load of the interval; empty where unknown
      temperature           observed [°C]; used for the past only
      temperature_forecast  as forecast before the day began [°C]
      holiday, makeup       1 on a holiday; 1 on a weekend worked for one

    Without temperature_forecast the models are judged without weather. Without holiday
    and makeup only weekends are days of rest.
    """  # noqa: D301 - click reads it
    minutes = FREQUENCIES[freq]
    with series.open(encoding="utf-8-sig", newline="") as lines:
        read = read_series(lines, timedelta(minutes=minutes), file=series.name)
    judged = backtest(
        read,
        [model for model in MODELS if not names or model.name in names],
        load_practice(),
        horizon=horizon or 24 * 60 // minutes,
        count=origins,
        spacing_days=spacing,
    )
    judged = {"series": series.name, **judged}
    if as_json:
        click.echo(json.dumps(judged, indent=1))
        return
    click.echo(f"{judged['series']}: {judged['origins']} origins, weather {judged['temperature']}")
    for name, row in judged["models"].items():
        click.echo(
            f"  {name:16} WAPE {_pct(row['wape'])}  MAPE {_pct(row['mape'])}"
            f"  RMSE {row['rmse']}  peak {_pct(row['peak'])}"
            f"  coverage {_pct(row['coverage'])}  {row['fit_seconds']} s"
            + (f"  refused {row['refused']}" if row["refused"] else "")
        )


@click.group()
def weather() -> None:
    """Weather observed and forecast."""


@weather.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_obj
def import_weather(office: Office, file: Path) -> None:
    """Take weather in from a CSV FILE; doing it twice changes nothing.

    \b
    Columns:
      time           the hour it is for, ISO 8601; without an offset the office's clock
      temperature_c  [°C]; a row without one is left out
      issued_at      when it was forecast; empty or no column: it was observed
      station        where; empty or no column: the office's own

    Forecasts are kept by when they were issued: a load forecast uses what had been issued
    before its own origin, and never an observation of its own day.
    """  # noqa: D301 - click reads it
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = read_weather(lines, clock.office_zone(), file=file.name)
    with unit_of_work(office.engine) as session:
        taken = take_weather(session, ACTOR, rows, file=file.name)
    click.echo(
        f"{taken.observations} observations and {taken.forecasts} forecast values are new"
        f" or changed, of {len(rows)} rows"
    )


def subject_of(session: Session, name: str) -> Subject:
    """Find a subject by the name people say.

    Raises:
        SubjectUnknown: no load has this name.
    """
    kind, _, number = name.partition(":")
    if name == SYSTEM.key:
        return SYSTEM
    if kind == "feeder":
        found = next((one for one in feeders(session) if one.feeder_no == number), None)
        if found is not None:
            return Subject(SubjectKind.FEEDER, found.feeder_id)
    if kind == "meter" and number:
        return Subject(SubjectKind.POINT, meter_by_no(session, number).point_id)
    raise SubjectUnknown(subject=name, known=SUBJECTS)
