"""Which events this room listens to."""

from foundation.outbox import Handler
from loadmgmt.alerts.commands import commands_ended
from loadmgmt.alerts.silence import terminals_back, terminals_silent
from metering.api.types import TerminalsBack, TerminalsSilent, WritesVerified

HANDLERS = [
    Handler(TerminalsSilent, terminals_silent, "a silent terminal is an alert"),
    Handler(TerminalsBack, terminals_back, "its answer ends the alert"),
    Handler(WritesVerified, commands_ended, "a command with an unknown end is an alert"),
]
