"""Commands to meters whose end nobody knows."""

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from foundation import clock
from foundation.actor import Actor
from loadmgmt.alerts.models import Alert
from loadmgmt.alerts.raising import end_alerts, raise_or_extend
from loadmgmt.alerts.thresholds import load_thresholds
from loadmgmt.alerts.types import AlertKind, Finding
from metering.api.types import WriteState


def commands_ended(session: Session, actor: Actor, payload: dict[str, Any]) -> None:
    """Raise an alert for each command that timed out; a later one that was proved ends it.

    Args:
        session: the job's transaction.
        actor: the job.
        payload: of WritesVerified.
    """
    now = clock.now()
    findings = [
        Finding(
            kind=AlertKind.COMMAND_UNKNOWN,
            at=now,
            point_id=entry["point_id"],
            facts={"command_no": entry["command_no"], "kind": entry["kind"]},
        )
        for entry in payload["writes"]
        if entry["state"] == WriteState.TIMED_OUT
    ]
    raised = raise_or_extend(session, actor, findings, load_thresholds())
    # There is no condition that could end by itself: a person looks and closes it.
    session.execute(update(Alert).where(Alert.id.in_(raised)).values(condition_ended_at=now))
    proved = [e["point_id"] for e in payload["writes"] if e["state"] == WriteState.DONE]
    answered = session.scalars(
        select(Alert.id)
        .where(
            Alert.kind == AlertKind.COMMAND_UNKNOWN,
            Alert.point_id.in_(proved),
            Alert.ended_at.is_(None),
        )
        .order_by(Alert.id)
        .with_for_update()
    ).all()
    end_alerts(session, actor, answered)
