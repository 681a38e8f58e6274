"""Agents' seats: what an agent chooses, what the telephone makes of it."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from callcenter.calls.books import desk_rules
from callcenter.calls.models import Call, Seat, SeatHistory
from callcenter.calls.rules.merging import seat_for
from callcenter.calls.types import (
    CHOSEN_STATES,
    AgentBusy,
    AgentState,
    ExtensionTaken,
)
from foundation import clock
from foundation.actor import Actor
from foundation.audit import Act, record
from foundation.events import Signal
from foundation.outbox import signal
from foundation.staff.models import Person

AGENT_STATE = Act.of("agent.state", "from_state", "to_state")
AGENT_SEAT = Act.of("agent.seat", "extension")
_ON_THE_LINE = frozenset({AgentState.RINGING, AgentState.ON_CALL})


def choose_state(session: Session, actor: Actor, state: AgentState) -> None:
    """Choose whether one can be called; who is on the telephone cannot.

    Raises:
        AgentBusy: the telephone decides now, or nobody chooses such a state.
    """
    seat = _held(session, actor.id or 0)
    if seat.state in _ON_THE_LINE or state not in CHOSEN_STATES:
        raise AgentBusy(agent_state=seat.state)
    if seat.state is AgentState.WRAP_UP:
        seat.call_id = None
    set_state(session, actor, seat, state)


def sit_at(session: Session, actor: Actor, extension: str) -> None:
    """Sit down at an extension.

    Raises:
        ExtensionTaken: somebody else sits there.
    """
    wanted = extension.strip() or None
    holder = session.execute(
        select(Person.id, Person.name)
        .join(Seat, Seat.person_id == Person.id)
        .where(Seat.extension == wanted)
    ).first()
    if holder is not None and holder.id != actor.id:
        raise ExtensionTaken(extension=wanted, name=holder.name)
    seat = _held(session, actor.id or 0)
    seat.extension = wanted
    record(session, actor, AGENT_SEAT, subject=("agent", actor.staff_no), extension=wanted)
    signal(session, Signal("call", str(seat.person_id)), Signal("queue"))


def _held(session: Session, person_id: int) -> Seat:
    session.execute(
        insert(Seat)
        .values(person_id=person_id, state=AgentState.SIGNED_OUT, since=clock.now())
        .on_conflict_do_nothing()
    )
    return session.scalars(
        select(Seat)
        .where(Seat.person_id == person_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def set_state(
    session: Session, actor: Actor, seat: Seat, state: AgentState, *, until: datetime | None = None
) -> None:
    """Put a held seat into a state, with its history."""
    seat.until = until
    if seat.state is not state:
        record(
            session,
            actor,
            AGENT_STATE,
            subject=("agent", seat.person_id),
            from_state=seat.state,
            to_state=state,
        )
        session.add(
            SeatHistory(
                person_id=seat.person_id,
                at=clock.now(),
                from_state=seat.state,
                to_state=state,
                actor_name=actor.name,
            )
        )
        seat.state, seat.since = state, clock.now()
    session.flush()
    signal(session, Signal("call", str(seat.person_id)), Signal("queue"))


def follow_call(session: Session, actor: Actor, call: Call, *, before: int | None) -> None:
    """Let the seats of a call's agents follow it.

    Args:
        session: the caller's transaction.
        actor: the switch.
        call: held, as its events make it now.
        before: who was its agent until now.
    """
    if before is not None and before != call.agent_id:
        _leave(session, actor, before, call)
    if call.agent_id is None:
        return
    seat = _held(session, call.agent_id)
    if seat.call_id != call.id:
        busy = seat.state in _ON_THE_LINE
        if not call.state.is_live or busy:
            return  # a late event of an old call, or a second one that knocks
        seat.call_id = call.id
    target = seat_for(
        call.state, answered=call.answered_at is not None, finished=call.outcome is not None
    )
    if target is AgentState.READY:
        seat.call_id = None
    wraps = target is AgentState.WRAP_UP
    until = (seat.until or clock.now() + desk_rules().wrap_up) if wraps else None
    set_state(session, actor, seat, target, until=until)


def _leave(session: Session, actor: Actor, person_id: int, call: Call) -> None:
    """Let an agent go whose call was handed on: they wrap up what they have heard."""
    seat = _held(session, person_id)
    if seat.call_id != call.id:
        return
    if call.answered_at is not None:
        until = clock.now() + desk_rules().wrap_up
        set_state(session, actor, seat, AgentState.WRAP_UP, until=until)
    else:
        seat.call_id = None
        set_state(session, actor, seat, AgentState.READY)


def finish_wrap_up(session: Session, actor: Actor, call: Call) -> None:
    """Make the agents who wrap a call up ready again: it is finished."""
    for seat in session.scalars(
        select(Seat)
        .where(Seat.call_id == call.id, Seat.state == AgentState.WRAP_UP)
        .order_by(Seat.person_id)
        .with_for_update()
    ):
        seat.call_id = None
        set_state(session, actor, seat, AgentState.READY)


def end_wrap_ups(session: Session, actor: Actor) -> int:
    """Make agents ready whose wrap-up has lasted long enough; give how many."""
    over = session.scalars(
        select(Seat)
        .where(Seat.state == AgentState.WRAP_UP, Seat.until <= clock.now())
        .order_by(Seat.person_id)
        .with_for_update(skip_locked=True)
    ).all()
    for seat in over:  # a handful
        seat.call_id = None
        set_state(session, actor, seat, AgentState.READY)
    return len(over)
