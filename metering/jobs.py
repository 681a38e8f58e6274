"""What this room does by itself."""

from datetime import time, timedelta

from sqlalchemy.orm import Session

from foundation import clock
from foundation.actor import Actor
from foundation.events import Signal
from foundation.jobs import Job, Resident, defer
from foundation.outbox import signal
from foundation.settings import settings
from metering.gaps.actions import check, forget_gaps
from metering.gaps.measured import GAPS_OPEN
from metering.gaps.queries import open_gaps
from metering.polling.actions import forget_parcels
from metering.polling.process import poll
from metering.polling.queries import spooled_since
from metering.readings.actions import days_ahead, forget_judged
from metering.readings.days import forget_day, next_unsorted, sort_day
from metering.readings.rollups import roll_up
from metering.requests.writing import book_ended_writes

SORT, FORGET, GAPS = "metering.sort_days", "metering.forget_days", "metering.gaps"


def make_days_ahead(session: Session, actor: Actor) -> None:
    """Make the partitions of the coming days."""
    days_ahead(session)


def add_up(session: Session, actor: Actor) -> None:
    """Add up the hours that are over, and those that late readings touched."""
    roll_up(session)


def keep_gap_list(session: Session, actor: Actor) -> None:
    """Note the intervals that ended without a reading, and those that were filled."""
    if check(session, until=spooled_since(session)):
        defer(session, GAPS, only_one_waiting=True)
    GAPS_OPEN.set(open_gaps(session))
    signal(session, Signal("collection"))


def sort_days(session: Session, actor: Actor) -> None:
    """Sort one sealed day by meter; the next one is a job of its own."""
    day = next_unsorted(session)
    if day is not None:
        sort_day(session, day)
        defer(session, SORT)


def forget_days(session: Session, actor: Actor) -> None:
    """Drop one day of readings that is too old; the next one is a job of its own."""
    if forget_day(session, days=settings().reading_days) is not None:
        defer(session, FORGET)


def forget_old_gaps(session: Session, actor: Actor) -> None:
    """Drop gaps nobody will fill any more, and pollers that ended long ago."""
    forget_gaps(session, days=settings().gap_days)
    forget_parcels(session, before=clock.now() - timedelta(days=30))


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
        "metering.roll_up",
        add_up,
        "adds up hours and days, again where readings came late",
        every=timedelta(minutes=2),
    ),
    Job(
        GAPS,
        keep_gap_list,
        "lists the intervals that ended without a reading",
        every=timedelta(minutes=1),
    ),
    Job(SORT, sort_days, "sorts sealed days of readings by meter", at=time(2, 30)),
    Job(FORGET, forget_days, "drops days of readings that are too old", at=time(3, 30)),
    Job(
        "metering.forget_gaps",
        forget_old_gaps,
        "drops gaps and pollers of long ago",
        at=time(3, 50),
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
