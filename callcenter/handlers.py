"""Which events this room listens to."""

from callcenter.tickets.actions import meters_proved
from foundation.outbox import Handler
from loadmgmt.api.types import AlertsCleared

HANDLERS = [
    Handler(AlertsCleared, meters_proved, "the meter's recovery finishes a restored ticket"),
]
