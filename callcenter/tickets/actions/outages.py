"""Tickets of outages: one each, whoever asks for it first; single tickets join it."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.tickets.actions.moving import move_ticket
from callcenter.tickets.actions.opening import open_ticket
from callcenter.tickets.models import Ticket
from callcenter.tickets.types import NewTicket, Priority, TicketKind, TicketSource
from customers.api.archive import supply_cards
from foundation.actor import Actor
from foundation.flow.models import FlowCase
from loadmgmt.api.outage_moves import drop_ticket, take_ticket, ticket_of
from loadmgmt.api.outages import outage_reports, outages_by_id
from loadmgmt.api.types import OutageCard, OutageSource
from metering.api.network import area_places

TITLE = "停电 {place}"
NESTED_TITLE = "复电后仍无电 {place}"
_MERGEABLE = ("new", "sent")


def ticket_for_outage(session: Session, actor: Actor, outage_id: int) -> str:
    """Give the repair ticket of an outage, opened if there is none yet.

    The outage is held meanwhile. Single tickets of customers who reported the same outage
    are not worked on twice: the oldest becomes the outage's ticket, the others follow it.
    """
    works = _working(session, actor, outage_id)
    card = outages_by_id(session, [outage_id])[outage_id]
    singles = _singles(session, card)
    if works is None and singles:
        works = _adopt(session, actor, card, singles.pop(0))
    if works is None:
        works = open_ticket(session, actor, _new(session, card))
    for single in singles:  # as many as were opened before the outage was known
        version = session.get_one(FlowCase, single.case_id).version
        number = single.ticket_no
        move_ticket(session, actor, number, "merge", version=version, note=works, follows=True)
        single.merged_into = works
    return works


def _working(session: Session, actor: Actor, outage_id: int) -> str | None:
    works = ticket_of(session, outage_id)
    ended = session.scalar(select(Ticket.ended_at).where(Ticket.ticket_no == works))
    if works is not None and ended is not None:
        drop_ticket(session, actor, outage_id, note=works)
        return None
    return works


def _singles(session: Session, card: OutageCard) -> list[Ticket]:
    points = [one.point_id for one in outage_reports(session, card.id)]
    return list(
        session.scalars(
            select(Ticket)
            .join(FlowCase, FlowCase.id == Ticket.case_id)
            .where(
                Ticket.kind == TicketKind.REPAIR,
                Ticket.source == TicketSource.CALL,
                Ticket.point_id.in_(points),
                Ticket.outage_id.is_(None),
                Ticket.apart.is_(False),
                Ticket.opened_at >= card.started_at,
                FlowCase.flow_version > 1,
                FlowCase.step.in_(_MERGEABLE),
            )
            .order_by(Ticket.id)
            .with_for_update(of=Ticket)
        )
    )


def _adopt(session: Session, actor: Actor, card: OutageCard, single: Ticket) -> str:
    single.outage_id, single.area_id, single.priority = card.id, card.area_id, Priority.CRIT
    session.flush()
    return take_ticket(session, actor, card.id, ticket_no=single.ticket_no)


def _new(session: Session, card: OutageCard) -> NewTicket:
    place = area_places(session, [card.area_id])[card.area_id]
    where = card.box_no or f"{place.area_name} {place.area_no}"
    return NewTicket(
        kind=TicketKind.REPAIR,
        title=TITLE.format(place=where),
        source=TicketSource.OUTAGE,
        priority=Priority.CRIT,
        area_id=card.area_id,
        outage_id=card.id,
        evidence={"outage_no": card.outage_no, "reports": card.reports},
    )


def follow_outage(session: Session, actor: Actor, payload: dict[str, Any]) -> None:
    """Open, tie and finish the tickets of outages that changed (payload of OutageChanged)."""
    for entry in payload["outages"]:
        match entry["what"]:
            case "detected" | "confirmed" | "widened":
                _tie(session, actor, entry)
            case "restored":
                _finish(session, actor, entry)


def _tie(session: Session, actor: Actor, entry: dict[str, Any]) -> None:
    """Tie an alert's ticket to the alert's outage; people who call get a ticket at once."""
    card = outages_by_id(session, [entry["id"]])[entry["id"]]
    if not card.is_open:
        return
    if card.ticket_no is not None:
        ticket = session.scalar(select(Ticket).where(Ticket.ticket_no == card.ticket_no))
        if ticket is not None and ticket.outage_id is None and ticket.ended_at is None:
            ticket.outage_id = card.id
    if card.ticket_no is not None or card.source is OutageSource.CALL:
        ticket_for_outage(session, actor, card.id)


def _finish(session: Session, actor: Actor, entry: dict[str, Any]) -> None:
    waiting = session.execute(
        select(Ticket.ticket_no, FlowCase.version)
        .join(FlowCase, FlowCase.id == Ticket.case_id)
        .where(Ticket.outage_id == entry["id"], FlowCase.step == "restored")
    ).all()
    for ticket_no, version in waiting:  # one
        move_ticket(session, actor, ticket_no, "proved", version=version)
    for point_id in entry["still_dark"]:  # at most one in twenty of the meters
        _open_nested(session, actor, point_id, entry["outage_no"])


def _open_nested(session: Session, actor: Actor, point_id: int, outage_no: str) -> None:
    """Open a ticket for a customer who stays dark when all others are back (嵌套故障)."""
    known = session.scalar(
        select(Ticket.id).where(Ticket.point_id == point_id, Ticket.ended_at.is_(None)).limit(1)
    )
    if known is not None:
        return
    supply = supply_cards(session, [point_id]).get(point_id)
    urgent = supply is not None and supply.is_sensitive
    open_ticket(
        session,
        actor,
        NewTicket(
            kind=TicketKind.REPAIR,
            title=NESTED_TITLE.format(place=supply.address if supply else ""),
            source=TicketSource.OUTAGE,
            priority=Priority.CRIT if urgent else Priority.MAJOR,
            point_id=point_id,
            evidence={"outage_no": outage_no},
        ),
    )
