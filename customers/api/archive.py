"""The customer archive."""

from customers.archive.actions import open_account
from customers.archive.queries import contact_at, points_of_search, supply_cards

__all__ = ["contact_at", "open_account", "points_of_search", "supply_cards"]
