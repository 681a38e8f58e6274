"""Writing down a flush of outcomes: readings, terminals' state, silence; one transaction."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from foundation.actor import Actor
from foundation.events import Signal
from foundation.outbox import publish, signal
from metering.polling.rules import SILENT_AFTER
from metering.polling.types import Outcome, TerminalsBack, TerminalsSilent
from metering.readings.actions import store

_ANSWERED = text(
    "UPDATE metering.terminal t SET last_ok_at = d.at, failed_rounds = 0, last_error = NULL,"
    " silent_since = NULL"
    " FROM (SELECT unnest(CAST(:ids AS bigint[])) AS id,"
    " unnest(CAST(:ats AS timestamptz[])) AS at) d,"
    " metering.terminal old"
    " WHERE t.id = d.id AND old.id = d.id"
    " RETURNING t.id, t.terminal_no, old.silent_since"
)
_FAILED = text(
    "UPDATE metering.terminal t SET failed_rounds = t.failed_rounds + 1, last_error = d.error,"
    " silent_since = CASE WHEN t.failed_rounds + 1 >= :after"
    " THEN coalesce(t.silent_since, d.at) END"
    " FROM (SELECT unnest(CAST(:ids AS bigint[])) AS id,"
    " unnest(CAST(:ats AS timestamptz[])) AS at,"
    " unnest(CAST(:errors AS text[])) AS error) d,"
    " metering.terminal old"
    " WHERE t.id = d.id AND old.id = d.id"
    " RETURNING t.id, t.terminal_no, old.silent_since, t.silent_since, t.last_error"
)
_POINTS = text(
    "SELECT terminal_id, point_id FROM metering.meter"
    " WHERE terminal_id = ANY(:ids) AND removed_at IS NULL"
)


def record_outcomes(session: Session, actor: Actor, outcomes: Sequence[Outcome]) -> int:
    """Store a flush; give how many readings were new.

    Args:
        session: the flush's transaction.
        actor: the poller.
        outcomes: at most one per terminal and slot; the newest of a terminal wins.
    """
    fresh = store(session, [one.reading for one in outcomes if one.reading is not None])
    newest = {one.terminal_id: one for one in sorted(outcomes, key=lambda one: one.slot)}
    answered = [one for one in newest.values() if one.reading is not None]
    failed = [one for one in newest.values() if one.reading is None]
    if answered:
        _note_answered(session, actor, answered)
    if failed:
        _note_failed(session, actor, failed)
    signal(session, Signal("readings"))
    return fresh


def _note_answered(session: Session, actor: Actor, outcomes: Sequence[Outcome]) -> None:
    rows = session.execute(
        _ANSWERED,
        {"ids": [one.terminal_id for one in outcomes], "ats": [one.at for one in outcomes]},
    ).all()
    back = [(row[0], row[1], row[2], "") for row in rows if row[2] is not None]
    if back:
        publish(session, actor, TerminalsBack(_entries(session, back)))


def _note_failed(session: Session, actor: Actor, outcomes: Sequence[Outcome]) -> None:
    rows = session.execute(
        _FAILED,
        {
            "ids": [one.terminal_id for one in outcomes],
            "ats": [one.at for one in outcomes],
            "errors": [one.error or "" for one in outcomes],
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
    points: dict[int, int] = dict(session.execute(_POINTS, {"ids": [row[0] for row in rows]}).all())
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
