"""What the phone switch tells: each event once, in any order, and what follows from it."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from callcenter.calls.actions.seats import follow_call
from callcenter.calls.models import Call, CallEventRow, Seat
from callcenter.calls.rules.merging import merged
from callcenter.calls.types import (
    CallEvent,
    CallReason,
    CallState,
    EventKind,
    EventKnown,
    Taken,
)
from customers.api.archive import match_phone, plain_number
from foundation import clock
from foundation.actor import Actor
from foundation.db import keyed_hash
from foundation.events import Signal
from foundation.outbox import signal
from loadmgmt.api.outages import report
from metering.api.devices import meter_cards
from metering.api.requests import ask

_WAITING = frozenset({EventKind.QUEUE, EventKind.RING})


def take_event(session: Session, actor: Actor, event: CallEvent) -> Taken:
    """Take one event of the switch.

    Events may come twice and in any order: the call is made of all of them together, so
    that its state does not depend on the order of arrival.

    Raises:
        EventKnown: it was taken before; nothing changes.
    """
    call = _held(session, event)
    _keep(session, call, event)
    before, rang = call.agent_id, call.rang_at
    _apply(session, call)
    if call.point_id is None and call.outcome is None:
        _recognise(session, call)
    if call.rang_at is not None and rang is None:
        ask_meter(session, actor, call.point_id)
    if event.kind in _WAITING and call.outcome is None:
        _report(session, actor, call)
    session.flush()
    follow_call(session, actor, call, before=before)
    _tell(session, call)
    return Taken(call.id, call.state, call.agent_id)


def _held(session: Session, event: CallEvent) -> Call:
    session.execute(
        insert(Call)
        .values(
            switch_call_id=event.call,
            state=CallState.QUEUED,
            reason=event.reason,
            called=event.called,
            extension="",
            started_at=event.at,
            held_s=0,
            note="",
            notify=False,
            callback=False,
            version=1,
        )
        .on_conflict_do_nothing()
    )
    return session.scalars(
        select(Call)
        .where(Call.switch_call_id == event.call)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def _keep(session: Session, call: Call, event: CallEvent) -> None:
    fresh = session.scalar(
        insert(CallEventRow)
        .values(
            event=event.event,
            call_id=call.id,
            kind=event.kind,
            at=event.at,
            sequence=event.sequence,
            caller=plain_number(event.caller) if event.caller else None,
            called=event.called,
            extension=event.extension,
            reason=event.reason,
            taken_at=clock.now(),
        )
        .on_conflict_do_nothing()
        .returning(CallEventRow.id)
    )
    if fresh is None:
        raise EventKnown(event=event.event)


def _apply(session: Session, call: Call) -> None:
    rows = session.execute(
        select(
            CallEventRow.event,
            CallEventRow.kind,
            CallEventRow.at,
            CallEventRow.sequence,
            CallEventRow.caller,
            CallEventRow.called,
            CallEventRow.extension,
            CallEventRow.reason,
        ).where(CallEventRow.call_id == call.id)
    )
    facts = merged(
        [
            CallEvent(
                event=row.event,
                call=call.switch_call_id,
                kind=row.kind,
                at=row.at,
                sequence=row.sequence,
                caller=row.caller,
                called=row.called,
                extension=row.extension,
                reason=row.reason,
            )
            for row in rows
        ]
    )
    call.state, call.reason = facts.state, facts.reason
    call.caller = facts.caller
    call.caller_hash = keyed_hash(facts.caller) if facts.caller else None
    call.called, call.extension = facts.called, facts.extension
    call.started_at, call.rang_at = facts.started_at, facts.rang_at
    call.answered_at, call.ended_at = facts.answered_at, facts.ended_at
    call.held_since, call.held_s = facts.held_since, facts.held_s
    if facts.extension:
        call.agent_id = session.scalar(
            select(Seat.person_id).where(Seat.extension == facts.extension)
        )


def _recognise(session: Session, call: Call) -> None:
    """Choose the account of the number, if the number has one only."""
    found = match_phone(session, call.caller) if call.caller else []
    if len(found) == 1:
        call.point_id = found[0].point_id


def ask_meter(session: Session, actor: Actor, point_id: int | None) -> None:
    """Ask a point's meter for its values now, if it has one that can be asked."""
    meter = meter_cards(session, [point_id]).get(point_id) if point_id is not None else None
    if meter is not None and meter.terminal_id is not None:
        ask(session, actor, meter.meter_id)


def _report(session: Session, actor: Actor, call: Call) -> None:
    """Let a caller who chose "fault" count as a report, before anybody answers."""
    if call.reason is not CallReason.FAULT or call.point_id is None:
        return
    reported = report(
        session,
        actor,
        point_id=call.point_id,
        source="call",
        ref=call.id,
        at=call.started_at,
    )
    if reported.outage is not None:
        call.outage_id = reported.outage.id


def _tell(session: Session, call: Call) -> None:
    signal(session, Signal("calls", str(call.id)), Signal("queue"))
    if call.agent_id is not None:
        signal(session, Signal("call", str(call.agent_id), call.id))
