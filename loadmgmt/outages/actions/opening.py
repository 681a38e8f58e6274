"""Outages that become known: from an alert, from calls, by hand."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select, text, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.orm import Session

from foundation import clock
from foundation.actor import Actor, Scope
from foundation.errors import NotFound
from foundation.numbering import next_daily
from loadmgmt.alerts.queries import alert_card
from loadmgmt.outages.actions.changes import change, held_by_id, remember, tell
from loadmgmt.outages.books import outage_rules
from loadmgmt.outages.models import Outage, OutageMemberRow, OutageReportRow
from loadmgmt.outages.queries.around import powers_of
from loadmgmt.outages.types import (
    EtaRefused,
    NewOutage,
    OutageKind,
    OutageKnown,
    OutageScope,
    OutageSource,
    OutageState,
)
from metering.api.devices import search_meters
from metering.api.network import area_places
from metering.api.types import AreaPlace

_MOST = 5000  # meters of one transformer area
_AREA_LOCK = 0x6F757461  # first half of the advisory lock on one area's outages


def hold_area(session: Session, area_id: int) -> None:
    """Let one transaction after the other judge an area, so that none misses the other's report."""
    session.execute(
        text("SELECT pg_advisory_xact_lock(:what, :area)"), {"what": _AREA_LOCK, "area": area_id}
    )


def place_of(session: Session, area_id: int) -> AreaPlace:
    """Give a transformer area's place.

    Raises:
        NotFound: no such area.
    """
    place = area_places(session, [area_id]).get(area_id)
    if place is None:
        raise NotFound(what="area", id=area_id)
    return place


def detect(
    session: Session,
    actor: Actor,
    *,
    area_id: int,
    box_no: str | None,
    started_at: datetime,
    source: OutageSource,
    alert_id: int | None = None,
) -> tuple[int, bool]:
    """Make a fault known, unless an open one of the same place is.

    The unique index on open faults decides, whoever is first.

    Returns:
        Its row, and whether this call made it known.
    """
    subject = subject_of(area_id, box_no)
    known = _open_fault(session, Outage.subject == subject)
    if known is None and box_no is None:
        known = _widened(session, actor, area_id)
    if known is not None:
        return known, False
    place = place_of(session, area_id)
    minutes = outage_rules().restore.expected_minutes[place.area_class.value]
    fresh = session.scalar(
        pg_insert(Outage)
        .values(
            outage_no=next_daily(session, "TD", digits=3),
            kind=OutageKind.FAULT,
            scope=OutageScope.BOX if box_no else OutageScope.AREA,
            subject=subject,
            state=OutageState.DETECTED,
            source=source,
            area_id=area_id,
            box_no=box_no,
            feeder_id=place.feeder_id,
            unit_id=place.unit_id,
            cause="",
            started_at=started_at,
            eta_at=clock.now() + timedelta(minutes=minutes),
            alert_id=alert_id,
            opened_by=actor.name,
            opened_at=clock.now(),
            version=1,
        )
        .on_conflict_do_nothing()
        .returning(Outage.id)
    )
    if fresh is None:
        return _open_fault(session, Outage.subject == subject) or 0, False
    _began(session, actor, fresh, "detected")
    return fresh, True


def _open_fault(session: Session, which: ColumnElement[bool]) -> int | None:
    return session.scalar(
        select(Outage.id)
        .where(which, Outage.restored_at.is_(None), Outage.kind == OutageKind.FAULT)
        .order_by(Outage.id)
        .limit(1)
    )


def _widened(session: Session, actor: Actor, area_id: int) -> int | None:
    """Let an open fault of one box grow to its area, number and ticket kept."""
    boxed = (Outage.area_id == area_id) & (Outage.scope == OutageScope.BOX)
    outage_id = _open_fault(session, boxed)
    if outage_id is None:
        return None
    row = held_by_id(session, outage_id)
    row.scope, row.subject, row.box_no = OutageScope.AREA, subject_of(area_id, None), None
    session.flush()
    add_members(session, row)
    _take_reports(session, row)
    change(session, actor, row, "widened")
    return outage_id


def subject_of(area_id: int, box_no: str | None) -> str:
    """Name what an outage is about; one fault of it is open at a time."""
    return f"box:{box_no}" if box_no else f"area:{area_id}"


