"""What people do to an alert: acknowledge, suppress, call false, work, close."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation import clock
from foundation.actor import Actor
from foundation.audit import Act, record
from foundation.errors import NotFound
from foundation.events import Signal
from foundation.outbox import signal
from loadmgmt.alerts.models import Alert, AlertHistory
from loadmgmt.alerts.rules.moves import may_move
from loadmgmt.alerts.types import AlertChanged, AlertMoveRefused, AlertState, ReasonMissing

ALERT_MOVED = Act.of("alert.moved", "what", "from_state", "to_state", "note")
ENDED = frozenset({AlertState.CLEARED})


def acknowledge(session: Session, actor: Actor, alert_id: int, *, version: int) -> None:
    """Take note of an alert: from now on this person handles it."""
    _move(session, actor, alert_id, AlertState.ACKED, "acknowledged", version=version)


def suppress(
    session: Session, actor: Actor, alert_id: int, *, version: int, minutes: int, reason: str = ""
) -> None:
    """Keep an alert quiet for a while; it comes back if it still stands.

    Args:
        session: the caller's transaction.
        actor: who does it.
        alert_id: the alert.
        version: as seen.
        minutes: for how long.
        reason: why.
    """
    alert = _move(
        session, actor, alert_id, AlertState.SUPPRESSED, "suppressed", version=version, note=reason
    )
    alert.suppressed_until = clock.now() + timedelta(minutes=minutes)


def call_false(session: Session, actor: Actor, alert_id: int, *, version: int, reason: str) -> None:
    """Call an alert false; it stays quiet until its condition has ended once.

    Raises:
        ReasonMissing: no reason was given.
    """
    if not reason.strip():
        raise ReasonMissing(field="reason")
    _move(session, actor, alert_id, AlertState.FALSE, "called_false", version=version, note=reason)


def take_into_work(session: Session, actor: Actor, alert_id: int, *, ticket_no: str) -> None:
    """Note that a ticket works on the alert."""
    alert = _move(
        session, actor, alert_id, AlertState.WORKING, "ticket_opened", version=None, note=ticket_no
    )
    alert.ticket_no = ticket_no


def close_alert(
    session: Session, actor: Actor, alert_id: int, *, finding: str, version: int | None = None
) -> None:
    """End an alert by hand or by its ticket; one that has ended by itself stays as it is.

    By hand, so with a version, only what does not end by itself may be ended: a false
    alarm, or a theft alert whose condition is over.

    Raises:
        ReasonMissing: no finding was given.
    """
    if not finding.strip():
        raise ReasonMissing(field="finding")
    alert = session.get(Alert, alert_id, populate_existing=True)
    if alert is None:
        raise NotFound(what="alert", id=alert_id)
    if alert.ended_at is not None:
        return
    over = alert.condition_ended_at is not None or alert.state is AlertState.FALSE
    if version is not None and not over:
        raise AlertMoveRefused(state=alert.state, target=AlertState.CLEARED)
    _move(session, actor, alert_id, AlertState.CLEARED, "closed", version=version, note=finding)


def release_from_ticket(session: Session, actor: Actor, alert_id: int, *, note: str) -> None:
    """Give an alert back to the dispatcher: its ticket was voided."""
    state = session.scalar(select(Alert.state).where(Alert.id == alert_id))
    if state is AlertState.WORKING:
        alert = _move(
            session, actor, alert_id, AlertState.ACKED, "ticket_voided", version=None, note=note
        )
        alert.ticket_no = None


def wake_suppressed(session: Session, actor: Actor) -> int:
    """Bring back suppressed alerts whose time is over; give how many."""
    due = session.scalars(
        select(Alert.id).where(
            Alert.state == AlertState.SUPPRESSED,
            Alert.ended_at.is_(None),
            Alert.suppressed_until <= clock.now(),
        )
    ).all()
    for alert_id in due:  # a handful: people suppress alerts one by one
        _move(session, actor, alert_id, AlertState.OPEN, "woke", version=None)
    return len(due)


def _move(
    session: Session,
    actor: Actor,
    alert_id: int,
    target: AlertState,
    what: str,
    *,
    version: int | None,
    note: str = "",
) -> Alert:
    alert = session.get(Alert, alert_id, with_for_update=True, populate_existing=True)
    if alert is None:
        raise NotFound(what="alert", id=alert_id)
    if version is not None and alert.version != version:
        raise _changed_by(session, alert)
    if not may_move(alert.state, target):
        raise AlertMoveRefused(state=alert.state, target=target)
    now, before = clock.now(), alert.state
    alert.state = target
    alert.version += 1
    if not actor.is_system:
        alert.handler_id, alert.handler = actor.id, actor.name
    if target in ENDED:
        alert.ended_at = now
    session.add(
        AlertHistory(
            alert_id=alert.id,
            at=now,
            what=what,
            from_state=before,
            to_state=target,
            actor_id=actor.id,
            actor_name=actor.name,
            note=note.strip(),
        )
    )
    record(
        session,
        actor,
        ALERT_MOVED,
        subject=("alert", alert.id),
        what=what,
        from_state=before,
        to_state=target,
        note=note,
    )
    signal(session, Signal("alerts", str(alert.id), alert.version))
    return alert


def _changed_by(session: Session, alert: Alert) -> AlertChanged:
    last = session.execute(
        select(AlertHistory.actor_name, AlertHistory.at)
        .where(AlertHistory.alert_id == alert.id)
        .order_by(AlertHistory.id.desc())
        .limit(1)
    ).first()
    by, at = (last[0], last[1]) if last else ("", alert.last_seen_at)
    return AlertChanged(by=by, at=at, state=alert.state)
