"""What people and tickets do to an outage: confirm, expect, explain, work, end."""

from datetime import datetime

from sqlalchemy.orm import Session

from foundation import clock
from foundation.actor import Actor
from loadmgmt.outages.actions.changes import change, held, held_by_id
from loadmgmt.outages.rules.moves import moves_later
from loadmgmt.outages.types import (
    EtaReasonMissing,
    EtaRefused,
    OutageNoteMissing,
    OutageState,
)

_BEFORE_WORK = frozenset({OutageState.DETECTED, OutageState.CONFIRMED})


def confirm_outage(session: Session, actor: Actor, outage_no: str, *, version: int) -> None:
    """Confirm that a detected outage is one."""
    row = held(session, outage_no, version=version)
    change(session, actor, row, "confirmed", target=OutageState.CONFIRMED)


def set_eta(
    session: Session,
    actor: Actor,
    outage_no: str,
    *,
    version: int,
    eta_at: datetime,
    reason: str = "",
) -> None:
    """Say when supply is expected back.

    Raises:
        EtaRefused: that is before it began.
        EtaReasonMissing: it moves later and nobody says why.
    """
    row = held(session, outage_no, version=version)
    if eta_at <= row.started_at:
        raise EtaRefused(field="eta_at")
    before = row.eta_at
    if moves_later(before, eta_at) and not reason.strip():
        raise EtaReasonMissing(field="reason")
    row.eta_at = eta_at
    change(session, actor, row, "eta", note=reason, eta_before=before)


def set_cause(session: Session, actor: Actor, outage_no: str, *, version: int, cause: str) -> None:
    """Say what caused an outage."""
    row = held(session, outage_no, version=version)
    row.cause = cause.strip()
    change(session, actor, row, "cause", note=cause)


def end_outage(
    session: Session, actor: Actor, outage_no: str, *, version: int | None, note: str
) -> None:
    """Call an outage over on a person's word.

    Raises:
        OutageNoteMissing: nothing says how it is known.
    """
    if not note.strip():
        raise OutageNoteMissing(field="note")
    row = held(session, outage_no, version=version)
    if row.restored_at is None:
        row.restored_at = clock.now()
        change(session, actor, row, "restored", target=OutageState.RESTORED, note=note)


def take_ticket(session: Session, actor: Actor, outage_id: int, *, ticket_no: str) -> str:
    """Note that a repair ticket works on an outage; give the ticket that does.

    The outage is held meanwhile: of two that come with a ticket, the first one's stands.
    """
    row = held_by_id(session, outage_id)
    if row.ticket_no is not None:
        return row.ticket_no
    row.ticket_no = ticket_no
    target = OutageState.SENT if row.state in _BEFORE_WORK else None
    change(session, actor, row, "ticket", target=target, note=ticket_no)
    return ticket_no


def ticket_of(session: Session, outage_id: int) -> str | None:
    """Give the ticket that works on an outage, the outage held until the caller ends."""
    return held_by_id(session, outage_id).ticket_no


def drop_ticket(session: Session, actor: Actor, outage_id: int, *, note: str) -> None:
    """Give an outage back to the dispatcher: its ticket was voided or is of a later round."""
    row = held_by_id(session, outage_id)
    row.ticket_no = None
    open_again = row.state in {OutageState.SENT, OutageState.REPAIRING}
    target = OutageState.CONFIRMED if open_again else None
    change(session, actor, row, "ticket_dropped", target=target, note=note)


def work_begun(session: Session, actor: Actor, outage_id: int) -> None:
    """Note that the crew is on site."""
    row = held_by_id(session, outage_id)
    if row.state in {*_BEFORE_WORK, OutageState.SENT}:
        change(session, actor, row, "working", target=OutageState.REPAIRING)
