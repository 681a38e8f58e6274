"""Whom to call back when a ticket is restored, and who is written to."""

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from callcenter.callbacks.books import callback_rules
from callcenter.callbacks.models import Callback
from callcenter.callbacks.people import Person, people_of_ticket
from callcenter.callbacks.rules import first_attempt_at
from callcenter.callbacks.types import CallbackState
from callcenter.messages.actions import send
from callcenter.tickets import books
from callcenter.tickets.actions.moving import move_ticket
from callcenter.tickets.models import Ticket
from callcenter.tickets.queries import ticket_card
from callcenter.tickets.types import TicketCard
from foundation import clock
from foundation.actor import Actor
from foundation.events import Signal
from foundation.outbox import signal


def list_callers(session: Session, actor: Actor, payload: dict[str, Any]) -> None:
    """Write to and list those who reported what is restored now (payload of TicketRestored)."""
    for entry in payload["tickets"]:
        card = ticket_card(session, entry["ticket_no"])
        people = people_of_ticket(session, card)
        for one in people:  # those who left a number and asked to be told
            if one.notify:
                facts = {"ticket_no": card.ticket_no}
                about = ("ticket", card.ticket_no)
                send(session, actor, "power_restored", to=one.phone, facts=facts, about=about)
        if _asks_customers(card):
            _list(session, actor, card, [one for one in people if one.callback])


def _asks_customers(card: TicketCard) -> bool:
    """Whether the flow version this case began with has a call-back."""
    step = books.flows().version(card.flow, card.flow_version).steps[card.step]
    return "ask_customer" in step.moves


def _list(session: Session, actor: Actor, card: TicketCard, people: list[Person]) -> None:
    if not people:
        return
    now = clock.now()
    due_at = first_attempt_at(now, rule=callback_rules(), zone=clock.office_zone())
    session.execute(
        insert(Callback).on_conflict_do_nothing(),
        [
            {
                "ticket_id": card.id,
                "round": card.round,
                "asked": one.asked,
                "point_id": one.point_id,
                "name": one.name,
                "phone": one.phone,
                "state": CallbackState.WAITING,
                "attempts": 0,
                "due_at": due_at,
                "created_at": now,
                "note": "",
                "version": 1,
            }
            for one in people
        ],
    )
    move_ticket(session, actor, card.ticket_no, "ask_customer", version=card.version)
    signal(session, Signal("callbacks"))


def drop_waiting(session: Session, actor: Actor, payload: dict[str, Any]) -> None:
    """Forget the call-backs of tickets archived without them (payload of TicketClosed)."""
    numbers = [entry["ticket_no"] for entry in payload["tickets"]]
    tickets = select(Ticket.id).where(Ticket.ticket_no.in_(numbers))
    session.execute(
        update(Callback)
        .where(Callback.ticket_id.in_(tickets), Callback.closed_at.is_(None))
        .values(
            state=CallbackState.DROPPED,
            closed_at=clock.now(),
            closed_by=actor.name,
            version=Callback.version + 1,
        )
    )
    signal(session, Signal("callbacks"))
