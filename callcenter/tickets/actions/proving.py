"""The meter's own values finish a restored ticket; missed promises are told once."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.tickets.actions.moving import move_ticket
from callcenter.tickets.models import Ticket
from callcenter.tickets.queries import ticket_card
from callcenter.tickets.types import TicketCard
from foundation.actor import Actor, Scope
from foundation.audit import Act, record
from foundation.events import Signal
from foundation.flow.clocks import note_late
from foundation.flow.models import FlowCase
from foundation.outbox import signal
from loadmgmt.api.alerts import alert_card
from loadmgmt.api.outage_moves import check_outages
from loadmgmt.api.outages import outages_by_id

TICKET_LATE = Act.of("ticket.late", "count")


def meters_proved(session: Session, actor: Actor, payload: dict[str, Any]) -> None:
    """Finish the restored tickets whose alerts have ended (payload of AlertsCleared)."""
    alert_ids = [entry["id"] for entry in payload["alerts"]]
    waiting = session.execute(
        select(Ticket.ticket_no, FlowCase.version)
        .join(FlowCase, FlowCase.id == Ticket.case_id)
        .where(
            Ticket.alert_id.in_(alert_ids),
            Ticket.outage_id.is_(None),
            FlowCase.flow == "repair",
            FlowCase.step == "restored",
        )
        .order_by(Ticket.id)
    ).all()
    for ticket_no, version in waiting:  # as many as crews finished at that moment
        move_ticket(session, actor, ticket_no, "proved", version=version)


def prove_restored(session: Session, actor: Actor, *, ticket_no: str) -> None:
    """Finish a ticket whose alert or outage had ended before the crew said so."""
    # the ticket before its outage, in the order of everybody who moves a ticket
    session.execute(select(Ticket.id).where(Ticket.ticket_no == ticket_no).with_for_update())
    card = ticket_card(session, ticket_no)
    if card.step == "restored" and _is_over(session, actor, card):
        move_ticket(session, actor, ticket_no, "proved", version=card.version)


def _is_over(session: Session, actor: Actor, card: TicketCard) -> bool:
    if card.outage_id is not None:
        check_outages(session, actor, [card.outage_id])
        return not outages_by_id(session, [card.outage_id])[card.outage_id].is_open
    if card.alert_id is not None:
        return alert_card(session, Scope.everything(), card.alert_id).ended_at is not None
    return False


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
