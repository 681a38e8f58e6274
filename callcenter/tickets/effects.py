"""What a move of a ticket brings about, by the name its flow gives it."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from callcenter.crews.models import Crew
from callcenter.tickets.models import Ticket
from callcenter.tickets.types import TicketClosed, TicketRestored
from foundation import clock
from foundation.actor import Actor
from foundation.errors import NotFound
from foundation.jobs import defer
from foundation.outbox import publish
from loadmgmt.api.alerts import close_alert, release_from_ticket
from metering.api.devices import meter_cards
from metering.api.requests import ask

PROVE_JOB = "callcenter.prove_restored"
Effect = Callable[[Session, Actor, Ticket, Mapping[str, Any], str], None]


def give_to_crew(
    session: Session, actor: Actor, ticket: Ticket, form: Mapping[str, Any], note: str
) -> None:
    """Put the ticket into a crew's hands."""
    if session.get(Crew, form["crew_id"]) is None:
        raise NotFound(what="crew", id=form["crew_id"])
    ticket.crew_id = form["crew_id"]


def take_from_crew(
    session: Session, actor: Actor, ticket: Ticket, form: Mapping[str, Any], note: str
) -> None:
    """Take the ticket out of the crew's hands."""
    ticket.crew_id = None


def give_back_alert(
    session: Session, actor: Actor, ticket: Ticket, form: Mapping[str, Any], note: str
) -> None:
    """Hand the alert back to the dispatcher: no ticket works on it any more."""
    if ticket.alert_id is not None:
        release_from_ticket(session, actor, ticket.alert_id, note=ticket.ticket_no)


def ask_the_meter(
    session: Session, actor: Actor, ticket: Ticket, form: Mapping[str, Any], note: str
) -> None:
    """Read the meter at once: its values, not the crew's word, prove the restoration."""
    defer(session, PROVE_JOB, {"ticket_no": ticket.ticket_no})
    if ticket.point_id is None:
        return
    meter = meter_cards(session, [ticket.point_id]).get(ticket.point_id)
    if meter is not None and meter.terminal_id is not None:
        ask(session, actor, meter.meter_id)


def note_restored(
    session: Session, actor: Actor, ticket: Ticket, form: Mapping[str, Any], note: str
) -> None:
    """Write down when the meter proved it, and tell who listens."""
    ticket.proved_at = clock.now()
    entry = {
        "ticket_no": ticket.ticket_no,
        "point_id": ticket.point_id,
        "area_id": ticket.area_id,
    }
    publish(session, actor, TicketRestored((entry,)))


def close_by_hand(
    session: Session, actor: Actor, ticket: Ticket, form: Mapping[str, Any], note: str
) -> None:
    """End the alert on the dispatcher's word; the note says why no meter proves it."""
    if ticket.alert_id is not None:
        close_alert(session, actor, ticket.alert_id, finding=note)


def close_with_finding(
    session: Session, actor: Actor, ticket: Ticket, form: Mapping[str, Any], note: str
) -> None:
    """End the alert with what was found on site."""
    if ticket.alert_id is not None:
        close_alert(session, actor, ticket.alert_id, finding=form["finding"])


def note_closed(
    session: Session, actor: Actor, ticket: Ticket, form: Mapping[str, Any], note: str
) -> None:
    """Tell who listens that the ticket is archived."""
    entry = {"ticket_no": ticket.ticket_no, "kind": ticket.kind.value}
    publish(session, actor, TicketClosed((entry,)))


EFFECTS: dict[str, Effect] = {
    effect.__name__: effect
    for effect in (
        ask_the_meter,
        close_by_hand,
        close_with_finding,
        give_back_alert,
        give_to_crew,
        note_closed,
        note_restored,
        take_from_crew,
    )
}
