"""What a move of a ticket brings about, by the name its flow gives it."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from callcenter.crews.models import Crew
from callcenter.messages.actions import send
from callcenter.tickets.models import Ticket
from callcenter.tickets.types import TicketClosed, TicketRestored
from foundation import clock
from foundation.actor import Actor
from foundation.errors import NotFound
from foundation.jobs import defer
from foundation.outbox import publish
from loadmgmt.api.alerts import close_alert, release_from_ticket
from loadmgmt.api.outage_moves import drop_ticket, end_outage, work_begun
from loadmgmt.api.outages import outage_members, outages_by_id
from metering.api.devices import meter_cards
from metering.api.requests import ask_all

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
    """Hand alert and outage back to the dispatcher: no ticket works on them any more."""
    if ticket.alert_id is not None:
        release_from_ticket(session, actor, ticket.alert_id, note=ticket.ticket_no)
    if ticket.outage_id is not None:
        drop_ticket(session, actor, ticket.outage_id, note=ticket.ticket_no)


def follow_master(
    session: Session, actor: Actor, ticket: Ticket, form: Mapping[str, Any], note: str
) -> None:
    """Let the ticket of the whole outage do this one's work; its alert is the outage's now."""
    if ticket.alert_id is not None:
        release_from_ticket(session, actor, ticket.alert_id, note=ticket.ticket_no)


def tell_on_the_way(
    session: Session, actor: Actor, ticket: Ticket, form: Mapping[str, Any], note: str
) -> None:
    """Write to who asked that the crew is on its way."""
    crew = session.get(Crew, ticket.crew_id) if ticket.crew_id is not None else None
    if ticket.notify and crew is not None:
        send(
            session,
            actor,
            "crew_on_the_way",
            to=ticket.contact_phone,
            facts={"crew": crew.name, "ticket_no": ticket.ticket_no},
            about=("ticket", ticket.ticket_no),
        )


def note_on_site(
    session: Session, actor: Actor, ticket: Ticket, form: Mapping[str, Any], note: str
) -> None:
    """Let the outage show that it is being repaired."""
    if ticket.outage_id is not None:
        work_begun(session, actor, ticket.outage_id)


def ask_the_meter(
    session: Session, actor: Actor, ticket: Ticket, form: Mapping[str, Any], note: str
) -> None:
    """Read the meters at once: their values, not the crew's word, prove the restoration."""
    defer(session, PROVE_JOB, {"ticket_no": ticket.ticket_no})
    points = [ticket.point_id] if ticket.point_id is not None else []
    if ticket.outage_id is not None:
        points = [one.point_id for one in outage_members(session, ticket.outage_id)]
    meters = meter_cards(session, points)
    ask_all(session, actor, [one.meter_id for one in meters.values()])


def note_restored(
    session: Session, actor: Actor, ticket: Ticket, form: Mapping[str, Any], note: str
) -> None:
    """Write down when the meter proved it, and tell who listens."""
    ticket.proved_at = clock.now()
    _tell_restored(session, actor, ticket)


def _tell_restored(session: Session, actor: Actor, ticket: Ticket) -> None:
    entry = {
        "ticket_no": ticket.ticket_no,
        "point_id": ticket.point_id,
        "area_id": ticket.area_id,
    }
    publish(session, actor, TicketRestored((entry,)))


def close_by_hand(
    session: Session, actor: Actor, ticket: Ticket, form: Mapping[str, Any], note: str
) -> None:
    """End alert and outage on the dispatcher's word; the note says why no meter proves it."""
    if ticket.alert_id is not None:
        close_alert(session, actor, ticket.alert_id, finding=note)
    if ticket.outage_id is not None:
        number = outages_by_id(session, [ticket.outage_id])[ticket.outage_id].outage_no
        end_outage(session, actor, number, version=None, note=note)
    _tell_restored(session, actor, ticket)


def begin_new_round(
    session: Session, actor: Actor, ticket: Ticket, form: Mapping[str, Any], note: str
) -> None:
    """Begin again after a call-back: crew, proof and the ended alert belong to the last round."""
    past = {"alert_id": ticket.alert_id, "outage_id": ticket.outage_id, "reason": note}
    ticket.evidence = {**ticket.evidence, f"round_{ticket.round}": past}
    ticket.round += 1
    ticket.crew_id = ticket.alert_id = ticket.outage_id = ticket.proved_at = None


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
        begin_new_round,
        close_by_hand,
        close_with_finding,
        follow_master,
        give_back_alert,
        give_to_crew,
        note_closed,
        note_on_site,
        note_restored,
        take_from_crew,
        tell_on_the_way,
    )
}
