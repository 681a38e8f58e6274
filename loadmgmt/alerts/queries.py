"""Reads of alerts."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session, aliased

from foundation import clock
from foundation.actor import Scope
from foundation.db import Query, rows_as
from foundation.errors import NotFound
from loadmgmt.alerts.models import Alert, AlertHistory
from loadmgmt.alerts.types import (
    AlertCard,
    AlertCounts,
    AlertKind,
    AlertPast,
    AlertState,
    Severity,
)
from metering.api.types import DarkSpan

_WEIGHT = case({word: place for place, word in enumerate(Severity)}, value=Alert.severity, else_=9)
_HANDLED = case({AlertState.OPEN: 0}, value=Alert.state, else_=1)
VIEWS = ("standing", "open", "mine", "today")


def _cards() -> Query:
    child = aliased(Alert)
    children = (
        select(func.count()).where(child.parent_id == Alert.id).correlate(Alert).scalar_subquery()
    )
    return select(
        Alert.id,
        Alert.kind,
        Alert.severity,
        Alert.state,
        Alert.subject,
        Alert.point_id,
        Alert.area_id,
        Alert.terminal_id,
        Alert.unit_id,
        Alert.feeder_id,
        Alert.phases,
        Alert.measured,
        Alert.limit,
        Alert.started_at,
        Alert.raised_at,
        Alert.last_seen_at,
        Alert.condition_ended_at,
        Alert.ended_at,
        Alert.handler,
        Alert.ticket_no,
        children,
        Alert.evidence,
        Alert.version,
    )


def alert_cards(
    session: Session,
    scope: Scope,
    *,
    view: str = "standing",
    person_id: int | None = None,
    feeder_id: int | None = None,
    area_id: int | None = None,
    limit: int = 200,
) -> list[AlertCard]:
    """List alerts: by severity, unhandled before handled, newest first; folded ones left out.

    Args:
        session: any.
        scope: departments the actor may see.
        view: one of VIEWS: not ended; not acknowledged; handled by `person_id`; all of today.
        person_id: for the view `mine`.
        feeder_id: only this feeder.
        area_id: only this transformer area.
        limit: at most so many.
    """
    statement = _in_scope(_cards(), scope)
    if view == "today":
        statement = statement.where(Alert.raised_at >= clock.day_span(clock.business_date())[0])
    else:
        statement = statement.where(Alert.ended_at.is_(None), Alert.parent_id.is_(None))
    if view == "open":
        statement = statement.where(Alert.state == AlertState.OPEN)
    if view == "mine":
        statement = statement.where(Alert.handler_id == person_id)
    if feeder_id is not None:
        statement = statement.where(Alert.feeder_id == feeder_id)
    if area_id is not None:
        statement = statement.where(Alert.area_id == area_id)
    if view == "today":
        statement = statement.order_by(Alert.raised_at.desc(), Alert.id.desc())
    else:
        statement = statement.order_by(_WEIGHT, _HANDLED, Alert.started_at.desc(), Alert.id.desc())
    return rows_as(AlertCard, session, statement.limit(limit))


def _in_scope(statement: Query, scope: Scope) -> Query:
    if scope.unit_ids is None:
        return statement
    return statement.where(Alert.unit_id.in_(scope.unit_ids))


def alert_card(session: Session, scope: Scope, alert_id: int) -> AlertCard:
    """Give one alert.

    Raises:
        NotFound: there is none, or it lies outside the scope.
    """
    found = rows_as(AlertCard, session, _in_scope(_cards(), scope).where(Alert.id == alert_id))
    if not found:
        raise NotFound(what="alert", id=alert_id)
    return found[0]


def alerts_at(
    session: Session, point_ids: Collection[int], *, since: datetime | None = None
) -> list[AlertCard]:
    """List the alerts of several points, newest first: standing ones, or all since an instant."""
    statement = _cards().where(Alert.point_id.in_(point_ids))
    if since is None:
        statement = statement.where(Alert.ended_at.is_(None))
    else:
        statement = statement.where(Alert.raised_at >= since)
    statement = statement.order_by(Alert.started_at.desc(), Alert.id.desc()).limit(200)
    return rows_as(AlertCard, session, statement)


def alert_history(session: Session, alert_id: int) -> list[AlertPast]:
    """Give what happened to an alert, newest first."""
    return rows_as(
        AlertPast,
        session,
        select(
            AlertHistory.at,
            AlertHistory.what,
            AlertHistory.from_state,
            AlertHistory.to_state,
            AlertHistory.actor_name,
            AlertHistory.note,
        )
        .where(AlertHistory.alert_id == alert_id)
        .order_by(AlertHistory.id.desc())
        .limit(200),
    )


def alert_counts(session: Session, scope: Scope) -> AlertCounts:
    """Count what stands and what is new."""
    unacked = Alert.state == AlertState.OPEN
    recent = Alert.raised_at >= clock.now() - timedelta(minutes=5)
    statement = select(
        *(func.count().filter(unacked & (Alert.severity == word)) for word in Severity),
        func.count(),
        func.count().filter(recent),
    ).where(Alert.ended_at.is_(None), Alert.parent_id.is_(None))
    return rows_as(AlertCounts, session, _in_scope(statement, scope))[0]


def counts_by_area(session: Session, scope: Scope) -> dict[int, tuple[int, Severity]]:
    """Count standing alerts by transformer area, with the worst severity of each."""
    statement = select(Alert.area_id, func.count(), func.min(_WEIGHT)).where(
        Alert.ended_at.is_(None), Alert.area_id.is_not(None), Alert.parent_id.is_(None)
    )
    rows = session.execute(_in_scope(statement, scope).group_by(Alert.area_id))
    severities = tuple(Severity)
    return {area: (count, severities[worst]) for area, count, worst in rows}


def dark_spans(session: Session, *, first: datetime, end: datetime) -> list[DarkSpan]:
    """List when transformer areas were without power in [first, end); false alarms left out."""
    return rows_as(
        DarkSpan,
        session,
        select(Alert.area_id, Alert.started_at, Alert.ended_at).where(
            Alert.kind == AlertKind.TRANSFORMER_OUT,
            Alert.area_id.is_not(None),
            Alert.state != AlertState.FALSE,
            Alert.started_at < end,
            Alert.ended_at.is_(None) | (Alert.ended_at > first),
        ),
    )


def without_power(session: Session) -> tuple[int, int]:
    """Count standing area outages, and the points that show no voltage."""
    row = session.execute(
        select(
            func.count().filter(Alert.kind == AlertKind.TRANSFORMER_OUT),
            func.count().filter(Alert.kind == AlertKind.POWER_LOSS),
        ).where(Alert.ended_at.is_(None))
    ).one()
    return int(row[0]), int(row[1])


def same_kind_nearby(session: Session, alert: AlertCard) -> int:
    """Count other standing alerts of the same kind in the same transformer area."""
    statement = select(func.count()).where(
        Alert.area_id == alert.area_id,
        Alert.kind == alert.kind,
        Alert.id != alert.id,
        Alert.ended_at.is_(None),
    )
    return int(session.scalar(statement) or 0)
