"""The call bar: on every staff page while the person has a call."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from callcenter.api.calls import call_card, seat_of
from callcenter.api.types import AgentState, CallCard, SeatCard
from foundation import clock
from foundation.actor import Actor
from foundation.settings import settings
from webapp.auth.permissions import Permission, may

WITH_CALL = frozenset({AgentState.RINGING, AgentState.ON_CALL, AgentState.WRAP_UP})


@dataclass(frozen=True, slots=True)
class CallBar:
    """What the bar shows.

    Attributes:
        topic: signals that concern it.
        call: the call on the line or being wrapped up; None hides the bar.
        since: what the timer counts from.
        lasted: how long that is now.
        simulated: whether the buttons of a simulated telephone are shown.
    """

    topic: str
    seat: SeatCard | None
    call: CallCard | None
    since: datetime | None
    lasted: timedelta | None
    simulated: bool


def bar_of(session: Session, actor: Actor) -> CallBar | None:
    """Give a person's call bar; None for who takes no calls."""
    if not may(actor, Permission.TAKE_CALLS):
        return None
    seat = seat_of(session, actor.id)
    call = None
    if seat is not None and seat.call_id is not None and seat.state in WITH_CALL:
        call = call_card(session, seat.call_id)
    since = _since(call)
    lasted = clock.now() - since if since else None
    simulated = settings().demo
    return CallBar(f"call:{actor.id}", seat, call, since, lasted, simulated)


def _since(call: CallCard | None) -> datetime | None:
    if call is None:
        return None
    return call.answered_at or call.rang_at or call.started_at
