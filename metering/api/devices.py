"""Terminals and meters."""

from metering.devices.actions import add_terminal, install_meter
from metering.devices.queries import (
    fleet_health,
    meter_by_no,
    meter_cards,
    points_read,
    search_meters,
)

__all__ = [
    "add_terminal",
    "fleet_health",
    "install_meter",
    "meter_by_no",
    "meter_cards",
    "points_read",
    "search_meters",
]
