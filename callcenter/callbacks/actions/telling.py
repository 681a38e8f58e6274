"""What those who reported an outage hear of it until supply is back."""

from typing import Any

from sqlalchemy.orm import Session

from callcenter.callbacks.people import people_of_outage
from callcenter.messages.actions import send
from callcenter.messages.books import template_of
from callcenter.messages.outages import facts_of_outage
from callcenter.messages.queries import deliveries
from callcenter.messages.rules import text_of
from customers.api.archive import plain_number
from foundation.actor import Actor
from loadmgmt.api.outages import outage_history, outages_by_id
from loadmgmt.api.types import OutageCard, OutageKind

LANGUAGE = "zh-CN"
MOST_TOLD = 5000


def tell_outage_changed(session: Session, actor: Actor, payload: dict[str, Any]) -> None:
    """Write to those who asked for it when the time changes or a planned outage has ended.

    That a fault is mended they hear with its ticket.

    Args:
        session: the job's transaction.
        actor: the job.
        payload: of OutageChanged.
    """
    for entry in payload["outages"]:
        card = outages_by_id(session, [entry["id"]])[entry["id"]]
        if entry["what"] == "eta" and card.is_open and card.eta_at is not None:
            reason = next(one.note for one in outage_history(session, card.id) if one.what == "eta")
            _tell(session, actor, card, "eta_changed" if reason else "eta_set", reason=reason)
        elif entry["what"] == "restored" and card.kind is OutageKind.PLANNED:
            _tell(session, actor, card, "planned_over")


def _tell(session: Session, actor: Actor, card: OutageCard, template: str, **more: str) -> None:
    """Write to everybody once, however often the event comes."""
    facts = facts_of_outage(session, card) | more
    text = text_of(template, template_of(template), LANGUAGE, facts)
    sent = deliveries(session, about=[card.outage_no], limit=MOST_TOLD)
    told = {one.phone for one in sent if one.text == text}
    for one in people_of_outage(session, card):
        if one.notify and plain_number(one.phone) not in told:
            about = ("outage", card.outage_no)
            send(session, actor, template, to=one.phone, lang=LANGUAGE, facts=facts, about=about)
