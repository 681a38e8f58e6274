"""Somebody reports no power: which outage it belongs to, or whether it makes one known."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from foundation.actor import Actor, Scope
from foundation.audit import Act, record
from foundation.errors import NotFound
from foundation.events import Signal
from foundation.outbox import signal
from loadmgmt.outages.actions.opening import detect, hold_area
from loadmgmt.outages.books import outage_rules
from loadmgmt.outages.models import Outage, OutageReportRow
from loadmgmt.outages.queries.around import look_around, matches
from loadmgmt.outages.queries.cards import outage_card, outages_by_id
from loadmgmt.outages.types import OutageSource, Power, Reported, Surroundings, Verdict
from metering.api.network import point_places

ATTACHED = Act.of("outage.report_attached", "source", "ref")


def report(
    session: Session, actor: Actor, *, point_id: int, source: str, ref: int, at: datetime
) -> Reported:
    """Take a report of no power at a point, once, and give the outage it belongs to.

    Reports of one area are judged one after the other, so that the third of three sees
    the other two.

    Args:
        session: the caller's transaction.
        actor: who takes it.
        point_id: where.
        source: who keeps the report, e.g. "call".
        ref: its number there; the same one twice is one report.
        at: when it was made.

    Raises:
        NotFound: no such point.
    """
    place = point_places(session, [point_id]).get(point_id)
    if place is None:
        raise NotFound(what="point", id=point_id)
    hold_area(session, place.area_id)
    row = _keep(session, place.area_id, place.box_no, point_id, source, ref, at)
    seen = look_around(session, point_id)
    row.inside = seen.own is Power.ON
    session.flush()
    if row.outage_id is not None:
        return Reported(seen.verdict, outages_by_id(session, [row.outage_id])[row.outage_id])
    best = next(iter(matches(session, seen)), None)
    if best is not None and best.score >= outage_rules().match.show:
        _attach(session, row, best.outage.id)
        return Reported(seen.verdict, outages_by_id(session, [best.outage.id])[best.outage.id])
    return _made_known(session, actor, row, seen)


def _keep(
    session: Session,
    area_id: int,
    box_no: str,
    point_id: int,
    source: str,
    ref: int,
    at: datetime,
) -> OutageReportRow:
    session.execute(
        insert(OutageReportRow)
        .values(
            source=source,
            ref=ref,
            point_id=point_id,
            area_id=area_id,
            box_no=box_no,
            inside=False,
            reported_at=at,
        )
        .on_conflict_do_nothing()
    )
    row = session.scalars(
        select(OutageReportRow)
        .where(OutageReportRow.source == source, OutageReportRow.ref == ref)
        .with_for_update()
    ).one()
    if row.point_id != point_id and row.outage_id is None:  # another account was chosen since
        row.point_id, row.area_id, row.box_no = point_id, area_id, box_no
        session.flush()
    return row


def _made_known(
    session: Session, actor: Actor, row: OutageReportRow, seen: Surroundings
) -> Reported:
    if seen.verdict not in {Verdict.AREA, Verdict.BOX}:
        return Reported(seen.verdict)
    outage_id, created = detect(
        session,
        actor,
        area_id=seen.area_id,
        box_no=seen.box_no if seen.verdict is Verdict.BOX else None,
        started_at=_first_sign(session, seen, row.reported_at),
        source=OutageSource.CALL,
    )
    _attach(session, row, outage_id)
    return Reported(seen.verdict, outages_by_id(session, [outage_id])[outage_id], created)


def _first_sign(session: Session, seen: Surroundings, reported_at: datetime) -> datetime:
    statement = select(OutageReportRow.reported_at).where(
        OutageReportRow.area_id == seen.area_id,
        OutageReportRow.reported_at >= reported_at - outage_rules().window,
        OutageReportRow.inside.is_(False),
    )
    signs: list[datetime] = [*session.scalars(statement), reported_at]
    return min(signs if seen.dark_since is None else [*signs, seen.dark_since])


def attach(
    session: Session,
    actor: Actor,
    outage_no: str,
    *,
    point_id: int,
    source: str,
    ref: int,
    at: datetime,
) -> Reported:
    """Attach a report to an outage because a person says so.

    Raises:
        NotFound: no such outage or point.
    """
    card = outage_card(session, Scope.everything(), outage_no)
    place = point_places(session, [point_id]).get(point_id)
    if place is None:
        raise NotFound(what="point", id=point_id)
    row = _keep(session, place.area_id, place.box_no, point_id, source, ref, at)
    _attach(session, row, card.id)
    record(session, actor, ATTACHED, subject=("outage", outage_no), source=source, ref=ref)
    seen = look_around(session, point_id)
    return Reported(seen.verdict, outage_card(session, Scope.everything(), outage_no))


def _attach(session: Session, row: OutageReportRow, outage_id: int) -> None:
    row.outage_id = outage_id
    session.flush()
    number = session.scalar(select(Outage.outage_no).where(Outage.id == outage_id))
    signal(session, Signal("outages"), Signal("outage", number or ""))
