"""Calling back: attempts, the answer, and what it does to the ticket."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from callcenter.callbacks.books import callback_rules
from callcenter.callbacks.models import Callback, CallbackAttempt
from callcenter.callbacks.rules import next_attempt_at, reopens
from callcenter.callbacks.types import (
    Answer,
    AttemptResult,
    CallbackChanged,
    CallbackState,
    QuietHours,
    ReasonNeeded,
)
from callcenter.messages.actions import withdraw
from callcenter.tickets.actions.moving import move_ticket
from callcenter.tickets.models import Ticket
from callcenter.tickets.queries import ticket_card
from foundation import clock
from foundation.actor import Actor
from foundation.audit import Act, record
from foundation.errors import NotFound
from foundation.events import Signal
from foundation.outbox import signal
from foundation.worktime import quiet_until

CALLED_BACK = Act.of("callback.attempted", "ticket_no", "result", "attempts")
CALLBACK_CLOSED = Act.of("callback.closed", "ticket_no", "state", "solved", "satisfaction")


def note_attempt(
    session: Session,
    actor: Actor,
    callback_id: int,
    *,
    version: int,
    result: AttemptResult,
    note: str = "",
    agreed: bool = False,
) -> bool:
    """Note an attempt that did not reach the customer; after the last one the list gives up.

    Args:
        session: the caller's transaction.
        actor: who called.
        callback_id: the call-back.
        version: as seen.
        result: what became of it; not REACHED.
        note: said with it.
        agreed: the customer asked to be called at this hour.

    Returns:
        Whether this customer is called no more.

    Raises:
        QuietHours: customers are not called now.
        CallbackChanged: somebody else called first.
    """
    row, ticket_no = _held(session, callback_id, version=version)
    _refuse_quiet(agreed=agreed)
    _attempted(session, actor, row, ticket_no, result, note)
    rule = callback_rules()
    gives_up = row.attempts >= rule.attempts or result is AttemptResult.WRONG_NUMBER
    if gives_up:
        _close(session, actor, row, ticket_no, CallbackState.GIVEN_UP, note=note)
        _end_ticket(session, actor, row, ticket_no)
    else:
        row.due_at = next_attempt_at(clock.now(), rule=rule, zone=clock.office_zone())
    _tell(session, ticket_no)
    return gives_up


def take_answer(
    session: Session,
    actor: Actor,
    callback_id: int,
    answer: Answer,
    *,
    version: int,
    agreed: bool = False,
) -> bool:
    """Write down what the customer said; give whether the ticket begins a new round.

    Raises:
        ReasonNeeded: it reopens and nothing says why.
        QuietHours, CallbackChanged.
    """
    row, ticket_no = _held(session, callback_id, version=version)
    _refuse_quiet(agreed=agreed)
    again = reopens(answer, callback_rules())
    if again and not answer.note.strip():
        raise ReasonNeeded(field="note")
    _attempted(session, actor, row, ticket_no, AttemptResult.REACHED, answer.note)
    row.solved, row.satisfaction = answer.solved, answer.satisfaction
    state = CallbackState.REOPENED if again else CallbackState.SATISFIED
    _close(session, actor, row, ticket_no, state, note=answer.note)
    if again:
        _begin_again(session, actor, row, ticket_no, answer.note)
    else:
        _end_ticket(session, actor, row, ticket_no)
    _tell(session, ticket_no)
    return again


def _held(session: Session, callback_id: int, *, version: int) -> tuple[Callback, str]:
    """Give a waiting call-back and its ticket's number, the ticket held before the call-back."""
    found = session.execute(
        select(Ticket.ticket_no)
        .join(Callback, Callback.ticket_id == Ticket.id)
        .where(Callback.id == callback_id)
        .with_for_update(of=Ticket)
    ).first()
    row = session.get(Callback, callback_id, with_for_update=True, populate_existing=True)
    if found is None or row is None:
        raise NotFound(what="callback", id=callback_id)
    if row.version != version or row.closed_at is not None:
        last = session.execute(
            select(CallbackAttempt.by, CallbackAttempt.at, CallbackAttempt.result)
            .where(CallbackAttempt.callback_id == row.id)
            .order_by(CallbackAttempt.id.desc())
            .limit(1)
        ).first()
        by, at = (last[0], last[1]) if last else (row.closed_by or "", row.closed_at)
        raise CallbackChanged(by=by, at=at, callback_state=row.state)
    return row, found[0]


def _refuse_quiet(*, agreed: bool) -> None:
    until = quiet_until(clock.now(), callback_rules().quiet, clock.office_zone())
    if until is not None and not agreed:
        raise QuietHours(until=until)


def _attempted(
    session: Session,
    actor: Actor,
    row: Callback,
    ticket_no: str,
    result: AttemptResult,
    note: str,
) -> None:
    row.attempts += 1
    row.version += 1
    session.add(
        CallbackAttempt(
            callback_id=row.id, at=clock.now(), by=actor.name, result=result, note=note.strip()
        )
    )
    record(
        session,
        actor,
        CALLED_BACK,
        subject=("callback", row.id),
        ticket_no=ticket_no,
        result=result,
        attempts=row.attempts,
    )
    session.flush()


def _close(
    session: Session,
    actor: Actor,
    row: Callback,
    ticket_no: str,
    state: CallbackState,
    *,
    note: str,
) -> None:
    row.state, row.note = state, note.strip()
    row.closed_at, row.closed_by = clock.now(), actor.name
    record(
        session,
        actor,
        CALLBACK_CLOSED,
        subject=("callback", row.id),
        ticket_no=ticket_no,
        state=state,
        solved=row.solved,
        satisfaction=row.satisfaction,
    )
    session.flush()


def _begin_again(
    session: Session, actor: Actor, row: Callback, ticket_no: str, reason: str
) -> None:
    """Reopen the ticket; whoever else was to be called about this round is asked after the next."""
    withdraw(session, "power_restored", ("ticket", ticket_no))
    session.execute(
        update(Callback)
        .where(Callback.ticket_id == row.ticket_id, Callback.closed_at.is_(None))
        .values(
            state=CallbackState.DROPPED,
            closed_at=clock.now(),
            closed_by=actor.name,
            version=Callback.version + 1,
        )
    )
    version = ticket_card(session, ticket_no).version
    move_ticket(session, actor, ticket_no, "reopen", version=version, note=reason, follows=True)


def _end_ticket(session: Session, actor: Actor, row: Callback, ticket_no: str) -> None:
    """Archive the ticket when nobody is left to be called."""
    states = session.execute(
        select(Callback.state).where(
            Callback.ticket_id == row.ticket_id, Callback.round == row.round
        )
    ).scalars()
    left = set(states)
    if CallbackState.WAITING in left:
        return
    heard = CallbackState.SATISFIED in left
    version = ticket_card(session, ticket_no).version
    move = "satisfied" if heard else "given_up"
    note = "" if heard else (row.note or row.state.value)
    move_ticket(session, actor, ticket_no, move, version=version, note=note, follows=True)


def _tell(session: Session, ticket_no: str) -> None:
    signal(session, Signal("callbacks"), Signal("ticket", ticket_no))
