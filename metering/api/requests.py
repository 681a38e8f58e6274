"""On-demand reads (召测), raw and decoded, and switching with a second person's approval (遥控)."""

from metering.requests.actions import ask, ask_all
from metering.requests.queries import newest_raw, newest_request
from metering.requests.raw import RawPoint, raw_points
from metering.requests.write_queries import count_awaiting, write_card, write_cards
from metering.requests.writing import (
    approve_write,
    ask_write,
    cutting_hours,
    reject_write,
    withdraw_write,
    write_checks,
    write_reasons,
)

__all__ = [
    "RawPoint",
    "approve_write",
    "ask",
    "ask_all",
    "ask_write",
    "count_awaiting",
    "cutting_hours",
    "newest_raw",
    "newest_request",
    "raw_points",
    "reject_write",
    "withdraw_write",
    "write_card",
    "write_cards",
    "write_checks",
    "write_reasons",
]
