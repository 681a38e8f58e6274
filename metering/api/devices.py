"""Terminals and meters."""

from metering.devices.actions import (
    Registers,
    add_terminal,
    install_meter,
    remove_meter,
    set_in_service,
    set_interval,
)
from metering.devices.queries import (
    fleet_health,
    meter_by_no,
    meter_cards,
    points_read,
    search_meters,
)
from metering.devices.terminals import (
    meters_behind,
    search_terminals,
    terminal_by_no,
    terminal_counts,
)

__all__ = [
    "Registers",
    "add_terminal",
    "fleet_health",
    "install_meter",
    "meter_by_no",
    "meter_cards",
    "meters_behind",
    "points_read",
    "remove_meter",
    "search_meters",
    "search_terminals",
    "set_in_service",
    "set_interval",
    "terminal_by_no",
    "terminal_counts",
]
