"""Following alerts and meters: an area alert is an outage, its meters prove the end of it."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, select, text
from sqlalchemy.orm import Session

from foundation import clock
from foundation.actor import Actor, Scope
from loadmgmt.alerts.queries import alert_card
from loadmgmt.alerts.types import AlertKind
from loadmgmt.outages.actions.changes import change, held_by_id
from loadmgmt.outages.actions.opening import detect, hold_area
from loadmgmt.outages.books import outage_rules
from loadmgmt.outages.models import Outage, OutageMemberRow
from loadmgmt.outages.queries.around import powers_of
from loadmgmt.outages.rules.moves import state_by_meters
from loadmgmt.outages.types import OutageKind, OutageSource, OutageState, Power
from metering.api.devices import meter_cards

_SET_POWER = text(
    "UPDATE loadmgmt.outage_member m SET power = d.power, was_dark = m.was_dark OR d.lost,"
    " back_at = CASE WHEN d.power = 'on' AND m.was_dark THEN coalesce(m.back_at, :now) END"
    " FROM unnest(CAST(:points AS bigint[]), CAST(:powers AS text[]), CAST(:lost AS boolean[]))"
    " AS d(point_id, power, lost)"
    " WHERE m.outage_id = :outage AND m.point_id = d.point_id"
    " AND (m.power <> d.power OR (d.lost AND NOT m.was_dark))"
)


def alerts_raised(session: Session, actor: Actor, payload: dict[str, Any]) -> None:
    """Make an outage of each transformer that went out (payload of AlertsRaised)."""
    for entry in payload["alerts"]:  # as many as transformers fail within one interval
        if entry["kind"] != AlertKind.TRANSFORMER_OUT or entry["area_id"] is None:
            continue
        alert = alert_card(session, Scope.everything(), entry["id"])
        if alert.ended_at is not None:
            continue
        hold_area(session, entry["area_id"])
        outage_id, created = detect(
            session,
            actor,
            area_id=entry["area_id"],
            box_no=None,
            started_at=alert.started_at,
            source=OutageSource.ALERT,
            alert_id=alert.id,
        )
        if not created:
            row = held_by_id(session, outage_id)
            row.alert_id = row.alert_id or alert.id
            _prove(session, actor, row)


def alerts_cleared(session: Session, actor: Actor, payload: dict[str, Any]) -> None:
    """Look at the outages of areas where power came back (payload of AlertsCleared)."""
    dark = {AlertKind.TRANSFORMER_OUT, AlertKind.POWER_LOSS}
    areas = {one["area_id"] for one in payload["alerts"] if one["kind"] in dark}
    statement = _open_faults().where(Outage.area_id.in_(areas))
    check_outages(session, actor, list(session.scalars(statement)))


def follow_outages(session: Session, actor: Actor) -> int:
    """Look at every open outage's meters, and end planned windows; give how many were looked at."""
    ids = list(session.scalars(_open_faults()))
    check_outages(session, actor, ids)
    over = session.scalars(
        select(Outage.id).where(
            Outage.state == OutageState.PLANNED, Outage.planned_to <= clock.now()
        )
    ).all()
    for outage_id in over:  # a handful a day
        row = held_by_id(session, outage_id)
        if row.restored_at is None:
            row.restored_at = row.planned_to
            change(session, actor, row, "restored", target=OutageState.RESTORED)
    return len(ids) + len(over)


def _open_faults() -> Select[int]:
    return (
        select(Outage.id)
        .where(Outage.restored_at.is_(None), Outage.kind == OutageKind.FAULT)
        .order_by(Outage.id)
    )


def check_outages(session: Session, actor: Actor, outage_ids: Collection[int]) -> None:
    """Read the newest values of outages' meters into their members and draw the conclusion."""
    for outage_id in outage_ids:  # open faults: a few, each with some hundred members
        row = held_by_id(session, outage_id)
        if row.restored_at is None:
            _prove(session, actor, row)


def _prove(session: Session, actor: Actor, row: Outage) -> None:
    _refresh(session, row)
    members = session.execute(
        select(OutageMemberRow.point_id, OutageMemberRow.power).where(
            OutageMemberRow.outage_id == row.id, OutageMemberRow.was_dark
        )
    ).all()
    still_dark = sorted(point for point, power in members if power is not Power.ON)
    target = state_by_meters(
        row.state,
        was_dark=len(members),
        back=len(members) - len(still_dark),
        rule=outage_rules().restore,
    )
    if target is row.state:
        return
    if target is OutageState.RESTORED:
        row.restored_at = clock.now()
    note = f"{len(members) - len(still_dark)}/{len(members)}"
    change(session, actor, row, target.value, target=target, note=note, still_dark=still_dark)


def _refresh(session: Session, row: Outage) -> None:
    points = session.scalars(
        select(OutageMemberRow.point_id).where(OutageMemberRow.outage_id == row.id)
    ).all()
    powers = powers_of(session, list(meter_cards(session, points).values()))
    since = row.started_at - outage_rules().window
    session.execute(
        _SET_POWER,
        {
            "outage": row.id,
            "now": clock.now(),
            "points": [one.point_id for one in powers],
            "powers": [one.power.value for one in powers],
            "lost": [one.lost_power(since) for one in powers],
        },
    )
