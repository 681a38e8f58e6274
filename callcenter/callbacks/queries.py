"""Reads of call-backs."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter.callbacks.models import Callback, CallbackAttempt
from callcenter.callbacks.types import Attempt, CallbackCard, CallbackState
from callcenter.tickets.models import Ticket
from foundation import clock
from foundation.actor import Scope
from foundation.db import Query, rows_as
from foundation.errors import NotFound

CALLBACK_VIEWS = ("due", "later", "closed")


def _cards() -> Query:
    return select(
        Callback.id,
        Callback.ticket_id,
        Ticket.ticket_no,
        Ticket.title,
        Callback.point_id,
        Callback.name,
        Callback.phone,
        Callback.state,
        Callback.attempts,
        Callback.due_at,
        Callback.created_at,
        Callback.closed_at,
        Callback.closed_by,
        Callback.solved,
        Callback.satisfaction,
        Callback.note,
        Callback.round,
        Callback.version,
    ).join(Ticket, Ticket.id == Callback.ticket_id)


def callback_cards(
    session: Session,
    scope: Scope,
    *,
    view: str = "due",
    ticket_id: int | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> list[CallbackCard]:
    """List call-backs: due ones oldest first, later ones by time, closed ones newest first.

    Args:
        session: any.
        scope: departments the actor may see.
        view: one of CALLBACK_VIEWS, or "all".
        ticket_id: only this ticket's.
        before_id: page on below this row (closed ones).
        limit: at most so many.
    """
    statement = _cards()
    if scope.unit_ids is not None:
        statement = statement.where(Ticket.unit_id.in_(scope.unit_ids))
    if ticket_id is not None:
        statement = statement.where(Callback.ticket_id == ticket_id)
    if before_id is not None:
        statement = statement.where(Callback.id < before_id)
    waits, now = Callback.closed_at.is_(None), clock.now()
    match view:
        case "due":
            statement = statement.where(waits, Callback.due_at <= now)
            statement = statement.order_by(Callback.created_at, Callback.id)
        case "later":
            statement = statement.where(waits, Callback.due_at > now)
            statement = statement.order_by(Callback.due_at, Callback.id)
        case "closed":
            statement = statement.where(Callback.closed_at.is_not(None))
            statement = statement.order_by(Callback.id.desc())
        case _:
            statement = statement.order_by(Callback.id)
    return rows_as(CallbackCard, session, statement.limit(limit))


def callback_card(session: Session, callback_id: int) -> CallbackCard:
    """Give one call-back.

    Raises:
        NotFound: there is none.
    """
    found = rows_as(CallbackCard, session, _cards().where(Callback.id == callback_id))
    if not found:
        raise NotFound(what="callback", id=callback_id)
    return found[0]


def callback_attempts(session: Session, callback_id: int) -> list[Attempt]:
    """Give the attempts at a call-back, newest first."""
    statement = (
        select(CallbackAttempt.at, CallbackAttempt.by, CallbackAttempt.result, CallbackAttempt.note)
        .where(CallbackAttempt.callback_id == callback_id)
        .order_by(CallbackAttempt.id.desc())
        .limit(50)
    )
    return rows_as(Attempt, session, statement)


def callback_counts(session: Session, scope: Scope) -> dict[str, int]:
    """Count call-backs: due now, later, and today's satisfied and reopened ones."""
    waits, now = Callback.closed_at.is_(None), clock.now()
    today = Callback.closed_at >= clock.day_span(clock.business_date())[0]
    statement = (
        select(
            func.count().filter(waits & (Callback.due_at <= now)),
            func.count().filter(waits & (Callback.due_at > now)),
            func.count().filter(today & (Callback.state == CallbackState.SATISFIED)),
            func.count().filter(today & (Callback.state == CallbackState.REOPENED)),
        )
        .select_from(Callback)
        .join(Ticket, Ticket.id == Callback.ticket_id)
    )
    if scope.unit_ids is not None:
        statement = statement.where(Ticket.unit_id.in_(scope.unit_ids))
    names = ("due", "later", "satisfied", "reopened")
    return dict(zip(names, session.execute(statement).one(), strict=True))
