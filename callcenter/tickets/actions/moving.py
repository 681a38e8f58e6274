"""Moving tickets, with whatever a move brings about."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.crews.queries import crews_of
from callcenter.tickets import books, effects
from callcenter.tickets.models import Ticket, TicketNoteRow
from callcenter.tickets.rules import FIELD_MOVES, may_work_on
from callcenter.tickets.types import NotYourCrew, Priority
from foundation import clock
from foundation.actor import Actor
from foundation.audit import Act, record
from foundation.errors import NotFound
from foundation.events import Signal
from foundation.flow import engine
from foundation.flow.calendar import office_calendar
from foundation.flow.models import FlowCase
from foundation.outbox import signal

TICKET_MOVED = Act.of("ticket.moved", "move", "from_step", "to_step", "note")
DANGERS = Act.of("ticket.dangers", "dangers")


def move_ticket(
    session: Session,
    actor: Actor,
    ticket_no: str,
    move: str,
    *,
    version: int | None,
    note: str = "",
    form: Mapping[str, Any] | None = None,
    done_at: datetime | None = None,
    follows: bool = False,
) -> engine.Moved:
    """Move a ticket to its next step, with whatever that step brings about.

    Args:
        session: the caller's transaction.
        actor: who moves it.
        ticket_no: the ticket.
        move: as the flow names it.
        version: as the mover saw it; None for the system.
        note: said with it.
        form: what was filled in, text by field.
        done_at: when it was done, by the doer's clock; kept in the order of the moves.
        follows: the move follows from something else the actor did; no hand makes it.

    Raises:
        NotFound, NotYourCrew, FormRefused, and what `flow.engine.move` raises.
    """
    ticket = session.scalar(select(Ticket).where(Ticket.ticket_no == ticket_no).with_for_update())
    if ticket is None:
        raise NotFound(what="ticket", id=ticket_no)
    if move in FIELD_MOVES and not may_work_on(
        actor, crew_id=ticket.crew_id, own_crews=crews_of(session, actor.id)
    ):
        raise NotYourCrew(ticket_no=ticket_no)
    clean = _filled_in(session, ticket, move, form or {})
    moved = engine.move(
        session,
        Actor.system(actor.name) if follows else actor,
        books.flows(),
        ticket.case_id,
        move,
        version=version,
        calendar=office_calendar(),
        note=note,
        form=clean,
        done_at=done_at,
    )
    if moved.ended:
        ticket.ended_at = moved.at
    if moved.effect is not None:
        effects.EFFECTS[moved.effect](session, actor, ticket, clean, note)
    record(
        session,
        actor,
        TICKET_MOVED,
        subject=("ticket", ticket_no),
        move=move,
        from_step=moved.from_step,
        to_step=moved.to_step,
        note=note,
    )
    signal(session, Signal("tickets"), Signal("ticket", ticket_no, moved.version))
    return moved


def _filled_in(
    session: Session, ticket: Ticket, move: str, form: Mapping[str, Any]
) -> dict[str, Any]:
    case = session.get_one(FlowCase, ticket.case_id)
    flow = books.flows().version(case.flow, case.flow_version)
    chosen = flow.steps[case.step].moves.get(move)
    if chosen is None or chosen.form is None:
        return {}
    return books.forms().check(chosen.form, form)


def add_dangers(session: Session, actor: Actor, ticket_no: str, dangers: Collection[str]) -> None:
    """Add what else is dangerous at a ticket's place; a danger makes it critical.

    Args:
        session: the caller's transaction.
        actor: who heard of it.
        ticket_no: its number.
        dangers: codes; those that are known already change nothing.
    """
    ticket = session.scalar(select(Ticket).where(Ticket.ticket_no == ticket_no).with_for_update())
    if ticket is None:
        raise NotFound(what="ticket", id=ticket_no)
    known = list(ticket.evidence.get("dangers", []))
    more = [one for one in dangers if one not in known]
    if not more:
        return
    ticket.evidence = ticket.evidence | {"dangers": known + more}
    ticket.priority = Priority.CRIT
    record(session, actor, DANGERS, subject=("ticket", ticket_no), dangers=more)
    signal(session, Signal("ticket", ticket_no), Signal("tickets"))


def add_note(session: Session, actor: Actor, ticket_no: str, text: str) -> None:
    """Add a remark; an empty one is no remark.

    Raises:
        NotFound: no ticket has this number.
    """
    ticket = session.scalar(select(Ticket).where(Ticket.ticket_no == ticket_no))
    if ticket is None:
        raise NotFound(what="ticket", id=ticket_no)
    if text.strip():
        session.add(
            TicketNoteRow(ticket_id=ticket.id, at=clock.now(), by=actor.name, text=text.strip())
        )
        signal(session, Signal("ticket", ticket_no))
