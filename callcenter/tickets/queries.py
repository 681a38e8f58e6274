"""Reads of tickets."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, case, exists, func, literal, select
from sqlalchemy.orm import Session

from callcenter.crews.models import Crew
from callcenter.tickets.models import Ticket, TicketNoteRow
from callcenter.tickets.rules import by_outage
from callcenter.tickets.types import (
    Priority,
    TicketCard,
    TicketContact,
    TicketKind,
    TicketNote,
)
from customers.api.archive import contact_at
from foundation import clock
from foundation.actor import Scope
from foundation.db import Query, rows_as
from foundation.errors import NotFound
from foundation.flow.clocks import clocks
from foundation.flow.engine import Past, history
from foundation.flow.limits import PRESSING
from foundation.flow.models import FlowCase, FlowClock

VIEWS = ("open", "undispatched", "due", "restored", "today", "archived")
_AFTER_WORK = ("restored", "done", "call_back")
_WEIGHT = case({word: place for place, word in enumerate(Priority)}, value=Ticket.priority)
_NEXT_DUE = (
    select(func.min(FlowClock.due_at))
    .where(FlowClock.case_id == Ticket.case_id, FlowClock.met_at.is_(None))
    .correlate(Ticket)
    .scalar_subquery()
)


def _cards() -> Query:
    return (
        select(
            Ticket.id,
            Ticket.ticket_no,
            Ticket.kind,
            Ticket.source,
            Ticket.title,
            Ticket.description,
            Ticket.priority,
            FlowCase.status,
            FlowCase.step,
            FlowCase.version,
            Ticket.case_id,
            FlowCase.flow,
            FlowCase.flow_version,
            Ticket.point_id,
            Ticket.area_id,
            Ticket.unit_id,
            Ticket.alert_id,
            Ticket.crew_id,
            Crew.name,
            Ticket.evidence,
            Ticket.opened_by,
            Ticket.opened_at,
            FlowCase.entered_at,
            Ticket.ended_at,
            Ticket.proved_at,
            Ticket.outage_id,
            Ticket.round,
            Ticket.merged_into,
        )
        .join(FlowCase, FlowCase.id == Ticket.case_id)
        .outerjoin(Crew, Crew.id == Ticket.crew_id)
    )


def ticket_cards(
    session: Session,
    scope: Scope,
    *,
    view: str = "open",
    kind: TicketKind | None = None,
    crew_ids: Collection[int] | None = None,
    search: str = "",
    after_id: int | None = None,
    limit: int = 50,
) -> list[TicketCard]:
    """List tickets, promises attached: the most urgent promise first, or newest first.

    Args:
        session: any.
        scope: departments the actor may see.
        view: one of VIEWS.
        kind: only this kind.
        crew_ids: only tickets of these crews.
        search: number starts so, or title contains it.
        after_id: page on below this row (views ordered newest first).
        limit: at most so many.
    """
    statement = _viewed(_cards(), view)
    if scope.unit_ids is not None:
        statement = statement.where(Ticket.unit_id.in_(scope.unit_ids))
    if kind is not None:
        statement = statement.where(Ticket.kind == kind)
    if crew_ids is not None:
        statement = statement.where(Ticket.crew_id.in_(crew_ids))
    if search:
        statement = statement.where(
            Ticket.ticket_no.istartswith(search, autoescape=True)
            | Ticket.title.icontains(search, autoescape=True)
        )
    if after_id is not None:
        statement = statement.where(Ticket.id < after_id)
    return _with_clocks(session, rows_as(TicketCard, session, statement.limit(limit)))


def _runs(which: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether a promise runs, neither met nor standing still, of which something holds."""
    return exists().where(
        FlowClock.case_id == Ticket.case_id,
        FlowClock.met_at.is_(None),
        FlowClock.paused_at.is_(None),
        which,
    )


def _is_pressing(now: datetime) -> ColumnElement[bool]:
    """Whether a promise that runs has used so much of its time that somebody should look."""
    used_s = func.extract("epoch", literal(now) - FlowClock.started_at)
    promised_s = func.extract("epoch", FlowClock.due_at - FlowClock.started_at)
    return _runs(100 * used_s >= PRESSING * promised_s)


