"""Terminals whose own clock is wrong (时钟偏差), as the pollers told it."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation.actor import Actor
from loadmgmt.alerts.models import Alert
from loadmgmt.alerts.raising import end_alerts, raise_or_extend
from loadmgmt.alerts.thresholds import load_thresholds
from loadmgmt.alerts.types import AlertKind, Finding
from metering.api.devices import wrong_clocks


def follow_clocks(session: Session, actor: Actor) -> None:
    """Bring the alerts of clocks in line with what stands now: raise new ones, end old ones."""
    wrong = {one.point_id: one for one in wrong_clocks(session)}
    standing = dict(
        session.execute(
            select(Alert.point_id, Alert.id)
            .where(Alert.kind == AlertKind.CLOCK_DRIFT, Alert.ended_at.is_(None))
            .order_by(Alert.id)
            .with_for_update()
        ).all()
    )
    findings = [
        Finding(
            kind=AlertKind.CLOCK_DRIFT,
            at=one.since,
            point_id=point_id,
            facts={"drift_s": one.drift_s},
        )
        for point_id, one in wrong.items()
        if point_id not in standing
    ]
    raise_or_extend(session, actor, findings, load_thresholds())
    right = [alert_id for point_id, alert_id in standing.items() if point_id not in wrong]
    end_alerts(session, actor, right)
