"""The customer archive."""

from customers.archive.actions import connect_supply, open_account
from customers.archive.queries import (
    account_card,
    account_cards,
    amendments,
    contact_at,
    contacts_at,
    customer_card,
    find_customers,
    match_phone,
    points_of_search,
    same_person_or_place,
    supply_cards,
)
from customers.archive.rules import plain_number

__all__ = [
    "account_card",
    "account_cards",
    "amendments",
    "connect_supply",
    "contact_at",
    "contacts_at",
    "customer_card",
    "find_customers",
    "match_phone",
    "open_account",
    "plain_number",
    "points_of_search",
    "same_person_or_place",
    "supply_cards",
]