def _began(session: Session, actor: Actor, outage_id: int, what: str) -> None:
    row = session.get_one(Outage, outage_id)
    add_members(session, row)
    if row.kind is OutageKind.FAULT:
        _take_reports(session, row)
    if row.alert_id is not None:
        row.ticket_no = alert_card(session, Scope.everything(), row.alert_id).ticket_no
    remember(session, actor, row, what, before=None)
    tell(session, actor, row, what)


def add_members(session: Session, row: Outage) -> None:
    """Write down the points an outage takes, with what their meters show now."""
    meters = search_meters(session, Scope.everything(), area_id=row.area_id, limit=_MOST)
    inside = [one for one in meters if row.box_no is None or one.box_no == row.box_no]
    powers = powers_of(session, inside)
    since = row.started_at - outage_rules().window
    is_fault = row.kind is OutageKind.FAULT
    if powers:
        session.execute(
            pg_insert(OutageMemberRow).on_conflict_do_nothing(),
            [
                {
                    "outage_id": row.id,
                    "point_id": one.point_id,
                    "power": one.power,
                    "was_dark": is_fault and one.lost_power(since),
                }
                for one in powers
            ],
        )


def _take_reports(session: Session, row: Outage) -> None:
    """Attach the reports of the window that belong to no outage yet."""
    since = clock.now() - outage_rules().window
    statement = update(OutageReportRow).where(
        OutageReportRow.area_id == row.area_id,
        OutageReportRow.reported_at >= since,
        OutageReportRow.outage_id.is_(None),
        OutageReportRow.inside.is_(False),
    )
    if row.box_no is not None:
        statement = statement.where(OutageReportRow.box_no == row.box_no)
    session.execute(statement.values(outage_id=row.id))


def register_outage(session: Session, actor: Actor, new: NewOutage) -> str:
    """Register an outage by hand; a box's that is known widens to its area.

    Raises:
        NotFound: no such area.
        OutageKnown: a fault of the same place is open; nothing is changed.
        EtaRefused: it would end before it begins, or a planned one has no end.
    """
    if new.ends_at is not None and new.ends_at <= new.starts_at:
        raise EtaRefused(field="ends_at")
    if new.kind is OutageKind.PLANNED:
        return _plan(session, actor, new)
    hold_area(session, new.area_id)
    known = _open_fault(session, Outage.subject == subject_of(new.area_id, new.box_no))
    if known is not None:
        raise OutageKnown(outage_no=session.get_one(Outage, known).outage_no)
    outage_id, created = detect(
        session,
        actor,
        area_id=new.area_id,
        box_no=new.box_no,
        started_at=new.starts_at,
        source=OutageSource.MANUAL,
    )
    row = session.get_one(Outage, outage_id)
    if created:
        row.cause = new.cause.strip()
        row.eta_at = new.ends_at or row.eta_at
        row.state = OutageState.CONFIRMED
        row.version += 1
        remember(session, actor, row, "confirmed", before=OutageState.DETECTED)
        tell(session, actor, row, "confirmed")
        return row.outage_no
    if new.cause.strip():
        row.cause = new.cause.strip()
        change(session, actor, row, "cause", note=row.cause)
    if new.ends_at is not None:
        before, row.eta_at = row.eta_at, new.ends_at
        change(session, actor, row, "eta", eta_before=before)
    return row.outage_no


def _plan(session: Session, actor: Actor, new: NewOutage) -> str:
    if new.ends_at is None:
        raise EtaRefused(field="ends_at")
    place = place_of(session, new.area_id)
    row = Outage(
        outage_no=next_daily(session, "TD", digits=3),
        kind=OutageKind.PLANNED,
        scope=OutageScope.BOX if new.box_no else OutageScope.AREA,
        subject=subject_of(new.area_id, new.box_no),
        state=OutageState.PLANNED,
        source=OutageSource.MANUAL,
        area_id=new.area_id,
        box_no=new.box_no,
        feeder_id=place.feeder_id,
        unit_id=place.unit_id,
        cause=new.cause.strip(),
        started_at=new.starts_at,
        eta_at=new.ends_at,
        planned_to=new.ends_at,
        opened_by=actor.name,
        opened_at=clock.now(),
    )
    session.add(row)
    session.flush()
    _began(session, actor, row.id, "planned")
    return row.outage_no
