"""What an agent makes of a call: the account, the fault, the outage, the end."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.calls.actions.seats import finish_wrap_up
from callcenter.calls.actions.switching import ask_meter
from callcenter.calls.models import Call
from callcenter.calls.queries.pop import repeat_of, supply_of
from callcenter.calls.rules.reporting import (
    dangers_of,
    may_be_outage,
    priority_of,
    problems_of,
)
from callcenter.calls.types import (
    CallChanged,
    CallFinished,
    CallOutcome,
    FaultReport,
    Logged,
    NoteNeeded,
    PointMissing,
)
from callcenter.messages.actions import send
from callcenter.messages.outages import facts_of_outage, template_for_caller
from callcenter.tickets.actions.moving import add_dangers, add_note, move_ticket
from callcenter.tickets.actions.opening import open_ticket
from callcenter.tickets.actions.outages import ticket_for_outage
from callcenter.tickets.queries import ticket_card, tickets_at
from callcenter.tickets.types import NewTicket, TicketKind, TicketSource
from foundation import clock
from foundation.actor import Actor
from foundation.audit import Act, record
from foundation.errors import NotFound
from foundation.events import Signal
from foundation.flow.forms import FormRefused
from foundation.outbox import signal
from loadmgmt.api.alerts import alerts_at
from loadmgmt.api.outages import attach, report
from loadmgmt.api.types import AlertState, OutageCard, OutageKind

POINT_CHOSEN = Act.of("call.point_chosen", "point_id")
CALL_FINISHED = Act.of("call.finished", "outcome", "ticket_no", "outage_no", "note")
WITHOUT_TICKET = frozenset(
    {
        CallOutcome.ANSWERED,
        CallOutcome.INSIDE,
        CallOutcome.WRONG_NUMBER,
        CallOutcome.DROPPED,
    }
)


def held_call(session: Session, call_id: int, *, version: int | None) -> Call:
    """Give an unfinished call, held until the caller's transaction ends.

    Raises:
        NotFound: there is none.
        CallFinished: somebody finished it.
        CallChanged: somebody chose another account since.
    """
    call = session.scalar(
        select(Call)
        .where(Call.id == call_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if call is None:
        raise NotFound(what="call", id=call_id)
    if call.outcome is not None:
        raise CallFinished(
            by=call.outcome_by,
            at=call.outcome_at,
            outcome=call.outcome,
            number=call.ticket_no or "",
        )
    if version is not None and call.version != version:
        raise CallChanged(by=call.changed_by, at=call.changed_at)
    return call


def choose_point(
    session: Session, actor: Actor, call_id: int, *, version: int, point_id: int | None
) -> None:
    """Say which account a call is about, and ask its meter at once; None: none of these."""
    call = held_call(session, call_id, version=version)
    call.point_id = point_id
    _changed(session, actor, call)
    record(session, actor, POINT_CHOSEN, subject=("call", call.id), point_id=point_id)
    ask_meter(session, actor, point_id)


def log_fault(
    session: Session,
    actor: Actor,
    call_id: int,
    fault: FaultReport,
    *,
    version: int,
    apart: bool = False,
) -> Logged:
    """Log a fault: it joins the outage or the ticket that explains it, else opens a ticket.

    Args:
        session: the caller's transaction.
        actor: the agent.
        call_id: the call.
        fault: what was said.
        version: of the call, as seen.
        apart: open a ticket of its own even if an outage or a ticket explains it.

    Raises:
        FormRefused: something is missing.
        CallFinished, CallChanged: somebody was faster.
    """
    call = _checked(session, call_id, fault, version=version)
    if call.point_id is not None and may_be_outage(fault) and not apart:
        reported = report(
            session,
            actor,
            point_id=call.point_id,
            source="call",
            ref=call.id,
            at=call.started_at,
        )
        if reported.outage is not None:
            return _joined(session, actor, call, fault, reported.outage)
    repeat = repeat_of(tickets_at(session, [call.point_id])) if call.point_id else None
    if repeat is not None and not apart:
        return _added(session, actor, call, fault, repeat.ticket_no)
    return _opened(session, actor, call, fault, apart=apart)


def attach_call(
    session: Session,
    actor: Actor,
    call_id: int,
    fault: FaultReport,
    *,
    version: int,
    outage_no: str,
) -> Logged:
    """Attach a call to an outage because the agent says so; no ticket of its own.

    Raises:
        FormRefused, CallFinished, CallChanged, NotFound.
        PointMissing: nobody knows which account is meant.
    """
    call = _checked(session, call_id, fault, version=version)
    if call.point_id is None:
        raise PointMissing(field="point")
    reported = attach(
        session,
        actor,
        outage_no,
        point_id=call.point_id,
        source="call",
        ref=call.id,
        at=call.started_at,
    )
    if reported.outage is None:
        raise NotFound(what="outage", id=outage_no)
    return _joined(session, actor, call, fault, reported.outage)


def add_to_ticket(
    session: Session,
    actor: Actor,
    call_id: int,
    fault: FaultReport,
    *,
    version: int,
    ticket_no: str,
) -> Logged:
    """Add what the caller says to a ticket that is open already."""
    call = held_call(session, call_id, version=version)
    _keep_contact(call, fault)
    return _added(session, actor, call, fault, ticket_no)


def close_call(
    session: Session,
    actor: Actor,
    call_id: int,
    *,
    version: int,
    outcome: CallOutcome,
    note: str,
) -> None:
    """Finish a call that leaves no ticket.

    Raises:
        NoteNeeded: nothing says what the caller was told.
        CallFinished, CallChanged.
    """
    call = held_call(session, call_id, version=version)
    if outcome not in WITHOUT_TICKET:
        raise NoteNeeded(field="outcome")
    if outcome is CallOutcome.ANSWERED and not note.strip():
        raise NoteNeeded(field="note")
    _finish(session, actor, call, outcome, note=note)


def _checked(session: Session, call_id: int, fault: FaultReport, *, version: int) -> Call:
    call = held_call(session, call_id, version=version)
    problems = problems_of(fault, has_point=call.point_id is not None)
    if problems:
        raise FormRefused(problems, form="fault")
    _keep_contact(call, fault)
    return call


def _keep_contact(call: Call, fault: FaultReport) -> None:
    call.contact_name = fault.contact_name.strip() or None
    call.contact_phone = fault.contact_phone or call.caller
    call.notify, call.callback = fault.notify, fault.callback


def _joined(
    session: Session, actor: Actor, call: Call, fault: FaultReport, outage: OutageCard
) -> Logged:
    call.outage_id = outage.id
    ticket_no = None
    if outage.kind is OutageKind.FAULT and outage.is_open:
        ticket_no = ticket_for_outage(session, actor, outage.id)
        _add(session, actor, call, fault, ticket_no)
    if call.notify:
        send(
            session,
            actor,
            template_for_caller(outage),
            to=call.contact_phone,
            facts=facts_of_outage(session, outage),
            about=("outage", outage.outage_no),
        )
    _finish(
        session,
        actor,
        call,
        CallOutcome.OUTAGE,
        ticket_no=ticket_no,
        outage_no=outage.outage_no,
        note=fault.description,
    )
    return Logged(CallOutcome.OUTAGE, ticket_no, outage.outage_no)


def _added(
    session: Session, actor: Actor, call: Call, fault: FaultReport, ticket_no: str
) -> Logged:
    ticket_card(session, ticket_no)
    _add(session, actor, call, fault, ticket_no)
    _finish(session, actor, call, CallOutcome.ADDED, ticket_no=ticket_no, note=fault.description)
    return Logged(CallOutcome.ADDED, ticket_no, None)


def _add(session: Session, actor: Actor, call: Call, fault: FaultReport, ticket_no: str) -> None:
    add_note(session, actor, ticket_no, _line(call, fault))
    add_dangers(session, actor, ticket_no, dangers_of(fault.dangers))


def _line(call: Call, fault: FaultReport) -> str:
    """Say in one line of the ticket what this caller adds; no number, tickets show that apart."""
    parts = (fault.title, call.contact_name, fault.description.strip(), fault.address.strip())
    return " · ".join(part for part in parts if part)


def _opened(
    session: Session, actor: Actor, call: Call, fault: FaultReport, *, apart: bool
) -> Logged:
    supply = supply_of(session, call.point_id)
    ticket_no = open_ticket(
        session,
        actor,
        NewTicket(
            kind=TicketKind.REPAIR,
            title=fault.title,
            source=TicketSource.CALL,
            description=fault.description,
            priority=priority_of(fault, sensitive=bool(supply and supply.is_sensitive)),
            point_id=call.point_id,
            alert_id=_free_alert(session, call.point_id),
            contact_name=fault.contact_name,
            contact_phone=call.contact_phone or "",
            notify=fault.notify,
            apart=apart,
            evidence={
                "symptom": fault.symptom,
                "dangers": list(dangers_of(fault.dangers)),
                "backup": fault.backup,
                "address": fault.address.strip(),
                "call_id": call.id,
            },
        ),
    )
    if fault.crew_id is not None:
        form = {"crew_id": str(fault.crew_id)}
        move_ticket(session, actor, ticket_no, "dispatch", version=1, form=form)
    call.outage_id = None
    _finish(session, actor, call, CallOutcome.TICKET, ticket_no=ticket_no, note=fault.description)
    return Logged(CallOutcome.TICKET, ticket_no, None)


def _free_alert(session: Session, point_id: int | None) -> int | None:
    """Give the standing alert of a point that no ticket works on: its end proves the repair."""
    if point_id is None:
        return None
    open_states = {AlertState.OPEN, AlertState.ACKED}
    return next(
        (
            one.id
            for one in alerts_at(session, [point_id])
            if one.state in open_states and one.ticket_no is None and not one.is_theft
        ),
        None,
    )


def _changed(session: Session, actor: Actor, call: Call) -> None:
    call.version += 1
    call.changed_by, call.changed_at = actor.name, clock.now()
    session.flush()
    signal(session, Signal("calls", str(call.id), call.version))
    for person in {call.agent_id, actor.id} - {None}:
        signal(session, Signal("call", str(person), call.id))


def _finish(
    session: Session,
    actor: Actor,
    call: Call,
    outcome: CallOutcome,
    *,
    ticket_no: str | None = None,
    outage_no: str = "",
    note: str = "",
) -> None:
    call.outcome, call.outcome_by, call.outcome_at = outcome, actor.name, clock.now()
    call.ticket_no, call.note = ticket_no, note.strip()
    _changed(session, actor, call)
    record(
        session,
        actor,
        CALL_FINISHED,
        subject=("call", call.id),
        outcome=outcome,
        ticket_no=ticket_no,
        outage_no=outage_no,
        note=note,
    )
    if not call.state.is_live:
        finish_wrap_up(session, actor, call)
