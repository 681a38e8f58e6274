"""Walks cases: starts them, moves them, keeps their history and their promises.

Every move is compare-and-set on the case's version: of two people, one wins and the
other is told who did.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation import clock
from foundation.actor import Actor
from foundation.db import rows_as
from foundation.errors import BadData, LostRace, NotAllowed, NotFound, Refused
from foundation.flow.definition import Flow, Flows, Move
from foundation.flow.limits import ClockState, Limit
from foundation.flow.models import FlowCase, FlowClock, FlowHistory
from foundation.worktime import WorkCalendar


class MoveRefused(Refused):
    """The case stands at a step that has no such move; facts: step, move."""

    code = "move_refused"


class CaseMoved(LostRace):
    """Somebody moved the case first; facts: by, at, move, subject."""

    code = "case_moved"


class NoteMissing(BadData):
    """This move needs a note that says why."""

    code = "note_missing"


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move did."""

    case_id: int
    subject: str
    from_step: str
    to_step: str
    status: str
    version: int
    effect: str | None
    ended: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Past:
    """One line of a case's history."""

    version: int
    move: str
    from_step: str | None
    to_step: str
    actor_name: str
    at: datetime
    done_at: datetime
    note: str
    form: Mapping[str, Any] = field(default_factory=dict)


def start(
    session: Session,
    actor: Actor,
    flow: Flow,
    *,
    subject: str,
    limits: Mapping[str, Limit],
    calendar: WorkCalendar,
) -> FlowCase:
    """Begin a case at the flow's first step, its first promises running.

    Args:
        session: the caller's transaction.
        actor: who begins it.
        flow: the current version.
        subject: the number people say.
        limits: what is promised for each promise the flow names; kept with the case.
        calendar: the office's working days.
    """
    at = clock.now()
    case = FlowCase(
        flow=flow.name,
        flow_version=flow.version,
        subject=subject,
        step=flow.start,
        status=flow.steps[flow.start].status,
        limits={name: limit.as_json() for name, limit in limits.items()},
        started_at=at,
        entered_at=at,
    )
    session.add(case)
    session.flush()
    _remember(session, case, "start", None, actor, done_at=at, note="", form={})
    _run_clocks(session, flow, case, at=at, calendar=calendar)
    return case


def move(
    session: Session,
    actor: Actor,
    flows: Flows,
    case_id: int,
    name: str,
    *,
    version: int | None,
    calendar: WorkCalendar,
    note: str = "",
    form: Mapping[str, Any] | None = None,
    done_at: datetime | None = None,
) -> Moved:
    """Move a case out of its step.

    Args:
        session: the caller's transaction.
        actor: who moves it; the system may make any move.
        flows: the room's flows.
        case_id: the case.
        name: the move as the flow calls it.
        version: the version the mover saw; None for the system.
        calendar: the office's working days.
        note: said with it.
        form: what was filled in.
        done_at: when it was done, if not now (a crew that was offline); never before the
            move before it, never after now.

    Raises:
        NotFound: no such case.
        CaseMoved: the version is no longer current.
        MoveRefused: the step has no such move.
        NotAllowed: the actor holds none of the move's roles.
        NoteMissing: the move needs a note.
    """
    case = session.get(FlowCase, case_id, with_for_update=True, populate_existing=True)
    if case is None:
        raise NotFound(what="case", id=case_id)
    flow = flows.version(case.flow, case.flow_version)
    if version is not None and case.version != version:
        raise _moved_by(session, case)
    chosen = _allowed(flow, case, name, actor, note)
    at, before = clock.now(), case.step
    done = _done_between(session, case, done_at, at)
    case.step, case.status = chosen.to, flow.steps[chosen.to].status
    case.version += 1
    case.entered_at = at
    case.ended_at = at if flow.is_end(chosen.to) else None
    _remember(session, case, name, before, actor, done_at=done, note=note, form=form or {})
    _run_clocks(session, flow, case, at=done, calendar=calendar)
    return Moved(
        case_id=case.id,
        subject=case.subject,
        from_step=before,
        to_step=chosen.to,
        status=case.status,
        version=case.version,
        effect=chosen.effect,
        ended=case.ended_at is not None,
        at=at,
    )


def _done_between(
    session: Session, case: FlowCase, done_at: datetime | None, now: datetime
) -> datetime:
    """Give when a move was done: as claimed, but in the order of the moves."""
    if done_at is None:
        return now
    last = session.scalar(
        select(FlowHistory.done_at)
        .where(FlowHistory.case_id == case.id)
        .order_by(FlowHistory.version.desc())
        .limit(1)
    )
    return min(max(done_at, last or done_at), now)


