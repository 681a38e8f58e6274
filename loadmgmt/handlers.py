"""Which events this room listens to."""

from foundation.outbox import Handler
from loadmgmt.alerts.silence import terminals_back, terminals_silent
from metering.api.types import TerminalsBack, TerminalsSilent

HANDLERS = [
    Handler(TerminalsSilent, terminals_silent, "a silent terminal is an alert"),
    Handler(TerminalsBack, terminals_back, "its answer ends the alert"),
]
