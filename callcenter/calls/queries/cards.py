"""Reads of calls and seats."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter.calls.books import desk_rules
from callcenter.calls.models import Call, Seat
from callcenter.calls.types import AgentState, CallCard, CallState, SeatCard
from foundation import clock
from foundation.db import Query, rows_as
from foundation.errors import NotFound
from foundation.staff.models import Person

CALL_VIEWS = ("today", "waiting", "unfinished", "all")


def _cards() -> Query:
    return select(
        Call.id,
        Call.switch_call_id,
        Call.state,
        Call.reason,
        Call.caller,
        Call.extension,
        Call.agent_id,
        Person.name,
        Call.point_id,
        Call.started_at,
        Call.rang_at,
        Call.answered_at,
        Call.held_since,
        Call.ended_at,
        Call.outcome,
        Call.outcome_at,
        Call.outcome_by,
        Call.ticket_no,
        Call.outage_id,
        Call.note,
        Call.version,
    ).outerjoin(Person, Person.id == Call.agent_id)


def call_card(session: Session, call_id: int) -> CallCard:
    """Give one call.

    Raises:
        NotFound: there is none.
    """
    found = rows_as(CallCard, session, _cards().where(Call.id == call_id))
    if not found:
        raise NotFound(what="call", id=call_id)
    return found[0]


def call_cards(
    session: Session,
    *,
    view: str = "today",
    agent_id: int | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> list[CallCard]:
    """List calls newest first; waiting ones oldest first.

    Args:
        session: any.
        view: one of CALL_VIEWS.
        agent_id: only this agent's.
        before_id: page on below this row.
        limit: at most so many.
    """
    statement = _cards()
    if agent_id is not None:
        statement = statement.where(Call.agent_id == agent_id)
    if before_id is not None:
        statement = statement.where(Call.id < before_id)
    match view:
        case "waiting":
            waiting = Call.state.in_((CallState.QUEUED, CallState.RINGING))
            return rows_as(CallCard, session, statement.where(waiting).order_by(Call.id))
        case "unfinished":
            since = clock.now() - timedelta(hours=desk_rules().unfinished_hours)
            over = (Call.state == CallState.ENDED) & Call.outcome.is_(None)
            statement = statement.where(over, Call.started_at >= since)
        case "today":
            today = clock.day_span(clock.business_date())[0]
            statement = statement.where(Call.started_at >= today)
    return rows_as(CallCard, session, statement.order_by(Call.id.desc()).limit(limit))


@dataclass(frozen=True, slots=True)
class Queue:
    """How many wait, and how long the first has."""

    waiting: int
    longest: timedelta | None
    answered: int
    offered: int


def call_queue(session: Session) -> Queue:
    """Give the queue as it is, and how many of today's calls were answered."""
    today = clock.day_span(clock.business_date())[0]
    queued = Call.state == CallState.QUEUED
    row = session.execute(
        select(
            func.count().filter(queued),
            func.min(Call.started_at).filter(queued),
            func.count().filter(Call.answered_at.is_not(None), Call.started_at >= today),
            func.count().filter(Call.ended_at.is_not(None), Call.started_at >= today),
        ).where((Call.started_at >= today) | queued)
    ).one()
    return Queue(row[0], clock.now() - row[1] if row[1] else None, row[2], row[3])


def _seats() -> Query:
    return select(
        Seat.person_id,
        Person.name,
        Seat.extension,
        Seat.state,
        Seat.since,
        Seat.until,
        Seat.call_id,
    ).join(Person, Person.id == Seat.person_id)


def seats(session: Session) -> list[SeatCard]:
    """List the seats by extension."""
    return rows_as(SeatCard, session, _seats().order_by(Seat.extension, Seat.person_id))


def seat_of(session: Session, person_id: int | None) -> SeatCard | None:
    """Give a person's seat; None for who never sat at one."""
    found = rows_as(SeatCard, session, _seats().where(Seat.person_id == person_id))
    return found[0] if found else None


def ready_extension(session: Session) -> str | None:
    """Give the extension of the agent who has been ready longest."""
    return session.scalar(
        select(Seat.extension)
        .where(Seat.state == AgentState.READY, Seat.extension.is_not(None))
        .order_by(Seat.since, Seat.person_id)
        .limit(1)
    )


def calls_by_ids(session: Session, call_ids: Collection[int]) -> dict[int, CallCard]:
    """Give several calls by their rows."""
    cards = rows_as(CallCard, session, _cards().where(Call.id.in_(call_ids)))
    return {card.id: card for card in cards}
