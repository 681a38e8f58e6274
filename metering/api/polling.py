"""The pollers: which live, what each owns, and which connections missed slots."""

from metering.polling.queries import missed_slots, pollers

__all__ = ["missed_slots", "pollers"]
