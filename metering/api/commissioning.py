"""Putting a terminal into service (投运): its checks, and what was decided."""

from metering.commissioning.actions import decide, run_checks
from metering.commissioning.queries import history, newest_decisions, target, waiting_targets

__all__ = [
    "decide",
    "history",
    "newest_decisions",
    "run_checks",
    "target",
    "waiting_targets",
]
