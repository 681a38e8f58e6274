"""The gap list: which meter lacks which interval, and how complete the readings are."""

from metering.gaps.queries import (
    by_area_and_hour,
    checked_to,
    completeness,
    lacking_meters,
    missed,
    open_gaps,
)

__all__ = [
    "by_area_and_hour",
    "checked_to",
    "completeness",
    "lacking_meters",
    "missed",
    "open_gaps",
]
