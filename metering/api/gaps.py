"""The gap list: which meter lacks which interval, and how complete the readings are."""

from metering.gaps.queries import checked_to, completeness, missed, open_gaps

__all__ = ["checked_to", "completeness", "missed", "open_gaps"]
