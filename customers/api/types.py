"""The room's enums and frozen dataclasses alone, so that pure rules above may use them."""

from customers.archive.types import Category, Contact, SupplyCard

__all__ = ["Category", "Contact", "SupplyCard"]
