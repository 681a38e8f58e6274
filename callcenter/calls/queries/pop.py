"""What pops up when the phone rings: the caller, the meter, the outage, what is open already."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, false, func, select
from sqlalchemy.orm import Session

from callcenter.calls.books import desk_rules
from callcenter.calls.models import Call
from callcenter.calls.queries.cards import call_card
from callcenter.calls.types import CallCard, CallerView, Contact
from callcenter.tickets.queries import tickets_at
from callcenter.tickets.types import TicketCard, TicketKind
from customers.api.applications import open_cases
from customers.api.archive import contact_at, match_phone, supply_cards
from customers.api.types import Contact as AccountContact
from customers.api.types import SupplyCard
from foundation import clock
from foundation.db import keyed_hash
from loadmgmt.api.alerts import alerts_at
from loadmgmt.api.outages import look_around, matches
from loadmgmt.api.types import AlertCard, OutageMatch, Surroundings
from metering.api.devices import meter_cards
from metering.api.readings import latest
from metering.api.requests import newest_request
from metering.api.types import LatestReading, MeterCard, ReadRequestCard

LAST_CONTACTS = 5


@dataclass(frozen=True, slots=True)
class MeterView:
    """The caller's meter, its newest values, and what the on-demand read came to."""

    meter: MeterCard
    latest: LatestReading | None
    request: ReadRequestCard | None


@dataclass(frozen=True, slots=True)
class ScreenPop:
    """All that is known of a call; what nobody can know yet is None.

    Attributes:
        meter: None where no meter stands at the point, or no point is chosen.
        around: None where no point is chosen.
        matches: outages that may explain it, best first.
        repeat: the open ticket this call belongs to, if it is about the same thing.
        cases: numbers of the open applications of the account or the number that calls.
        arrears: what is owed; None: not known here.
    """

    call: CallCard
    caller: CallerView
    contact: AccountContact | None
    meter: MeterView | None
    around: Surroundings | None
    matches: tuple[OutageMatch, ...]
    alerts: tuple[AlertCard, ...]
    tickets: tuple[TicketCard, ...]
    repeat: TicketCard | None
    contacts: tuple[Contact, ...]
    cases: tuple[str, ...] = ()
    arrears: str | None = None


def screen_pop(session: Session, call_id: int) -> ScreenPop:
    """Give all that is known of a call.

    Raises:
        NotFound: no such call.
    """
    call = call_card(session, call_id)
    point = call.point_id
    around = look_around(session, point) if point is not None else None
    tickets = tickets_at(session, [point], limit=20) if point is not None else []
    return ScreenPop(
        call=call,
        caller=caller_view(session, call),
        contact=contact_at(session, point) if point is not None else None,
        meter=meter_view(session, point),
        around=around,
        matches=tuple(matches(session, around)) if around is not None else (),
        alerts=tuple(alerts_at(session, [point])) if point is not None else (),
        tickets=tuple(one for one in tickets if one.ended_at is None),
        repeat=repeat_of(tickets),
        contacts=tuple(_contacts(session, call, tickets)),
        cases=tuple(open_cases(session, phone=call.caller or "", point_id=point)),
    )


def caller_view(session: Session, call: CallCard) -> CallerView:
    """Give the accounts of a call's number, the most recently used first."""
    choices = match_phone(session, call.caller) if call.caller else []
    used = _last_used(session, call)
    choices.sort(key=lambda one: (-used.get(one.point_id, 0.0), one.account_no))
    chosen = None
    if call.point_id is not None:
        chosen = supply_cards(session, [call.point_id]).get(call.point_id)
    return CallerView(chosen, tuple(choices))


def _last_used(session: Session, call: CallCard) -> dict[int, float]:
    if not call.caller:
        return {}
    rows = session.execute(
        select(Call.point_id, func.max(Call.started_at))
        .where(
            Call.caller_hash == keyed_hash(call.caller),
            Call.point_id.is_not(None),
            Call.id != call.id,
        )
        .group_by(Call.point_id)
    )
    return {point: at.timestamp() for point, at in rows if point is not None}


def meter_view(session: Session, point_id: int | None) -> MeterView | None:
    """Give a point's meter with its newest values; None where there is none."""
    meter = meter_cards(session, [point_id]).get(point_id) if point_id is not None else None
    if meter is None:
        return None
    newest = latest(session, [meter.meter_id]).get(meter.meter_id)
    return MeterView(meter, newest, newest_request(session, meter.meter_id))


def repeat_of(tickets: list[TicketCard]) -> TicketCard | None:
    """Give the open repair ticket so young that another report is no new one."""
    since = clock.now() - timedelta(hours=desk_rules().repeat_hours)
    young = [
        one
        for one in tickets
        if one.ended_at is None and one.kind is TicketKind.REPAIR and one.opened_at >= since
    ]
    return young[0] if young else None


def _contacts(session: Session, call: CallCard, tickets: list[TicketCard]) -> list[Contact]:
    mine: ColumnElement[bool] = (
        false()
    )  # of a caller nobody knows there is nothing, least of all what others said
    if call.point_id is not None:
        mine |= Call.point_id == call.point_id
    if call.caller:
        mine |= Call.caller_hash == keyed_hash(call.caller)
    rows = session.execute(
        select(Call.started_at, Call.outcome, Call.ticket_no, Call.note)
        .where(mine, Call.id != call.id, Call.started_at < call.started_at)
        .order_by(Call.started_at.desc())
        .limit(LAST_CONTACTS)
    )
    past = [
        Contact(at, f"call.{outcome.value if outcome else 'open'}", number or "", note)
        for at, outcome, number, note in rows
    ]
    past += [
        Contact(one.opened_at, f"ticket.{one.status}", one.ticket_no, one.title) for one in tickets
    ]
    return sorted(past, key=lambda one: one.at, reverse=True)[:LAST_CONTACTS]


def supply_of(session: Session, point_id: int | None) -> SupplyCard | None:
    """Give who is supplied at a point, if anybody is."""
    return supply_cards(session, [point_id]).get(point_id) if point_id is not None else None
