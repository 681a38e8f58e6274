"""Alerts: lists, and what people do to them."""

from loadmgmt.alerts.actions import (
    acknowledge,
    call_false,
    close_alert,
    release_from_ticket,
    suppress,
    take_into_work,
)
from loadmgmt.alerts.queries import (
    VIEWS,
    alert_card,
    alert_cards,
    alert_counts,
    alert_history,
    alerts_at,
    counts_by_area,
    dark_spans,
    same_kind_nearby,
    without_power,
)
from loadmgmt.alerts.thresholds import load_thresholds

__all__ = [
    "VIEWS",
    "acknowledge",
    "alert_card",
    "alert_cards",
    "alert_counts",
    "alert_history",
    "alerts_at",
    "call_false",
    "close_alert",
    "counts_by_area",
    "dark_spans",
    "load_thresholds",
    "release_from_ticket",
    "same_kind_nearby",
    "suppress",
    "take_into_work",
    "without_power",
]
