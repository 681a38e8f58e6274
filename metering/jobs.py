"""What this room does by itself."""

from datetime import time, timedelta

from sqlalchemy.orm import Session

from foundation import clock
from foundation.actor import Actor
from foundation.jobs import Job, Resident
from metering.polling.process import poll
from metering.readings.actions import days_ahead, forget_judged, roll_up_day
from metering.requests.writing import book_ended_writes


def make_days_ahead(session: Session, actor: Actor) -> None:
    """Make the reading partitions of the coming days."""
    days_ahead(session)


def roll_up_yesterday(session: Session, actor: Actor) -> None:
    """Rebuild yesterday's daily rows from its readings."""
    roll_up_day(session, clock.business_date() - timedelta(days=1))


def forget_judged_batches(session: Session, actor: Actor) -> None:
    """Drop batches that were judged long ago."""
    forget_judged(session)


def book_writes(session: Session, actor: Actor) -> None:
    """Book the end of commands that were answered, timed out or expired."""
    book_ended_writes(session, actor)


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
    Job(
        "metering.book_writes",
        book_writes,
        "books the end of commands to meters: done, failed, timed out, expired",
        every=timedelta(seconds=5),
    ),
]

RESIDENTS = [
    Resident("metering.poller", poll, "poller", "keeps the fleet's slots, answers on-demand reads"),
]
