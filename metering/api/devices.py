"""Terminals and meters, fitted and in stock."""

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
    stock_meter,
    stock_meters,
    wrong_clocks,
)
from metering.devices.stock import (
    add_stock_meter,
    draw_stock_meter,
    install_from_stock,
    put_back_stock_meters,
)

__all__ = [
    "Registers",
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
    "remove_meter",
    "search_meters",
    "set_in_service",
    "set_interval",
    "stock_meter",
    "stock_meters",
    "wrong_clocks",
]
