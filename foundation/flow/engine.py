"""Walks cases: starts them, moves them, keeps their history and their promises.

Every move is compare-and-set on the case's version: of two people, one wins and the
other is told who did.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation import clock
from foundation.actor import Actor, Role
from foundation.db import rows_as
from foundation.errors import BadData, LostRace, NotAllowed, NotFound, Refused
from foundation.flow.clocks import run_clocks, step_limits
from foundation.flow.definition import Flow, Flows, Move, may_make
from foundation.flow.limits import Limit
from foundation.flow.models import FlowCase, FlowHistory
from foundation.worktime import WorkCalendar


class MoveRefused(Refused):
    """The case stands at a step that has no such move; facts: step, move."""

    code = "move_refused"


class CaseMoved(LostRace):
    """Somebody moved the case first; facts: by, at, move, subject."""

    code = "case_moved"


class CaseHeld(LostRace):
    """Somebody else has taken the step; facts: by, at, subject."""

    code = "case_held"


class CasePaused(Refused):
    """The case waits and must be resumed first; facts: subject, reason."""

    code = "case_paused"


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
    """Begin a case at the flow's first step, its first clocks running.

    Args:
        session: the caller's transaction.
        actor: who begins it.
        flow: the current version.
        subject: the number people say.
        limits: what is promised for each promise the flow names; kept with the case,
            beside the steps' own limits.
        calendar: the office's working days.
    """
    at = clock.now()
    kept = step_limits(flow) | dict(limits)
    case = FlowCase(
        flow=flow.name,
        flow_version=flow.version,
        subject=subject,
        step=flow.start,
        status=flow.steps[flow.start].status,
        limits={name: limit.as_json() for name, limit in kept.items()},
        started_at=at,
        entered_at=at,
    )
    session.add(case)
    session.flush()
    remember(session, actor, case, "start", None)
    run_clocks(session, flow, case, at=at, calendar=calendar)
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
    to: str = "",
    unit_id: int | None = None,
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
        to: for a return, the earlier step it goes back to.
        unit_id: department that answers for the case's place.
        note: said with it.
        form: what was filled in.
        done_at: when it was done, if not now (a crew that was offline); never before the
            move before it, never after now.

    Raises:
        NotFound: no such case.
        CaseMoved: the version is no longer current.
        CaseHeld: somebody else has taken the step.
        CasePaused: it waits; resume it first.
        MoveRefused: the step has no such move, or it does not lead there.
        NotAllowed: the actor holds none of the move's roles, or sits at another desk.
        NoteMissing: the move needs a note.
    """
    case = locked(session, case_id, version)
    flow = flows.version(case.flow, case.flow_version)
    chosen = allowed(flow, case, name, actor, unit_id)
    target = _target(flow, case, name, to)
    _refuse_held(flow, case, chosen, target, actor)
    if (chosen.note == "required" or chosen.back_to) and not note.strip() and not actor.is_system:
        raise NoteMissing(move=name)
    at, before = clock.now(), case.step
    done = _done_between(session, case, done_at, at)
    _put(case, flow, target, at=at)
    case.returned_from = before if chosen.back_to else None
    remember(session, actor, case, name, before, done_at=done, note=note, form=form or {})
    run_clocks(session, flow, case, at=done, calendar=calendar)
    return Moved(
        case_id=case.id,
        subject=case.subject,
        from_step=before,
        to_step=target,
        status=case.status,
        version=case.version,
        effect=chosen.effect,
        ended=case.ended_at is not None,
        at=at,
    )


def locked(session: Session, case_id: int, version: int | None) -> FlowCase:
    """Take a case for a change.

    Raises:
        NotFound: no such case.
        CaseMoved: the version is no longer current.
    """
    case = session.get(FlowCase, case_id, with_for_update=True, populate_existing=True)
    if case is None:
        raise NotFound(what="case", id=case_id)
    if version is not None and case.version != version:
        last = history(session, case.id)[-1]
        raise CaseMoved(
            subject=case.subject, by=last.actor_name, at=last.at, move=last.move, status=case.status
        )
    return case


def _put(case: FlowCase, flow: Flow, target: str, *, at: datetime) -> None:
    case.step, case.status = target, flow.steps[target].status
    case.version += 1
    case.entered_at = at
    case.ended_at = at if flow.is_end(target) else None
    case.holder_id = case.holder_name = case.held_at = None
    case.paused_at = case.pause_reason = None


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


def allowed(flow: Flow, case: FlowCase, name: str, actor: Actor, unit_id: int | None) -> Move:
    """Give a move out of a case's step, if there is one and the actor may make it.

    Raises:
        MoveRefused: the step has no such move.
        NotAllowed: the actor holds none of the move's roles, or sits at another desk.
    """
    step = flow.steps[case.step]
    chosen = step.moves.get(name)
    if chosen is None:
        raise MoveRefused(subject=case.subject, step=case.status, move=name)
    if not may_make(step, chosen, actor, unit_id=unit_id):
        desk = chosen.desk or step.desk
        raise NotAllowed(subject=case.subject, move=name, roles=sorted(chosen.roles), desk=desk)
    return chosen


def _target(flow: Flow, case: FlowCase, name: str, to: str) -> str:
    targets = flow.targets(case.step, name)
    if to and to not in targets:
        raise MoveRefused(subject=case.subject, step=case.status, move=name)
    return to or targets[0]


def _refuse_held(flow: Flow, case: FlowCase, chosen: Move, target: str, actor: Actor) -> None:
    """Leave alone what somebody else has taken, or what waits; a case may always be ended."""
    if actor.is_system or flow.is_end(target):
        return
    if case.paused_at is not None:
        raise CasePaused(subject=case.subject, reason=case.pause_reason)
    taken = case.holder_id not in {None, actor.id}
    if taken and not (Role.SUPERVISOR in actor.roles and Role.SUPERVISOR in chosen.roles):
        raise CaseHeld(subject=case.subject, by=case.holder_name, at=case.held_at)


def moves_open_to(
    flow: Flow, step: str, actor: Actor, *, unit_id: int | None = None
) -> dict[str, Move]:
    """Give the moves an actor may make from a step, in the order of the file."""
    here = flow.steps[step]
    return {
        name: way
        for name, way in here.moves.items()
        if not actor.is_system and may_make(here, way, actor, unit_id=unit_id)
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


def remember(
    session: Session,
    actor: Actor,
    case: FlowCase,
    name: str,
    before: str | None,
    *,
    done_at: datetime | None = None,
    note: str = "",
    form: Mapping[str, Any] | None = None,
) -> None:
    """Add a line to a case's history; its version is the case's own after the change."""
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
            done_at=done_at or clock.now(),
            note=note.strip(),
            form=dict(form or {}),
        )
    )
    session.flush()
