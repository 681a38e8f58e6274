"""Readings, what they add up to, what meters told, and batches of them for the judges."""

from metering.readings.actions import mark_judged
from metering.readings.load_curves import load_curve, load_curves
from metering.readings.queries import (
    claim_batch,
    daily,
    day_curve,
    events,
    first_good,
    hourly,
    largest_points,
    latest,
    newest_at,
    read_since,
    waiting_batches,
)

__all__ = [
    "claim_batch",
    "daily",
    "day_curve",
    "events",
    "first_good",
    "hourly",
    "largest_points",
    "latest",
    "load_curve",
    "load_curves",
    "mark_judged",
    "newest_at",
    "read_since",
    "waiting_batches",
]