def _viewed(statement: Query, view: str) -> Query:
    today = clock.day_span(clock.business_date())[0]
    by_urgency = (_NEXT_DUE.asc().nulls_last(), _WEIGHT, Ticket.id.desc())
    match view:
        case "undispatched":
            return statement.where(FlowCase.step == "new").order_by(*by_urgency)
        case "due":
            pressing = _is_pressing(clock.now()) & Ticket.ended_at.is_(None)
            return statement.where(pressing).order_by(*by_urgency)
        case "restored":
            return statement.where(FlowCase.step.in_(_AFTER_WORK)).order_by(*by_urgency)
        case "today":
            return statement.where(Ticket.opened_at >= today).order_by(Ticket.id.desc())
        case "archived":
            return statement.where(Ticket.ended_at.is_not(None)).order_by(Ticket.id.desc())
        case _:
            return statement.where(Ticket.ended_at.is_(None)).order_by(*by_urgency)


def _with_clocks(session: Session, cards: list[TicketCard]) -> list[TicketCard]:
    states = clocks(session, [card.case_id for card in cards])
    return [replace(card, clocks=tuple(states[card.case_id])) for card in cards]


def ticket_card(session: Session, ticket_no: str) -> TicketCard:
    """Give one ticket.

    Raises:
        NotFound: no ticket has this number.
    """
    found = rows_as(TicketCard, session, _cards().where(Ticket.ticket_no == ticket_no))
    if not found:
        raise NotFound(what="ticket", id=ticket_no)
    return _with_clocks(session, found)[0]


def tickets_at(
    session: Session, point_ids: Collection[int], *, limit: int = 50
) -> list[TicketCard]:
    """List the tickets of several points, newest first."""
    statement = _cards().where(Ticket.point_id.in_(point_ids)).order_by(Ticket.id.desc())
    return _with_clocks(session, rows_as(TicketCard, session, statement.limit(limit)))


def ticket_contact(session: Session, ticket_id: int) -> TicketContact:
    """Give whom to call about a ticket: who asked, else the account's contact at its point."""
    row = session.execute(
        select(Ticket.contact_name, Ticket.contact_phone, Ticket.notify, Ticket.point_id).where(
            Ticket.id == ticket_id
        )
    ).one()
    if row.contact_phone is None and row.point_id is not None:
        known = contact_at(session, row.point_id)
        if known is not None:
            return TicketContact(row.contact_name or known.name, known.phone, row.notify)
    return TicketContact(row.contact_name, row.contact_phone, row.notify)


def tickets_of_outages(session: Session, outages: Mapping[int, str]) -> dict[int, list[TicketCard]]:
    """List the tickets of outages: their own, and those that followed or nest in them.

    Args:
        session: any.
        outages: number by row.
    """
    own = select(Ticket.ticket_no).where(Ticket.outage_id.in_(outages))
    named = Ticket.evidence["outage_no"].as_string().in_(outages.values())
    belongs = Ticket.outage_id.in_(outages) | Ticket.merged_into.in_(own) | named
    cards = _with_clocks(
        session, rows_as(TicketCard, session, _cards().where(belongs).order_by(Ticket.id))
    )
    return by_outage(cards, outages)


def ticket_history(session: Session, case_id: int) -> list[Past]:
    """Give every move of a ticket, oldest first."""
    return history(session, case_id)


def ticket_notes(session: Session, ticket_id: int) -> list[TicketNote]:
    """Give the remarks on a ticket, newest first."""
    statement = (
        select(TicketNoteRow.at, TicketNoteRow.by, TicketNoteRow.text)
        .where(TicketNoteRow.ticket_id == ticket_id)
        .order_by(TicketNoteRow.id.desc())
        .limit(200)
    )
    return rows_as(TicketNote, session, statement)


def ticket_counts(session: Session, scope: Scope) -> dict[str, int]:
    """Count tickets by view: open, undispatched, due, restored; and those past a promise."""
    now: datetime = clock.now()
    statement = (
        select(
            func.count(),
            func.count().filter(FlowCase.step == "new"),
            func.count().filter(_is_pressing(now)),
            func.count().filter(FlowCase.step.in_(_AFTER_WORK)),
            func.count().filter(_runs(FlowClock.due_at < now)),
        )
        .select_from(Ticket)
        .join(FlowCase, FlowCase.id == Ticket.case_id)
        .where(Ticket.ended_at.is_(None))
    )
    if scope.unit_ids is not None:
        statement = statement.where(Ticket.unit_id.in_(scope.unit_ids))
    row = session.execute(statement).one()
    names = ("open", "undispatched", "due", "restored", "overdue")
    return dict(zip(names, row, strict=True))


def load_of_crews(session: Session) -> dict[int, int]:
    """Count the open tickets of every crew."""
    statement = (
        select(Ticket.crew_id, func.count())
        .where(Ticket.ended_at.is_(None), Ticket.crew_id.is_not(None))
        .group_by(Ticket.crew_id)
    )
    return {crew: n for crew, n in session.execute(statement) if crew is not None}
