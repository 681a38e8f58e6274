"""Tickets: lists, opening, moving."""

from callcenter.tickets.actions.moving import add_note, move_ticket
from callcenter.tickets.actions.opening import open_ticket
from callcenter.tickets.books import flows, forms, promises
from callcenter.tickets.queries import (
    VIEWS,
    load_of_crews,
    ticket_card,
    ticket_cards,
    ticket_contact,
    ticket_counts,
    ticket_history,
    ticket_notes,
    tickets_at,
    tickets_of_outages,
)
from callcenter.tickets.rules import FIELD_MOVES, SIDE_MOVES, kind_for, priority_for

__all__ = [
    "FIELD_MOVES",
    "SIDE_MOVES",
    "VIEWS",
    "add_note",
    "flows",
    "forms",
    "kind_for",
    "load_of_crews",
    "move_ticket",
    "open_ticket",
    "priority_for",
    "promises",
    "ticket_card",
    "ticket_cards",
    "ticket_contact",
    "ticket_counts",
    "ticket_history",
    "ticket_notes",
    "tickets_at",
    "tickets_of_outages",
]
