"""The room's enums and frozen dataclasses alone, so that pure rules above may use them."""

from callcenter.crews.types import CrewCard, CrewKind
from callcenter.tickets.types import (
    NewTicket,
    NotYourCrew,
    Priority,
    TicketCard,
    TicketClosed,
    TicketExists,
    TicketKind,
    TicketNote,
    TicketOpened,
    TicketRestored,
    TicketSource,
    TitleMissing,
)

__all__ = [
    "CrewCard",
    "CrewKind",
    "NewTicket",
    "NotYourCrew",
    "Priority",
    "TicketCard",
    "TicketClosed",
    "TicketExists",
    "TicketKind",
    "TicketNote",
    "TicketOpened",
    "TicketRestored",
    "TicketSource",
    "TitleMissing",
]