def _allowed(flow: Flow, case: FlowCase, name: str, actor: Actor, note: str) -> Move:
    chosen = flow.steps[case.step].moves.get(name)
    if chosen is None:
        raise MoveRefused(subject=case.subject, step=case.status, move=name)
    if not actor.is_system and not (actor.roles & set(chosen.roles)):
        raise NotAllowed(subject=case.subject, move=name, roles=sorted(chosen.roles))
    if chosen.note == "required" and not note.strip() and not actor.is_system:
        raise NoteMissing(move=name)
    return chosen


def _moved_by(session: Session, case: FlowCase) -> CaseMoved:
    last = history(session, case.id)[-1]
    return CaseMoved(
        subject=case.subject, by=last.actor_name, at=last.at, move=last.move, status=case.status
    )


def moves_open_to(flow: Flow, step: str, actor: Actor) -> dict[str, Move]:
    """Give the moves an actor may make from a step, in the order of the file."""
    return {
        name: way
        for name, way in flow.steps[step].moves.items()
        if not way.system and actor.roles & set(way.roles)
    }


def history(session: Session, case_id: int) -> list[Past]:
    """Give a case's moves, oldest first."""
    return rows_as(
        Past,
        session,
        select(
            FlowHistory.version,
            FlowHistory.move,
            FlowHistory.from_step,
            FlowHistory.to_step,
            FlowHistory.actor_name,
            FlowHistory.at,
            FlowHistory.done_at,
            FlowHistory.note,
            FlowHistory.form,
        )
        .where(FlowHistory.case_id == case_id)
        .order_by(FlowHistory.version),
    )


def clocks(session: Session, case_ids: Collection[int]) -> dict[int, list[ClockState]]:
    """Give the promises of several cases, earliest due first."""
    found: dict[int, list[ClockState]] = {case_id: [] for case_id in case_ids}
    rows = session.execute(
        select(
            FlowClock.case_id,
            FlowClock.name,
            FlowClock.started_at,
            FlowClock.due_at,
            FlowClock.met_at,
            FlowClock.paused_at,
        )
        .where(FlowClock.case_id.in_(case_ids))
        .order_by(FlowClock.case_id, FlowClock.due_at, FlowClock.id)
    )
    for row in rows:
        found[row[0]].append(ClockState(*row[1:]))
    return found


def note_late(session: Session, *, flows: Collection[str], limit: int = 500) -> list[str]:
    """Mark promises that are past due and were not told before; give their cases' numbers."""
    rows = session.execute(
        select(FlowClock, FlowCase.subject)
        .join(FlowCase, FlowCase.id == FlowClock.case_id)
        .where(
            FlowClock.met_at.is_(None),
            FlowClock.paused_at.is_(None),
            FlowClock.late_noted_at.is_(None),
            FlowClock.due_at < clock.now(),
            FlowCase.flow.in_(flows),
        )
        .order_by(FlowClock.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True, of=FlowClock)
    ).all()
    for row, _ in rows:
        row.late_noted_at = clock.now()
    return [subject for _, subject in rows]


def _remember(
    session: Session,
    case: FlowCase,
    name: str,
    before: str | None,
    actor: Actor,
    *,
    done_at: datetime,
    note: str,
    form: Mapping[str, Any],
) -> None:
    session.add(
        FlowHistory(
            case_id=case.id,
            version=case.version or 1,
            move=name,
            from_step=before,
            to_step=case.step,
            actor_id=actor.id,
            actor_name=actor.name,
            at=clock.now(),
            done_at=done_at,
            note=note.strip(),
            form=dict(form),
        )
    )
    session.flush()


def _run_clocks(
    session: Session, flow: Flow, case: FlowCase, *, at: datetime, calendar: WorkCalendar
) -> None:
    """Meet, pause, resume and start the promises that the case's new step asks for."""
    running = session.scalars(
        select(FlowClock).where(FlowClock.case_id == case.id, FlowClock.met_at.is_(None))
    ).all()
    ended = flow.is_end(case.step)
    pauses = flow.steps[case.step].pauses
    for row in running:
        if ended or case.step in flow.promises[row.name].ends_at:
            row.met_at = at
        elif pauses and row.paused_at is None:
            row.paused_at = at
        elif not pauses and row.paused_at is not None:
            row.due_at += at - row.paused_at
            row.started_at += at - row.paused_at
            row.paused_at = None
    known = {row.name for row in running}
    for name, promise in flow.promises.items():
        limit = case.limits.get(name)
        if promise.starts_at != case.step or name in known or limit is None:
            continue
        due = Limit(**limit).due(at, calendar)
        session.add(FlowClock(case_id=case.id, name=name, started_at=at, due_at=due))
    session.flush()
