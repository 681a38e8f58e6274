"""Who has taken a step, and whether its case waits for somebody outside."""

from collections.abc import Collection

from sqlalchemy.orm import Session

from foundation import clock
from foundation.actor import Actor, Role
from foundation.errors import BadData, NotAllowed, Refused
from foundation.flow.clocks import pause_clocks, resume_clocks
from foundation.flow.definition import Flow, Flows
from foundation.flow.engine import CaseHeld, locked, moves_open_to, remember
from foundation.flow.models import FlowCase
from foundation.worktime import WorkCalendar


class PauseReasonUnknown(BadData):
    """A case may only wait for one of the reasons its flow lists."""

    code = "pause_reason_unknown"


class PauseRefused(Refused):
    """The case waits already, does not wait, or has ended."""

    code = "pause_refused"


def claim(
    session: Session,
    actor: Actor,
    flows: Flows,
    case_id: int,
    *,
    version: int | None,
    unit_id: int | None = None,
) -> int:
    """Take a step into one's own hands; give the case's new version.

    Raises:
        NotFound, CaseMoved: as for a move.
        CaseHeld: somebody else has it.
        NotAllowed: the actor could make no move from here.
    """
    case = locked(session, case_id, version)
    flow = flows.version(case.flow, case.flow_version)
    if not _own_moves(flow, case.step, actor, unit_id):
        raise NotAllowed(subject=case.subject, move="claim", desk=flow.steps[case.step].desk)
    if case.holder_id not in {None, actor.id}:
        raise CaseHeld(subject=case.subject, by=case.holder_name, at=case.held_at)
    if case.holder_id is None:
        case.holder_id, case.holder_name = actor.id, actor.name
        case.held_at = clock.now()
        _note(session, actor, case, "claim")
    return case.version


def give_back(session: Session, actor: Actor, case_id: int, *, version: int | None) -> int:
    """Put a step back for the others; its holder may, and a supervisor.

    Raises:
        NotFound, CaseMoved: as for a move.
        CaseHeld: somebody else has it.
    """
    case = locked(session, case_id, version)
    if case.holder_id is None:
        return case.version
    if case.holder_id != actor.id and Role.SUPERVISOR not in actor.roles:
        raise CaseHeld(subject=case.subject, by=case.holder_name, at=case.held_at)
    case.holder_id = case.holder_name = case.held_at = None
    _note(session, actor, case, "give_back")
    return case.version


def pause(
    session: Session,
    actor: Actor,
    flows: Flows,
    case_id: int,
    reason: str,
    *,
    version: int | None,
    unit_id: int | None = None,
    note: str = "",
) -> int:
    """Let a case wait for somebody outside: its clocks stand still; give its new version.

    Raises:
        NotFound, CaseMoved, CaseHeld: as for a move.
        PauseReasonUnknown: the flow does not list the reason.
        PauseRefused: it waits already, or has ended.
        NotAllowed: the actor may not let cases of this flow wait.
    """
    case = locked(session, case_id, version)
    flow = flows.version(case.flow, case.flow_version)
    if reason not in flow.pause_reasons:
        raise PauseReasonUnknown(reason=reason, known=flow.pause_reasons)
    _may_pause(flow, case, actor, unit_id)
    if case.paused_at is not None or case.ended_at is not None:
        raise PauseRefused(subject=case.subject)
    case.paused_at, case.pause_reason = clock.now(), reason
    pause_clocks(session, case, at=case.paused_at)
    _note(session, actor, case, "pause", note=note, form={"reason": reason})
    return case.version


def resume(
    session: Session,
    actor: Actor,
    flows: Flows,
    case_id: int,
    *,
    version: int | None,
    calendar: WorkCalendar,
    unit_id: int | None = None,
    note: str = "",
) -> int:
    """Let a waiting case go on; give its new version.

    Raises:
        NotFound, CaseMoved, NotAllowed: as for a pause.
        PauseRefused: it does not wait.
    """
    case = locked(session, case_id, version)
    flow = flows.version(case.flow, case.flow_version)
    _may_pause(flow, case, actor, unit_id)
    if case.paused_at is None:
        raise PauseRefused(subject=case.subject)
    resume_clocks(session, case, at=clock.now(), calendar=calendar)
    case.paused_at = case.pause_reason = None
    _note(session, actor, case, "resume", note=note)
    return case.version


def may_pause_at(
    flow: Flow, step: str, actor: Actor, *, unit_id: int | None = None, ended: bool = False
) -> bool:
    """Whether an actor may let a case that stands at a step wait, or go on."""
    if ended:
        return False
    if actor.is_system or (Role.SUPERVISOR in actor.roles and Role.SUPERVISOR in flow.pause_roles):
        return True
    is_theirs = bool(_own_moves(flow, step, actor, unit_id))
    return is_theirs and bool(actor.roles & set(flow.pause_roles))


def _may_pause(flow: Flow, case: FlowCase, actor: Actor, unit_id: int | None) -> None:
    if not may_pause_at(flow, case.step, actor, unit_id=unit_id):
        raise NotAllowed(subject=case.subject, move="pause", desk=flow.steps[case.step].desk)
    if case.holder_id not in {None, actor.id} and Role.SUPERVISOR not in actor.roles:
        raise CaseHeld(subject=case.subject, by=case.holder_name, at=case.held_at)


def _own_moves(flow: Flow, step: str, actor: Actor, unit_id: int | None) -> Collection[str]:
    """Give the moves of the step's own desk that the actor may make."""
    moves = moves_open_to(flow, step, actor, unit_id=unit_id)
    return [name for name, move in moves.items() if move.desk is None]


def _note(
    session: Session,
    actor: Actor,
    case: FlowCase,
    name: str,
    *,
    note: str = "",
    form: dict[str, str] | None = None,
) -> None:
    case.version += 1
    remember(session, actor, case, name, case.step, note=note, form=form)
