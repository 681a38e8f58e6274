"""Outages: what stands around a point, which outage explains it, what has been reported."""

from loadmgmt.outages.actions.opening import register_outage
from loadmgmt.outages.actions.reporting import attach, report
from loadmgmt.outages.books import outage_rules
from loadmgmt.outages.queries.around import look_around, matches
from loadmgmt.outages.queries.cards import (
    OUTAGE_VIEWS,
    outage_card,
    outage_cards,
    outage_counts,
    outage_history,
    outage_members,
    outage_of_alert,
    outage_reports,
    outage_spans,
    outages_by_id,
    sensitive_counts,
)

__all__ = [
    "OUTAGE_VIEWS",
    "attach",
    "look_around",
    "matches",
    "outage_card",
    "outage_cards",
    "outage_counts",
    "outage_history",
    "outage_members",
    "outage_of_alert",
    "outage_reports",
    "outage_rules",
    "outage_spans",
    "outages_by_id",
    "register_outage",
    "report",
    "sensitive_counts",
]
