"""The gap list: which meter lacks which interval, how complete the readings are, asking again."""

from metering.gaps.collection import area_hours
from metering.gaps.queries import checked_to, completeness, missed, open_gaps
from metering.gaps.worklist import Window, ask_backfill, missing_meters, missing_runs

__all__ = [
    "Window",
    "area_hours",
    "ask_backfill",
    "checked_to",
    "completeness",
    "missed",
    "missing_meters",
    "missing_runs",
    "open_gaps",
]
