"""Opening tickets and moving them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.crews.queries import crews_of
from callcenter.tickets import books, effects
from callcenter.tickets.models import Ticket, TicketNoteRow
from callcenter.tickets.queries import ticket_card
from callcenter.tickets.rules import FIELD_MOVES, may_work_on, overridden
from callcenter.tickets.types import (
    NewTicket,
    NotYourCrew,
    TicketExists,
    TicketOpened,
    TitleMissing,
)
from foundation import clock
from foundation.actor import Actor, Scope
from foundation.audit import Act, record
from foundation.errors import NotFound
from foundation.events import Signal
from foundation.flow import engine
from foundation.flow.calendar import office_calendar
from foundation.flow.clocks import note_late
from foundation.flow.models import FlowCase
from foundation.numbering import next_daily
from foundation.outbox import publish, signal
from foundation.overrides import values
from loadmgmt.api.alerts import alert_card, take_into_work
from metering.api.network import area_places, point_places
from metering.api.types import AreaClass, AreaPlace, PointPlace

TICKET_OPENED = Act.of("ticket.opened", "kind", "title", "priority", "source", "alert_id")
TICKET_MOVED = Act.of("ticket.moved", "move", "from_step", "to_step", "note")
TICKET_LATE = Act.of("ticket.late", "count")


def open_ticket(session: Session, actor: Actor, new: NewTicket) -> str:
    """Open a ticket with its promises running; give its number.

    A ticket for an alert takes the alert into work in the same transaction.

    Raises:
        TitleMissing: nothing says what is wrong.
        TicketExists: an open ticket already works on the alert.
    """
    if not new.title.strip():
        raise TitleMissing(field="title")
    ticket_no = next_daily(session, new.kind.prefix)
    if new.alert_id is not None:  # after the number: until we commit, nobody else gets one
        _refuse_second(session, new.alert_id)
    place = _place(session, new)
    area = place.area_class if place else AreaClass.URBAN
    promises = overridden(books.promises(), values(session))
    case = engine.start(
        session,
        actor,
        books.flows().current(new.kind.value),
        subject=ticket_no,
        limits=promises.limits(new.kind, area),
        calendar=office_calendar(),
    )
    ticket = Ticket(
        ticket_no=ticket_no,
        kind=new.kind,
        source=new.source,
        title=new.title.strip(),
        description=new.description.strip(),
        priority=new.priority,
        case_id=case.id,
        point_id=new.point_id,
        area_id=place.area_id if place else None,
        unit_id=place.unit_id if place else None,
        alert_id=new.alert_id,
        evidence=dict(new.evidence),
        opened_by=actor.name,
        opened_at=clock.now(),
    )
    session.add(ticket)
    session.flush()
    if new.alert_id is not None:
        take_into_work(session, actor, new.alert_id, ticket_no=ticket_no)
    _tell_opened(session, actor, ticket)
    return ticket_no


def _refuse_second(session: Session, alert_id: int) -> None:
    known = session.scalar(
        select(Ticket.ticket_no).where(Ticket.alert_id == alert_id, Ticket.ended_at.is_(None))
    )
    if known is not None:
        raise TicketExists(ticket_no=known)


def _place(session: Session, new: NewTicket) -> PointPlace | AreaPlace | None:
    if new.point_id is not None:
        return point_places(session, [new.point_id]).get(new.point_id)
    if new.area_id is not None:
        return area_places(session, [new.area_id]).get(new.area_id)
    return None


def _tell_opened(session: Session, actor: Actor, ticket: Ticket) -> None:
    record(
        session,
        actor,
        TICKET_OPENED,
        subject=("ticket", ticket.ticket_no),
        kind=ticket.kind,
        title=ticket.title,
        priority=ticket.priority,
        source=ticket.source,
        alert_id=ticket.alert_id,
    )
    entry = {
        "ticket_no": ticket.ticket_no,
        "kind": ticket.kind.value,
        "point_id": ticket.point_id,
        "area_id": ticket.area_id,
    }
    publish(session, actor, TicketOpened((entry,)))
    signal(session, Signal("tickets"), Signal("ticket", ticket.ticket_no, 1))


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
        actor,
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


def meters_proved(session: Session, actor: Actor, payload: dict[str, Any]) -> None:
    """Finish the restored tickets whose alerts have ended (payload of AlertsCleared)."""
    alert_ids = [entry["id"] for entry in payload["alerts"]]
    waiting = session.execute(
        select(Ticket.ticket_no, FlowCase.version)
        .join(FlowCase, FlowCase.id == Ticket.case_id)
        .where(
            Ticket.alert_id.in_(alert_ids), FlowCase.flow == "repair", FlowCase.step == "restored"
        )
        .order_by(Ticket.id)
    ).all()
    for ticket_no, version in waiting:  # as many as crews finished at that moment
        move_ticket(session, actor, ticket_no, "proved", version=version)


def prove_restored(session: Session, actor: Actor, *, ticket_no: str) -> None:
    """Finish a ticket whose alert had ended before the crew said so."""
    card = ticket_card(session, ticket_no)
    if card.step != "restored" or card.alert_id is None:
        return
    if alert_card(session, Scope.everything(), card.alert_id).ended_at is not None:
        move_ticket(session, actor, ticket_no, "proved", version=card.version)


def tell_late(session: Session, actor: Actor) -> int:
    """Mark promises that have just been missed, once each; give how many."""
    late = note_late(session, flows=("repair", "inspection"))
    if late:
        for ticket_no in dict.fromkeys(late):
            record(
                session,
                actor,
                TICKET_LATE,
                subject=("ticket", ticket_no),
                count=late.count(ticket_no),
            )
        signal(session, Signal("tickets"))
    return len(late)
