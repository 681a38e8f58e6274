"""What this room does by itself."""

from datetime import time, timedelta

from sqlalchemy.orm import Session

from foundation import clock
from foundation.actor import Actor
from foundation.jobs import Job, Resident
from metering.polling.process import poll
from metering.readings.actions import days_ahead, forget_judged, roll_up_day


def make_days_ahead(session: Session, actor: Actor) -> None:
    """Make the reading partitions of the coming days."""
    days_ahead(session)


def roll_up_yesterday(session: Session, actor: Actor) -> None:
    """Rebuild yesterday's daily rows from its readings."""
    roll_up_day(session, clock.business_date() - timedelta(days=1))


def forget_judged_batches(session: Session, actor: Actor) -> None:
    """Drop batches that were judged long ago."""
    forget_judged(session)


JOBS = [
    Job(
        "metering.days_ahead",
        make_days_ahead,
        "makes the reading partitions of the coming days",
        every=timedelta(hours=6),
    ),
    Job(
        "metering.daily",
        roll_up_yesterday,
        "rebuilds yesterday's daily rows from its readings",
        at=time(0, 40),
    ),
    Job(
        "metering.forget_judged",
        forget_judged_batches,
        "drops batches that were judged long ago",
        every=timedelta(hours=1),
    ),
]

RESIDENTS = [
    Resident("metering.poller", poll, "poller", "keeps the fleet's slots, answers on-demand reads"),
]
