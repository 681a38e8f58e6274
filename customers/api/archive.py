"""The customer archive."""

from customers.archive.actions import open_account
from customers.archive.queries import (
    contact_at,
    contacts_at,
    match_phone,
    points_of_search,
    supply_cards,
)
from customers.archive.rules import plain_number

__all__ = [
    "contact_at",
    "contacts_at",
    "match_phone",
    "open_account",
    "plain_number",
    "points_of_search",
    "supply_cards",
]
