"""Reads of outages: the list, one of them with its points, reports and history."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, ScalarSelect, func, select
from sqlalchemy.orm import Session

from customers.api.archive import supply_cards
from foundation import clock
from foundation.actor import Scope
from foundation.db import Query, rows_as
from foundation.errors import NotFound
from loadmgmt.outages.models import Outage, OutageHistory, OutageMemberRow, OutageReportRow
from loadmgmt.outages.types import (
    OutageCard,
    OutageKind,
    OutageMember,
    OutagePast,
    OutageReport,
    OutageScope,
    OutageState,
    Power,
)
from metering.api.types import DarkSpan

OUTAGE_VIEWS = ("active", "planned", "past")


def _count(*conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    member = select(func.count()).select_from(OutageMemberRow)
    return (
        member.where(OutageMemberRow.outage_id == Outage.id, *conditions)
        .correlate(Outage)
        .scalar_subquery()
    )


def _cards() -> Query:
    reports = (
        select(func.count())
        .select_from(OutageReportRow)
        .where(OutageReportRow.outage_id == Outage.id)
        .correlate(Outage)
        .scalar_subquery()
    )
    was_dark = OutageMemberRow.was_dark.is_(True)
    return select(
        Outage.id,
        Outage.outage_no,
        Outage.kind,
        Outage.scope,
        Outage.state,
        Outage.source,
        Outage.area_id,
        Outage.box_no,
        Outage.feeder_id,
        Outage.unit_id,
        Outage.cause,
        Outage.started_at,
        Outage.eta_at,
        Outage.planned_to,
        Outage.restored_at,
        Outage.alert_id,
        Outage.ticket_no,
        Outage.opened_by,
        Outage.version,
        _count(),
        _count(was_dark),
        _count(was_dark, OutageMemberRow.power == Power.ON),
        reports,
    )


def outage_spans(session: Session, *, first: datetime, end: datetime) -> list[DarkSpan]:
    """List when whole transformer areas were without power in [first, end).

    A planned outage ends with its window at the latest.
    """
    ends = func.coalesce(Outage.restored_at, Outage.planned_to)
    return rows_as(
        DarkSpan,
        session,
        select(Outage.area_id, Outage.started_at, ends).where(
            Outage.scope == OutageScope.AREA,
            Outage.started_at < end,
            ends.is_(None) | (ends > first),
        ),
    )


def outage_cards(
    session: Session,
    scope: Scope,
    *,
    view: str = "active",
    ids: Collection[int] | None = None,
    area_id: int | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> list[OutageCard]:
    """List outages: active faults and planned ones by their start, past ones newest first.

    Args:
        session: any.
        scope: departments the actor may see.
        view: one of OUTAGE_VIEWS; "open" is what has not ended, "all" everything.
        ids: only these.
        area_id: only this transformer area.
        before_id: page on below this row (past ones).
        limit: at most so many.
    """
    statement = _cards()
    if scope.unit_ids is not None:
        statement = statement.where(Outage.unit_id.in_(scope.unit_ids))
    if ids is not None:
        statement = statement.where(Outage.id.in_(ids))
    if area_id is not None:
        statement = statement.where(Outage.area_id == area_id)
    if before_id is not None:
        statement = statement.where(Outage.id < before_id)
    match view:
        case "active":
            open_fault = Outage.restored_at.is_(None) & (Outage.kind == OutageKind.FAULT)
            statement = statement.where(open_fault).order_by(Outage.started_at, Outage.id)
        case "planned":
            statement = statement.where(Outage.state == OutageState.PLANNED)
            statement = statement.order_by(Outage.started_at, Outage.id)
        case "past":
            statement = statement.where(Outage.restored_at.is_not(None))
            statement = statement.order_by(Outage.id.desc())
        case "open":
            statement = statement.where(Outage.restored_at.is_(None)).order_by(Outage.id)
        case _:
            statement = statement.order_by(Outage.id.desc())
    return rows_as(OutageCard, session, statement.limit(limit))


def outage_card(session: Session, scope: Scope, outage_no: str) -> OutageCard:
    """Give one outage.

    Raises:
        NotFound: there is none, or it lies outside the scope.
    """
    statement = _cards().where(Outage.outage_no == outage_no)
    if scope.unit_ids is not None:
        statement = statement.where(Outage.unit_id.in_(scope.unit_ids))
    found = rows_as(OutageCard, session, statement)
    if not found:
        raise NotFound(what="outage", id=outage_no)
    return found[0]


def outages_by_id(session: Session, ids: Collection[int | None]) -> dict[int, OutageCard]:
    """Give several outages by their rows."""
    wanted = [one for one in ids if one is not None]
    statement = _cards().where(Outage.id.in_(wanted))
    return {card.id: card for card in rows_as(OutageCard, session, statement)}


def outage_of_alert(session: Session, alert_id: int) -> int | None:
    """Give the open outage an alert has become, if it has."""
    return session.scalar(
        select(Outage.id).where(Outage.alert_id == alert_id, Outage.restored_at.is_(None))
    )


def outage_members(session: Session, outage_id: int) -> list[OutageMember]:
    """List the points of an outage: sensitive customers first, then what is dark."""
    found = rows_as(
        OutageMember,
        session,
        select(
            OutageMemberRow.point_id,
            OutageMemberRow.power,
            OutageMemberRow.was_dark,
            OutageMemberRow.back_at,
        )
        .where(OutageMemberRow.outage_id == outage_id)
        .order_by(OutageMemberRow.point_id),
    )
    supplies = supply_cards(session, [one.point_id for one in found])
    order = {Power.DARK: 0, Power.SILENT: 1, Power.UNREAD: 2, Power.ON: 3}

    def rank(one: OutageMember) -> tuple[bool, int, int]:
        supply = supplies.get(one.point_id)
        return (not (supply and supply.is_sensitive), order[one.power], one.point_id)

    return sorted(found, key=rank)


def sensitive_counts(session: Session, outage_ids: Collection[int]) -> dict[int, int]:
    """Count the sensitive customers of several outages."""
    rows = session.execute(
        select(OutageMemberRow.outage_id, OutageMemberRow.point_id).where(
            OutageMemberRow.outage_id.in_(outage_ids)
        )
    ).all()
    supplies = supply_cards(session, {point for _, point in rows})
    counts = dict.fromkeys(outage_ids, 0)
    for outage_id, point in rows:
        supply = supplies.get(point)
        counts[outage_id] += bool(supply and supply.is_sensitive)
    return counts


def outage_history(session: Session, outage_id: int) -> list[OutagePast]:
    """Give what happened to an outage, newest first."""
    return rows_as(
        OutagePast,
        session,
        select(
            OutageHistory.at,
            OutageHistory.what,
            OutageHistory.from_state,
            OutageHistory.to_state,
            OutageHistory.actor_name,
            OutageHistory.note,
            OutageHistory.eta_before,
            OutageHistory.eta_at,
        )
        .where(OutageHistory.outage_id == outage_id)
        .order_by(OutageHistory.id.desc())
        .limit(200),
    )


def outage_reports(session: Session, outage_id: int) -> list[OutageReport]:
    """List the reports that belong to an outage, oldest first."""
    return rows_as(
        OutageReport,
        session,
        select(
            OutageReportRow.source,
            OutageReportRow.ref,
            OutageReportRow.point_id,
            OutageReportRow.reported_at,
        )
        .where(OutageReportRow.outage_id == outage_id)
        .order_by(OutageReportRow.reported_at, OutageReportRow.id)
        .limit(1000),
    )


def outage_counts(session: Session, scope: Scope) -> dict[str, int]:
    """Count outages by view; past ones of the last seven days."""
    is_open = Outage.restored_at.is_(None)
    statement = select(
        func.count().filter(is_open & (Outage.kind == OutageKind.FAULT)),
        func.count().filter(Outage.state == OutageState.PLANNED),
        func.count().filter(Outage.restored_at >= clock.now() - timedelta(days=7)),
    )
    if scope.unit_ids is not None:
        statement = statement.where(Outage.unit_id.in_(scope.unit_ids))
    return dict(zip(OUTAGE_VIEWS, session.execute(statement).one(), strict=True))
