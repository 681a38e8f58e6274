"""Which events this room listens to."""

from foundation.outbox import Handler
from loadmgmt.alerts.commands import commands_ended
from loadmgmt.alerts.silence import terminals_back, terminals_silent
from loadmgmt.alerts.types import AlertsCleared, AlertsRaised
from loadmgmt.outages.actions.following import alerts_cleared, alerts_raised
from metering.api.types import TerminalsBack, TerminalsSilent, WritesVerified

HANDLERS = [
    Handler(AlertsRaised, alerts_raised, "a transformer without power is an outage"),
    Handler(AlertsCleared, alerts_cleared, "meters with power again prove an outage over"),
    Handler(TerminalsSilent, terminals_silent, "a silent terminal is an alert"),
    Handler(TerminalsBack, terminals_back, "its answer ends the alert"),
    Handler(WritesVerified, commands_ended, "a command with an unknown end is an alert"),
]
