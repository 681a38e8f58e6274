"""Terminals: the list, silent ones first, and one of them."""

from metering.devices.terminals import (
    meters_behind,
    search_terminals,
    terminal_by_no,
    terminal_counts,
)

__all__ = ["meters_behind", "search_terminals", "terminal_by_no", "terminal_counts"]
