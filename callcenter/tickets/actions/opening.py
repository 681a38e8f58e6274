"""Opening tickets, their promises running from the first moment."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.messages.actions import send
from callcenter.tickets import books
from callcenter.tickets.models import Ticket
from callcenter.tickets.rules import overridden
from callcenter.tickets.types import (
    NewTicket,
    TicketExists,
    TicketKind,
    TicketOpened,
    TitleMissing,
)
from foundation import clock
from foundation.actor import Actor
from foundation.audit import Act, record
from foundation.events import Signal
from foundation.flow import engine
from foundation.flow.calendar import office_calendar
from foundation.flow.clocks import clocks
from foundation.flow.limits import ClockState
from foundation.flow.models import FlowCase
from foundation.numbering import next_daily
from foundation.outbox import publish, signal
from foundation.overrides import values
from loadmgmt.api.alerts import take_into_work
from loadmgmt.api.outage_moves import take_ticket, ticket_of
from loadmgmt.api.outages import outage_of_alert
from metering.api.network import area_places, point_places
from metering.api.types import AreaClass, AreaPlace, PointPlace

TICKET_OPENED = Act.of("ticket.opened", "kind", "title", "priority", "source", "alert_id")


def open_ticket(session: Session, actor: Actor, new: NewTicket) -> str:
    """Open a ticket with its promises running; give its number.

    A ticket for an alert takes the alert into work in the same transaction, one for an
    outage takes the outage. The alert of an outage is the outage.

    Raises:
        TitleMissing: nothing says what is wrong.
        TicketExists: an open ticket already works on the alert or the outage.
    """
    if not new.title.strip():
        raise TitleMissing(field="title")
    outage_id = _outage_of(session, new)
    _refuse_for_outage(session, outage_id)
    ticket_no = next_daily(session, new.kind.prefix)
    _refuse_for_alert(session, new.alert_id)  # now nobody else gets a number until we commit
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
    ticket = _row(actor, new, ticket_no, case, place, outage_id)
    session.add(ticket)
    session.flush()
    if new.alert_id is not None:
        take_into_work(session, actor, new.alert_id, ticket_no=ticket_no)
    if outage_id is not None:
        take_ticket(session, actor, outage_id, ticket_no=ticket_no)
    _tell_opened(session, actor, ticket)
    return ticket_no


def _outage_of(session: Session, new: NewTicket) -> int | None:
    if new.kind is not TicketKind.REPAIR:
        return None
    if new.outage_id is None and new.alert_id is not None:
        return outage_of_alert(session, new.alert_id)
    return new.outage_id


def _refuse_for_outage(session: Session, outage_id: int | None) -> None:
    """Refuse a second ticket; the outage is held, so that of two openers one sees the other's."""
    works = ticket_of(session, outage_id) if outage_id is not None else None
    if works is not None:
        raise TicketExists(ticket_no=works)


def _refuse_for_alert(session: Session, alert_id: int | None) -> None:
    if alert_id is None:
        return
    known = session.scalar(
        select(Ticket.ticket_no).where(Ticket.alert_id == alert_id, Ticket.ended_at.is_(None))
    )
    if known is not None:
        raise TicketExists(ticket_no=known)


def _row(
    actor: Actor,
    new: NewTicket,
    ticket_no: str,
    case: FlowCase,
    place: PointPlace | AreaPlace | None,
    outage_id: int | None,
) -> Ticket:
    return Ticket(
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
        outage_id=outage_id,
        contact_name=new.contact_name.strip() or None,
        contact_phone=new.contact_phone or None,
        notify=new.notify,
        evidence=dict(new.evidence),
        opened_by=actor.name,
        opened_at=clock.now(),
    )


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
    if ticket.notify:
        due = next((one.due_at for one in _promised(session, ticket) if one.name == "arrive"), None)
        facts = {"ticket_no": ticket.ticket_no, "due": _clock_text(due)}
        about = ("ticket", ticket.ticket_no)
        send(session, actor, "ticket_accepted", to=ticket.contact_phone, facts=facts, about=about)
    signal(session, Signal("tickets"), Signal("ticket", ticket.ticket_no, 1))


def _promised(session: Session, ticket: Ticket) -> list[ClockState]:
    return clocks(session, [ticket.case_id])[ticket.case_id]


def _clock_text(at: datetime | None) -> str:
    return f"{at.astimezone(clock.office_zone()):%H:%M}" if at else "—"
