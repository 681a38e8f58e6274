"""Putting a terminal into service (投运): its checks, and what was decided."""

from metering.commissioning.actions import decide, run_checks
from metering.commissioning.queries import history, newest_decisions, target, waiting_targets
from metering.devices.actions import set_manner
from metering.modbus.link import TlsFiles

__all__ = [
    "TlsFiles",
    "decide",
    "history",
    "newest_decisions",
    "run_checks",
    "set_manner",
    "target",
    "waiting_targets",
]
