"""Keeping the gap list: what should have been read, less what was."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from foundation import clock
from metering.devices.models import AskedSpan
from metering.devices.timetable import load_timetable
from metering.gaps.rules import intervals_ended
from metering.gaps.types import NO_POLLER

STEP = timedelta(hours=1)
"""Intervals looked at in one step: those that end within so much time."""
CLOSE_BACK = timedelta(days=2)
"""How far back gaps are compared with readings that did not close them themselves."""

WHY_WITHIN = timedelta(minutes=10)
"""What a terminal's last error was is the reason of a gap only so long after its interval."""

_WHY = (
    "coalesce(t.last_error, (SELECT 'slot_' || p.why FROM metering.poll_missed p"
    " WHERE p.day = CAST(CAST(:ts AS timestamptz) AT TIME ZONE 'UTC' AS date)"
    " AND p.address = t.host || ':' || t.port AND p.last_at >= :ts LIMIT 1),"
    " CASE WHEN NOT EXISTS (SELECT 1 FROM metering.poll_worker w"
    f"  WHERE w.site = t.site AND w.live_until > :now) THEN '{NO_POLLER}' END)"
)
_OPEN = text(
    "INSERT INTO metering.gap (ts, meter_id, interval_s, why)"
    f" SELECT :ts, a.meter_id, a.interval_s, CASE WHEN :recent THEN {_WHY} END"
    " FROM metering.asked_span a LEFT JOIN metering.terminal t ON t.id = a.terminal_id"
    " WHERE a.interval_s = :interval_s AND a.since <= :ts AND (a.until IS NULL OR a.until > :ts)"
    " AND NOT EXISTS (SELECT 1 FROM metering.reading r"
    "  WHERE r.ts = :ts AND r.meter_id = a.meter_id)"
    " ON CONFLICT DO NOTHING"
)
_CLOSE = text(
    "DELETE FROM metering.gap g USING metering.reading r"
    " WHERE r.ts = g.ts AND r.meter_id = g.meter_id AND g.ts >= :since AND r.ts >= :since"
)


def check(session: Session, *, until: datetime | None = None, steps: int = 6) -> bool:
    """Look at the intervals that ended since the last time; give whether any are left to see.

    Args:
        session: the job's transaction.
        until: intervals that end later wait (a poller still holds readings of them).
        steps: look at so many steps at most.
    """
    grace = timedelta(seconds=load_timetable().late.grace_s)
    horizon = clock.now() - grace
    horizon = min(horizon, until) if until is not None else horizon
    checked_to = _checked_to(session, horizon)
    for _ in range(steps):
        if checked_to >= horizon:
            break
        last = min(horizon, checked_to + STEP)
        for interval_s in _intervals(session, checked_to):
            for slot in intervals_ended(checked_to, last, interval_s):
                ended = slot + timedelta(seconds=interval_s)
                given = {
                    "ts": slot,
                    "interval_s": interval_s,
                    "now": clock.now(),
                    "recent": clock.now() - ended < WHY_WITHIN,
                }
                session.execute(_OPEN, given)
        checked_to = last
    session.execute(text("UPDATE metering.gap_mark SET checked_to = :at"), {"at": checked_to})
    session.execute(_CLOSE, {"since": clock.now() - CLOSE_BACK})
    return checked_to < horizon


def forget_gaps(session: Session, *, days: int) -> None:
    """Drop gaps nobody will fill any more."""
    session.execute(
        text("DELETE FROM metering.gap WHERE ts < :limit"),
        {"limit": clock.now() - timedelta(days=days)},
    )


def _intervals(session: Session, since: datetime) -> Sequence[int]:
    """Give the intervals anybody was to be asked at since an instant."""
    return session.scalars(
        select(AskedSpan.interval_s)
        .where(AskedSpan.until.is_(None) | (AskedSpan.until > since - timedelta(days=1)))
        .distinct()
    ).all()


def _checked_to(session: Session, horizon: datetime) -> datetime:
    known = session.execute(text("SELECT checked_to FROM metering.gap_mark FOR UPDATE")).scalar()
    if known is not None:
        at: datetime = known
        return at
    session.execute(
        text("INSERT INTO metering.gap_mark (id, since, checked_to) VALUES (1, :at, :at)"),
        {"at": horizon},
    )
    return horizon
