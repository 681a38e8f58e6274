"""Sealed days of readings: sorted by meter, so that each lies together; dropped when old."""

from datetime import UTC, date, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from foundation import clock

SEALED_AFTER = timedelta(days=1)
"""A day is sealed this long after its end: late readings and memories have come."""
LOOK_BACK = timedelta(days=60)

_NEXT = text(
    "SELECT day FROM (SELECT to_date(right(c.relname, 8), 'YYYYMMDD') AS day"
    " FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
    " WHERE i.inhparent = 'metering.reading'::regclass) parts"
    " WHERE day >= :first AND day < :sealed"
    " AND day NOT IN (SELECT day FROM metering.reading_day) ORDER BY day LIMIT 1"
)


def next_unsorted(session: Session) -> date | None:
    """Give the oldest sealed day that is not sorted yet; None if all are."""
    today = clock.now().astimezone(UTC).date()
    sealed = today - SEALED_AFTER
    found: date | None = session.execute(
        _NEXT, {"first": today - LOOK_BACK, "sealed": sealed}
    ).scalar()
    return found


def sort_day(session: Session, day: date) -> int:
    """Rewrite a sealed day sorted by meter and instant; give about how many readings it has.

    It is copied aside while everybody reads on, then put in place of the old one within an
    instant. Nothing of it is to be seen before the caller commits; killed, nothing happened.
    A transaction that took its snapshot before and reads the day for the first time after
    would find it empty: nothing here uses such snapshots (REPEATABLE READ).
    """
    session.execute(text("SET LOCAL statement_timeout = 0"))
    return int(
        session.execute(text("SELECT metering.sort_reading_day(:day)"), {"day": day}).scalar_one()
    )


def forget_day(session: Session, *, days: int) -> date | None:
    """Drop the oldest day of readings that is older than so many days; give which it was."""
    session.execute(text("SET LOCAL statement_timeout = 0"))
    before = clock.now().astimezone(UTC).date() - timedelta(days=max(days, 31))
    found: date | None = session.execute(
        text("SELECT metering.forget_reading_day(:before)"), {"before": before}
    ).scalar()
    return found
