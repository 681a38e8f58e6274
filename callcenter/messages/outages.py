"""What a notice says of an outage."""

from sqlalchemy.orm import Session

from callcenter.messages.rules import time_text
from foundation import clock
from loadmgmt.api.types import OutageCard, OutageKind
from metering.api.network import area_places


def facts_of_outage(session: Session, card: OutageCard) -> dict[str, str]:
    """Give place, number and expected end (with its date, if it is another day)."""
    eta = card.eta_at
    return {
        "place": area_places(session, [card.area_id])[card.area_id].area_name,
        "outage_no": card.outage_no,
        "eta": time_text(eta, clock.now(), clock.office_zone()) if eta else "—",
    }


def template_for_caller(card: OutageCard) -> str:
    """Name what somebody is written whose call belongs to an outage."""
    if not card.is_open:
        return "outage_over"
    return "outage_planned" if card.kind is OutageKind.PLANNED else "outage_attached"
