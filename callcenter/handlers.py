"""Which events this room listens to."""

from callcenter.callbacks.actions.listing import drop_waiting, list_callers
from callcenter.callbacks.actions.telling import tell_outage_changed
from callcenter.messages.cases import tell_case_moved
from callcenter.tickets.actions.outages import follow_outage
from callcenter.tickets.actions.proving import meters_proved
from callcenter.tickets.types import TicketClosed, TicketRestored
from customers.api.types import ApplicationAdvanced
from foundation.outbox import Handler
from loadmgmt.api.types import AlertsCleared, OutageChanged

HANDLERS = [
    Handler(AlertsCleared, meters_proved, "the meter's recovery finishes a restored ticket"),
    Handler(OutageChanged, follow_outage, "an outage has one ticket, its end finishes it"),
    Handler(OutageChanged, tell_outage_changed, "callers hear when supply is expected back"),
    Handler(TicketRestored, list_callers, "those who reported it are told and called back"),
    Handler(TicketClosed, drop_waiting, "an archived ticket needs no more call-backs"),
    Handler(ApplicationAdvanced, tell_case_moved, "an applicant hears where the case stands"),
]
