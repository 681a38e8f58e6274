"""Call-backs: the list, attempts and answers."""

from callcenter.callbacks.actions.calling import note_attempt, take_answer
from callcenter.callbacks.books import callback_rules
from callcenter.callbacks.people import people_of_outage
from callcenter.callbacks.queries import (
    CALLBACK_VIEWS,
    callback_attempts,
    callback_card,
    callback_cards,
    callback_counts,
)

__all__ = [
    "CALLBACK_VIEWS",
    "callback_attempts",
    "callback_card",
    "callback_cards",
    "callback_counts",
    "callback_rules",
    "note_attempt",
    "people_of_outage",
    "take_answer",
]
