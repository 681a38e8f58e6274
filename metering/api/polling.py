"""The pollers: which live, what each owns, and which connections missed slots."""

from metering.polling.queries import missed_by, missed_slots, owner_of, pollers, slots_missed

__all__ = ["missed_by", "missed_slots", "owner_of", "pollers", "slots_missed"]
