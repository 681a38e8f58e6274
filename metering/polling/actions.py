"""Writing down a parcel of outcomes once: readings, events, silence, progress; one transaction."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from foundation import clock
from foundation.actor import Actor
from foundation.events import Signal
from foundation.outbox import publish, signal
from metering.polling.leasing import advance
from metering.polling.parcel import Parcel
from metering.polling.rules import SILENT_AFTER
from metering.polling.types import (
    Back,
    Failure,
    MissedSlots,
    TerminalsBack,
    TerminalsSilent,
)
from metering.readings.actions import ensure_days, store_packed
from metering.readings.events import note_events

_FIRST_TIME = text(
    "INSERT INTO metering.poll_parcel AS p (worker, number, stored_at)"
    " VALUES (:worker, :number, :now) ON CONFLICT (worker) DO UPDATE"
    " SET number = excluded.number, stored_at = excluded.stored_at"
    " WHERE p.number < excluded.number RETURNING number"
)
_BACK = text(
    "UPDATE metering.terminal t SET failed_rounds = 0, last_error = NULL, silent_since = NULL"
    " FROM (SELECT unnest(CAST(:ids AS bigint[])) AS id) d, metering.terminal old"
    " WHERE t.id = d.id AND old.id = d.id AND old.failed_rounds > 0"
    " RETURNING t.id, t.terminal_no, old.silent_since"
)
_FAILED = text(
    "UPDATE metering.terminal t SET failed_rounds = d.failed, last_error = d.error,"
    " silent_since = CASE WHEN d.failed >= :after THEN coalesce(t.silent_since, d.at) END"
    " FROM (SELECT unnest(CAST(:ids AS bigint[])) AS id,"
    " unnest(CAST(:ats AS timestamptz[])) AS at,"
    " unnest(CAST(:counts AS int[])) AS failed,"
    " unnest(CAST(:errors AS text[])) AS error) d,"
    " metering.terminal old"
    " WHERE t.id = d.id AND old.id = d.id AND t.in_service"
    " RETURNING t.id, t.terminal_no, old.silent_since, t.silent_since, t.last_error"
)
_POINTS = text(
    "SELECT terminal_id, point_id FROM metering.meter"
    " WHERE terminal_id = ANY(:ids) AND removed_at IS NULL"
)
_MISSED = text(
    "INSERT INTO metering.poll_missed AS m (day, address, why, slots, last_at)"
    " SELECT (d.at AT TIME ZONE 'UTC')::date, d.address, d.why, sum(d.slots), max(d.at)"
    " FROM (SELECT unnest(CAST(:addresses AS text[])) AS address,"
    " unnest(CAST(:whys AS text[])) AS why, unnest(CAST(:ats AS timestamptz[])) AS at,"
    " unnest(CAST(:slots AS int[])) AS slots) d GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    " ON CONFLICT (day, address, why) DO UPDATE SET slots = m.slots + excluded.slots,"
    " last_at = greatest(m.last_at, excluded.last_at)"
)


def record_parcel(session: Session, actor: Actor, worker: UUID, parcel: Parcel) -> int:
    """Store a parcel, unless it was stored before; give how many readings were new.

    Readings are kept whoever owns their connection by now: they were taken while the lease
    was good, and the better of two for one interval wins. What a round says of a terminal,
    and how far a shard has come, is written only under the epoch it was read in.

    Args:
        session: the parcel's transaction.
        actor: the poller.
        worker: the process that made it, which may have ended since.
        parcel: readings, failures, events and progress.
    """
    numbered = {"worker": worker, "number": parcel.number, "now": clock.now()}
    if session.execute(_FIRST_TIME, numbered).first() is None:
        return 0
    fresh = 0
    if parcel.rows and parcel.oldest is not None:
        for day in parcel.days:
            ensure_days(session, day, day)
        fresh = store_packed(session, parcel.rows, oldest=parcel.oldest)
    if parcel.events:
        note_events(session, parcel.events)
    if parcel.missed:
        _note_missed(session, parcel.missed)
    mine = advance(session, worker, parcel.site, parcel.progress)
    back = [one for one in parcel.back if one.shard in mine]
    failures = [one for one in parcel.failures if one.shard in mine]
    if back:
        _note_back(session, actor, back)
    if failures:
        _note_failed(session, actor, failures)
    signal(session, Signal("readings"))
    return fresh


def forget_parcels(session: Session, *, before: datetime) -> None:
    """Drop what is known of polling processes that ended long ago."""
    ended = {"before": before}
    session.execute(text("DELETE FROM metering.poll_worker WHERE beat_at < :before"), ended)
    session.execute(
        text(
            "DELETE FROM metering.poll_parcel p WHERE stored_at < :before AND NOT EXISTS"
            " (SELECT 1 FROM metering.poll_worker w WHERE w.id = p.worker)"
        ),
        ended,
    )
    session.execute(
        text("DELETE FROM metering.poll_missed WHERE day < CAST(:before AS date)"), ended
    )


def _note_missed(session: Session, missed: Sequence[MissedSlots]) -> None:
    session.execute(
        _MISSED,
        {
            "addresses": [one.address for one in missed],
            "whys": [one.why for one in missed],
            "ats": [one.at for one in missed],
            "slots": [one.slots for one in missed],
        },
    )


def _note_back(session: Session, actor: Actor, back: Sequence[Back]) -> None:
    rows = session.execute(_BACK, {"ids": sorted({one.terminal_id for one in back})}).all()
    silent = [(row[0], row[1], row[2], "") for row in rows if row[2] is not None]
    if silent:
        publish(session, actor, TerminalsBack(_entries(session, silent)))


def _note_failed(session: Session, actor: Actor, failures: Sequence[Failure]) -> None:
    newest = {one.terminal_id: one for one in sorted(failures, key=lambda one: one.at)}
    rows = session.execute(
        _FAILED,
        {
            "ids": [one.terminal_id for one in newest.values()],
            "ats": [one.at for one in newest.values()],
            "counts": [one.failed for one in newest.values()],
            "errors": [one.error for one in newest.values()],
            "after": SILENT_AFTER,
        },
    ).all()
    fresh = [
        (row[0], row[1], row[3], row[4]) for row in rows if row[2] is None and row[3] is not None
    ]
    if fresh:
        publish(session, actor, TerminalsSilent(_entries(session, fresh)))


def _entries(
    session: Session, rows: Sequence[tuple[int, str, datetime, str]]
) -> tuple[dict[str, object], ...]:
    points: Mapping[int, int] = dict(session.execute(_POINTS, {"ids": _ids(rows)}).all())
    return tuple(
        {
            "terminal_id": terminal_id,
            "terminal_no": terminal_no,
            "point_id": points.get(terminal_id),
            "since": since.isoformat(),
            "error": error,
        }
        for terminal_id, terminal_no, since, error in rows
    )


def _ids(rows: Collection[tuple[int, str, datetime, str]]) -> list[int]:
    return [row[0] for row in rows]
