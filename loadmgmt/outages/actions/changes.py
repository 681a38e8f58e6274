"""One change of an outage: its state, its history, the audit, the event and the signal."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from foundation import clock
from foundation.actor import Actor
from foundation.audit import Act, record
from foundation.errors import NotFound
from foundation.events import Signal
from foundation.outbox import publish, signal
from loadmgmt.outages.models import Outage, OutageHistory
from loadmgmt.outages.rules.moves import may_move
from loadmgmt.outages.types import OutageChanged, OutageMoved, OutageMoveRefused, OutageState

OUTAGE_CHANGED = Act.of("outage.changed", "what", "from_state", "to_state", "note")


def held(session: Session, outage_no: str, *, version: int | None) -> Outage:
    """Give an outage, held until the caller's transaction ends.

    Args:
        session: the caller's transaction.
        outage_no: the outage.
        version: as the caller saw it; None for the system.

    Raises:
        NotFound: no such outage.
        OutageMoved: the version is no longer current.
    """
    return _checked(session, _locked(session, Outage.outage_no == outage_no), outage_no, version)


def held_by_id(session: Session, outage_id: int) -> Outage:
    """Give an outage by its row, held until the caller's transaction ends.

    Raises:
        NotFound: no such outage.
    """
    return _checked(session, _locked(session, Outage.id == outage_id), str(outage_id), None)


def _locked(session: Session, which: ColumnElement[bool]) -> Outage | None:
    statement = select(Outage).where(which).with_for_update(key_share=True)
    return session.scalar(statement.execution_options(populate_existing=True))


def _checked(session: Session, row: Outage | None, number: str, version: int | None) -> Outage:
    if row is None:
        raise NotFound(what="outage", id=number)
    if version is not None and row.version != version:
        last = session.execute(
            select(OutageHistory.actor_name, OutageHistory.at)
            .where(OutageHistory.outage_id == row.id)
            .order_by(OutageHistory.id.desc())
            .limit(1)
        ).one()
        raise OutageMoved(outage_no=row.outage_no, by=last[0], at=last[1], state=row.state)
    return row


def change(
    session: Session,
    actor: Actor,
    row: Outage,
    what: str,
    *,
    target: OutageState | None = None,
    note: str = "",
    eta_before: datetime | None = None,
    still_dark: Sequence[int] = (),
) -> None:
    """Write down a change of an outage that is held, and tell who listens.

    Raises:
        OutageMoveRefused: its state has no such move.
    """
    before = row.state
    if target is not None and target is not before:
        if not may_move(before, target):
            raise OutageMoveRefused(outage_no=row.outage_no, state=before, target=target)
        row.state = target
    row.version += 1
    remember(session, actor, row, what, before=before, note=note, eta_before=eta_before)
    tell(session, actor, row, what, still_dark=still_dark)


def remember(
    session: Session,
    actor: Actor,
    row: Outage,
    what: str,
    *,
    before: OutageState | None,
    note: str = "",
    eta_before: datetime | None = None,
) -> None:
    """Add a line to an outage's history and to the audit."""
    session.add(
        OutageHistory(
            outage_id=row.id,
            at=clock.now(),
            what=what,
            from_state=before,
            to_state=row.state,
            actor_id=actor.id,
            actor_name=actor.name,
            note=note.strip(),
            eta_before=eta_before,
            eta_at=row.eta_at,
        )
    )
    record(
        session,
        actor,
        OUTAGE_CHANGED,
        subject=("outage", row.outage_no),
        what=what,
        from_state=before,
        to_state=row.state,
        note=note,
    )
    session.flush()


def tell(
    session: Session, actor: Actor, row: Outage, what: str, *, still_dark: Sequence[int] = ()
) -> None:
    """Publish what happened to an outage and hint to open screens."""
    entry = {
        "id": row.id,
        "outage_no": row.outage_no,
        "what": what,
        "state": row.state.value,
        "source": row.source.value,
        "area_id": row.area_id,
        "ticket_no": row.ticket_no,
        "still_dark": list(still_dark),
    }
    publish(session, actor, OutageChanged((entry,)))
    signal(session, Signal("outages"), Signal("outage", row.outage_no, row.version))
