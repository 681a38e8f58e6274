"""Whom to call back when a ticket is restored, and who is written to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from callcenter.callbacks.books import callback_rules
from callcenter.callbacks.models import Callback
from callcenter.callbacks.rules import first_attempt_at
from callcenter.callbacks.types import CallbackState
from callcenter.calls.models import Call
from callcenter.messages.actions import send
from callcenter.tickets import books
from callcenter.tickets.actions.moving import move_ticket
from callcenter.tickets.models import Ticket
from callcenter.tickets.queries import ticket_card, ticket_contact
from callcenter.tickets.types import TicketCard
from customers.api.archive import plain_number
from foundation import clock
from foundation.actor import Actor
from foundation.events import Signal
from foundation.outbox import signal
from loadmgmt.api.outages import outage_reports


@dataclass(frozen=True, slots=True)
class _Person:
    """Somebody who waits for an answer."""

    asked: str
    point_id: int | None
    name: str | None
    phone: str
    notify: bool
    callback: bool


def list_callers(session: Session, actor: Actor, payload: dict[str, Any]) -> None:
    """Write to and list those who reported what is restored now (payload of TicketRestored)."""
    for entry in payload["tickets"]:
        card = ticket_card(session, entry["ticket_no"])
        people = _people(session, card)
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


def _people(session: Session, card: TicketCard) -> list[_Person]:
    """Give everybody who reported what a ticket mended, each number once."""
    contact = ticket_contact(session, card.id)
    people = []
    if contact.phone:
        people.append(
            _Person("ticket", card.point_id, contact.name, contact.phone, contact.notify, True)
        )
    people += [
        _Person(
            f"call:{call.id}",
            call.point_id,
            call.contact_name,
            call.contact_phone,
            call.notify,
            call.callback,
        )
        for call in _calls(session, card)
        if call.contact_phone
    ]
    return list({plain_number(one.phone): one for one in people}.values())


def _calls(session: Session, card: TicketCard) -> Sequence[Call]:
    """Give the logged calls that belong to a ticket: its own, its outage's, those merged in."""
    followers = select(Ticket.ticket_no).where(Ticket.merged_into == card.ticket_no)
    mine = (Call.ticket_no == card.ticket_no) | Call.ticket_no.in_(followers)
    if card.outage_id is not None:
        refs = [one.ref for one in outage_reports(session, card.outage_id)]
        mine |= Call.id.in_(refs) & Call.outcome.is_not(None)
    return session.scalars(select(Call).where(mine).order_by(Call.id).limit(2000)).all()


def _list(session: Session, actor: Actor, card: TicketCard, people: list[_Person]) -> None:
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
