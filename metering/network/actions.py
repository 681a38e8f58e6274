"""Building the network: add what is not there yet."""

from datetime import date

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from metering.network.models import Feeder, Point, Substation, TransformerArea
from metering.network.types import AreaClass, PointClass, Supply


def add_substation(session: Session, name: str) -> int:
    """Add a substation, or give the number of the one of this name."""
    known = session.scalar(select(Substation.id).where(Substation.name == name))
    if known is not None:
        return known
    row = Substation(name=name)
    session.add(row)
    session.flush()
    return row.id


def add_feeder(
    session: Session, feeder_no: str, *, name: str, substation_id: int, unit_id: int
) -> int:
    """Add a feeder, or give the one of this number."""
    known = session.scalar(select(Feeder.id).where(Feeder.feeder_no == feeder_no))
    if known is not None:
        return known
    row = Feeder(feeder_no=feeder_no, name=name, substation_id=substation_id, unit_id=unit_id)
    session.add(row)
    session.flush()
    return row.id


def add_area(
    session: Session,
    area_no: str,
    *,
    name: str,
    feeder_id: int,
    rated_kva: int,
    area_class: AreaClass = AreaClass.URBAN,
) -> int:
    """Add a transformer area, or give the one of this number."""
    known = session.scalar(select(TransformerArea.id).where(TransformerArea.area_no == area_no))
    if known is not None:
        return known
    row = TransformerArea(
        area_no=area_no,
        name=name,
        feeder_id=feeder_id,
        rated_kva=rated_kva,
        area_class=area_class,
    )
    session.add(row)
    session.flush()
    return row.id


def add_point(
    session: Session,
    point_no: str,
    *,
    area_id: int,
    box_no: str,
    supply: Supply,
    point_class: PointClass | None = None,
) -> int:
    """Add a metering point, or give the one of this number.

    Args:
        session: the caller's transaction.
        point_no: its number.
        area_id: the transformer area that supplies it.
        box_no: its meter box.
        supply: how it is supplied.
        point_class: what it is read for; by its supply if nobody says.
    """
    known = session.scalar(select(Point.id).where(Point.point_no == point_no))
    if known is not None:
        return known
    row = Point(
        point_no=point_no,
        area_id=area_id,
        box_no=box_no,
        supply=supply,
        point_class=point_class or PointClass.of(supply),
    )
    session.add(row)
    session.flush()
    return row.id


def protect_point(
    session: Session, point_id: int, *, reason: str | None, until: date | None = None
) -> None:
    """Mark a point whose supply is never taken away remotely, or take the mark off.

    The archive pushes the mark down with every change, so that it is at hand where a
    command is sent.

    Args:
        session: the caller's transaction.
        point_id: metering point.
        reason: why, as a word; None takes the mark off.
        until: last day, office date; None without end.
    """
    session.execute(
        update(Point)
        .where(Point.id == point_id)
        .values(never_cut=reason, never_cut_until=until if reason else None)
    )


def new_point(session: Session, *, area_id: int, box_no: str, supply: Supply) -> int:
    """Add a metering point in a meter box under the next number of its transformer area."""
    area = session.get_one(TransformerArea, area_id, with_for_update=True)
    stem = f"P-{area.area_no.removeprefix('TG-')}-"
    known = session.scalars(
        select(Point.point_no).where(Point.point_no.startswith(stem, autoescape=True))
    )
    serials = [int(number[len(stem) :]) for number in known if number[len(stem) :].isdigit()]
    return add_point(
        session,
        f"{stem}{max(serials, default=0) + 1:04d}",
        area_id=area_id,
        box_no=box_no,
        supply=supply,
    )
