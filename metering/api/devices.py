"""Terminals and meters, fitted and in stock."""

from metering.devices.actions import (
    add_stock_meter,
    add_terminal,
    draw_stock_meter,
    install_from_stock,
    install_meter,
    put_back_stock_meters,
)
from metering.devices.queries import (
    fleet_health,
    meter_by_no,
    meter_cards,
    points_read,
    search_meters,
    stock_meter,
    stock_meters,
)

__all__ = [
    "add_stock_meter",
    "add_terminal",
    "draw_stock_meter",
    "fleet_health",
    "install_from_stock",
    "install_meter",
    "meter_by_no",
    "meter_cards",
    "points_read",
    "put_back_stock_meters",
    "search_meters",
    "stock_meter",
    "stock_meters",
]
