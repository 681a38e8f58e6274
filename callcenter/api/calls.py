"""Calls: what the switch tells, what pops up, what an agent makes of it."""

from callcenter.calls.actions.seats import choose_state, sit_at
from callcenter.calls.actions.switching import ask_meter, take_event
from callcenter.calls.actions.working import (
    add_to_ticket,
    attach_call,
    choose_point,
    close_call,
    log_fault,
)
from callcenter.calls.queries.cards import (
    CALL_VIEWS,
    call_card,
    call_cards,
    call_queue,
    calls_by_ids,
    seat_of,
    seats,
)
from callcenter.calls.queries.pop import ScreenPop, meter_view, screen_pop

__all__ = [
    "CALL_VIEWS",
    "ScreenPop",
    "add_to_ticket",
    "ask_meter",
    "attach_call",
    "call_card",
    "call_cards",
    "call_queue",
    "calls_by_ids",
    "choose_point",
    "choose_state",
    "close_call",
    "log_fault",
    "meter_view",
    "screen_pop",
    "seat_of",
    "seats",
    "sit_at",
    "take_event",
]
