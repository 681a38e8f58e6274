"""Who waits for an answer: those who reported what a ticket mends, or an outage."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.calls.models import Call
from callcenter.tickets.models import Ticket
from callcenter.tickets.queries import ticket_card, ticket_contact
from callcenter.tickets.types import TicketCard
from customers.api.archive import plain_number
from loadmgmt.api.outages import outage_reports
from loadmgmt.api.types import OutageCard


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who waits for an answer.

    Attributes:
        asked: what they reported with: `ticket` or `call:ID`.
        notify: asked to be written to.
        callback: is to be called back.
    """

    asked: str
    point_id: int | None
    name: str | None
    phone: str
    notify: bool
    callback: bool


def people_of_ticket(session: Session, card: TicketCard) -> list[Person]:
    """Give everybody who reported what a ticket mends, each number once."""
    contact = ticket_contact(session, card.id)
    people = []
    if contact.phone:
        people.append(
            Person("ticket", card.point_id, contact.name, contact.phone, contact.notify, True)
        )
    return _once([*people, *map(_caller, _calls(session, card))])


def people_of_outage(session: Session, card: OutageCard) -> list[Person]:
    """Give everybody who reported an outage, each number once; a planned one has no ticket."""
    if card.ticket_no is not None:
        return people_of_ticket(session, ticket_card(session, card.ticket_no))
    reported = Call.id.in_(_reports(session, card.id)) & Call.outcome.is_not(None)
    return _once(map(_caller, session.scalars(select(Call).where(reported).order_by(Call.id))))


def _once(people: Iterable[Person]) -> list[Person]:
    return list({plain_number(one.phone): one for one in people if one.phone}.values())


def _caller(call: Call) -> Person:
    return Person(
        f"call:{call.id}",
        call.point_id,
        call.contact_name,
        call.contact_phone or "",
        call.notify,
        call.callback,
    )


def _reports(session: Session, outage_id: int) -> list[int]:
    return [one.ref for one in outage_reports(session, outage_id) if one.source == "call"]


def _calls(session: Session, card: TicketCard) -> Sequence[Call]:
    """Give the logged calls that belong to a ticket: its own, its outage's, those merged in."""
    followers = select(Ticket.ticket_no).where(Ticket.merged_into == card.ticket_no)
    mine = (Call.ticket_no == card.ticket_no) | Call.ticket_no.in_(followers)
    if card.outage_id is not None:
        reported = Call.id.in_(_reports(session, card.outage_id))
        mine |= reported & Call.outcome.is_not(None)
    return session.scalars(select(Call).where(mine).order_by(Call.id).limit(2000)).all()
