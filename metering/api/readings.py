"""Readings, and batches of them for the judges."""

from metering.readings.actions import mark_judged
from metering.readings.queries import (
    claim_batch,
    daily,
    day_curve,
    first_good,
    latest,
    newest_at,
    read_since,
    waiting_batches,
)

__all__ = [
    "claim_batch",
    "daily",
    "day_curve",
    "first_good",
    "latest",
    "mark_judged",
    "newest_at",
    "read_since",
    "waiting_batches",
]
