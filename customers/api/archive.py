"""The customer archive."""

from customers.archive.actions import connect_supply, open_account
from customers.archive.queries import (
    account_card,
    account_cards,
    amendments,
    contact_at,
    customer_card,
    find_customers,
    points_of_search,
    same_person_or_place,
    supply_cards,
)

__all__ = [
    "account_card",
    "account_cards",
    "amendments",
    "connect_supply",
    "contact_at",
    "customer_card",
    "find_customers",
    "open_account",
    "points_of_search",
    "same_person_or_place",
    "supply_cards",
]
