"""Terminals that fall silent, and answer again."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation.actor import Actor
from loadmgmt.alerts.models import Alert
from loadmgmt.alerts.raising import end_alerts, raise_or_extend
from loadmgmt.alerts.thresholds import load_thresholds
from loadmgmt.alerts.types import AlertKind, Finding


def terminals_silent(session: Session, actor: Actor, payload: dict[str, Any]) -> None:
    """Raise an alert for each terminal that fell silent.

    Args:
        session: the job's transaction.
        actor: the job.
        payload: of TerminalsSilent.
    """
    findings = [
        Finding(
            kind=AlertKind.TERMINAL_OFFLINE,
            at=datetime.fromisoformat(entry["since"]),
            point_id=entry["point_id"],
            terminal_id=entry["terminal_id"],
            facts={"terminal_no": entry["terminal_no"], "error": entry["error"]},
        )
        for entry in payload["terminals"]
    ]
    raise_or_extend(session, actor, findings, load_thresholds())


def terminals_back(session: Session, actor: Actor, payload: dict[str, Any]) -> None:
    """End the alerts of terminals that answer again (payload of TerminalsBack)."""
    back = [entry["terminal_id"] for entry in payload["terminals"]]
    standing = session.scalars(
        select(Alert.id)
        .where(
            Alert.kind == AlertKind.TERMINAL_OFFLINE,
            Alert.terminal_id.in_(back),
            Alert.ended_at.is_(None),
        )
        .order_by(Alert.id)
        .with_for_update()
    ).all()
    end_alerts(session, actor, standing)
