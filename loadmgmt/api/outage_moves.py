"""What people and tickets do to an outage."""

from loadmgmt.outages.actions.following import check_outages
from loadmgmt.outages.actions.moving import (
    confirm_outage,
    drop_ticket,
    end_outage,
    set_cause,
    set_eta,
    take_ticket,
    ticket_of,
    work_begun,
)

__all__ = [
    "check_outages",
    "confirm_outage",
    "drop_ticket",
    "end_outage",
    "set_cause",
    "set_eta",
    "take_ticket",
    "ticket_of",
    "work_begun",
]
