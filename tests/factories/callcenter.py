"""The least of a call, a seat, a street with a common transformer."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from sqlalchemy.orm import Session

from callcenter.callbacks.actions.listing import list_callers
from callcenter.calls.actions.seats import choose_state, sit_at
from callcenter.calls.actions.switching import take_event
from callcenter.calls.types import (
    NOTHING,
    AgentState,
    CallEvent,
    CallReason,
    EventKind,
    FaultReport,
    Taken,
)
from callcenter.tickets.actions.moving import move_ticket
from callcenter.tickets.queries import ticket_card
from foundation import clock
from foundation.actor import Actor, Role
from tests.factories import customers, foundation, metering
from tests.factories.foundation import SYSTEM
from tests.factories.metering import Fitted
from tests.factories.webapp import Portal

_NUMBERS = count(1)
NO_POWER = FaultReport(title="全户无电", symptom="no_power", dangers=(NOTHING,), safety_asked=True)


@dataclass(frozen=True)
class House:
    """A supplied point and its customer's telephone."""

    meter: Fitted
    phone: str
    account_no: str


def street(
    session: Session, houses: int, *, read: int = 0, boxes: int = 1, life_support: bool = False
) -> list[House]:
    """Build houses behind one transformer, each with a telephone of its own.

    Args:
        session: the test's transaction.
        houses: how many.
        read: how many of them have a terminal.
        boxes: over how many meter boxes they are spread.
        life_support: whether the first house depends on supply.
    """
    area = metering.area(session)
    found = []
    for index in range(houses):
        meter = metering.meter(
            session,
            place=area,
            profile="demo_single" if index < read else None,
            box_no=f"B-{area[1][3:]}-{index % boxes:02d}",
        )
        phone = f"139{next(_NUMBERS):08d}"
        account_no = customers.account(
            session,
            meter.point_id,
            phone=phone,
            address=f"{area[1]} 试验里 {index + 1} 号",
            life_support_until=clock.business_date() + timedelta(days=90)
            if life_support and not index
            else None,
        )
        found.append(House(meter, phone, account_no))
    return found


def agent(session: Session, *, ready: bool = True) -> Actor:
    """Sit an agent down at an extension of their own."""
    one = foundation.person(session, Role.AGENT)
    sit_at(session, one, extension_of(one))
    if ready:
        choose_state(session, one, AgentState.READY)
    return one


def extension_of(one: Actor) -> str:
    """Give an agent's extension: their staff number."""
    return one.staff_no


def told(
    session: Session,
    call: str,
    kind: EventKind,
    *,
    at: datetime | None = None,
    caller: str | None = None,
    to: Actor | None = None,
    reason: CallReason = CallReason.NONE,
    sequence: int | None = None,
    event: str = "",
) -> Taken:
    """Let the switch tell one event of a call."""
    return take_event(
        session,
        SYSTEM,
        CallEvent(
            event=event or f"{call}-{kind}-{next(_NUMBERS)}",
            call=call,
            kind=kind,
            at=at or clock.now(),
            sequence=sequence,
            caller=caller,
            called="95598",
            extension=extension_of(to) if to else "",
            reason=reason,
        ),
    )


def answered(
    session: Session,
    one: Actor,
    caller: str | None,
    *,
    reason: CallReason = CallReason.NONE,
) -> int:
    """Let a call ring at an agent who answers it; give its row."""
    call = f"call-{next(_NUMBERS)}"
    told(session, call, EventKind.RING, caller=caller, to=one, reason=reason)
    return told(session, call, EventKind.ANSWER, to=one).call_id


def mend(portal: Portal, ticket_no: str) -> None:
    """Let the town's crew mend a fault, a dispatcher confirm it, and the list hear of it."""
    done = portal.card(ticket_no).step
    steps: list[tuple[str, str, dict[str, object]]] = [
        ("dispatcher", "dispatch", {"crew_id": str(portal.town.crew_id)}),
        ("crew", "accept", {}),
        ("crew", "arrive", {}),
        ("crew", "begin", {"measures": ["no_voltage", "earthed", "no_back_feed", "signs"]}),
        ("crew", "restore", {"cause": "loose_connection", "work_done": "紧固接线"}),
    ]
    for username, move, form in steps[0 if done == "new" else 1 :]:
        portal.move(ticket_no, username, move, **form)
    with portal.work() as session:
        dispatcher = portal.town.people["dispatcher"]
        version = ticket_card(session, ticket_no).version
        move_ticket(session, dispatcher, ticket_no, "finish", version=version, note="电话确认有电")
        list_callers(session, SYSTEM, {"tickets": [{"ticket_no": ticket_no}]})
