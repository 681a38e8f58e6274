"""The room's enums and frozen dataclasses alone, so that pure rules above may use them."""

from loadmgmt.alerts.types import (
    AlertCard,
    AlertChanged,
    AlertCounts,
    AlertKind,
    AlertMoveRefused,
    AlertPast,
    AlertsCleared,
    AlertsRaised,
    AlertState,
    ReasonMissing,
    Severity,
    Thresholds,
)

__all__ = [
    "AlertCard",
    "AlertChanged",
    "AlertCounts",
    "AlertKind",
    "AlertMoveRefused",
    "AlertPast",
    "AlertState",
    "AlertsCleared",
    "AlertsRaised",
    "ReasonMissing",
    "Severity",
    "Thresholds",
]
