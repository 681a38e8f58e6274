"""What this room does by itself."""

from datetime import time, timedelta

from sqlalchemy.orm import Session

from foundation import clock
from foundation.actor import Actor
from foundation.jobs import Job, Resident
from foundation.settings import settings
from loadmgmt.alerts.actions import wake_suppressed
from loadmgmt.alerts.clocks import follow_clocks
from loadmgmt.alerts.scanner import scan
from loadmgmt.forecast.actions import SUBJECT_JOB, forecast_subject, plan_missed, plan_night
from loadmgmt.forecast.demo_load import replay
from loadmgmt.forecast.histories import roll_up
from loadmgmt.forecast.judging import judge_night
from loadmgmt.outages.actions.following import follow_outages

RUNNING = timedelta(hours=2)
"""How far back the running day is added up again: readings come late by minutes."""


def roll_up_running(session: Session, actor: Actor) -> None:
    """Add up the last hours of every metered subject; in the demo town, replay its load."""
    if settings().demo:
        replay(session)
    roll_up(session, since=clock.now() - RUNNING)


def forecast_nightly(session: Session, actor: Actor) -> None:
    """Ask for the coming days' forecasts."""
    plan_night(session)


def forecast_missed(session: Session, actor: Actor) -> None:
    """Ask for the forecasts that are missing for today and tomorrow."""
    plan_missed(session)


def forecast_accuracy(session: Session, actor: Actor) -> None:
    """Judge the forecasts of the last days."""
    judge_night(session)


JOBS = [
    Job(
        "loadmgmt.wake_suppressed",
        wake_suppressed,
        "brings back suppressed alerts whose time is over",
        every=timedelta(minutes=1),
    ),
    Job(
        "loadmgmt.follow_outages",
        follow_outages,
        "reads the meters of open outages, ends planned windows that are over",
        every=timedelta(seconds=20),
    ),
    Job(
        "loadmgmt.follow_clocks",
        follow_clocks,
        "raises and ends the alerts of terminals whose clock is wrong",
        every=timedelta(minutes=1),
    ),
    Job(
        "loadmgmt.load_roll_up",
        roll_up_running,
        "adds up the running day's load of feeders and the largest customers",
        every=timedelta(minutes=5),
    ),
    Job(
        "loadmgmt.forecast_nightly",
        forecast_nightly,
        "asks for the coming days' forecast of every subject, each a job of its own",
        at=time(23, 20),
    ),
    Job(
        "loadmgmt.forecast_missed",
        forecast_missed,
        "asks for today's and tomorrow's forecast where the night made none",
        every=timedelta(hours=1),
    ),
    Job(SUBJECT_JOB, forecast_subject, "makes and publishes one subject's forecasts"),
    Job(
        "loadmgmt.forecast_accuracy",
        forecast_accuracy,
        "judges the forecasts of the days that are over",
        at=time(6, 20),
    ),
]
RESIDENTS = [
    Resident("loadmgmt.scanner", scan, "worker", "judges readings as they are stored"),
]
