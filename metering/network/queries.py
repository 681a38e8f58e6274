"""Reads of the network tree."""

from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from foundation.db import Query, rows_as
from metering.network.models import Feeder, Point, Substation, TransformerArea
from metering.network.types import (
    AreaPlace,
    AreaUnknown,
    BoxCard,
    FeederPlace,
    PointPlace,
    TreeNode,
)


def point_places(session: Session, point_ids: Collection[int]) -> dict[int, PointPlace]:
    """Give several points with everything above them."""
    statement = (
        select(
            Point.id,
            Point.point_no,
            Point.supply,
            Point.box_no,
            TransformerArea.id,
            TransformerArea.area_no,
            TransformerArea.name,
            TransformerArea.area_class,
            Feeder.id,
            Feeder.feeder_no,
            Feeder.name,
            Substation.name,
            Feeder.unit_id,
        )
        .join(TransformerArea, TransformerArea.id == Point.area_id)
        .join(Feeder, Feeder.id == TransformerArea.feeder_id)
        .join(Substation, Substation.id == Feeder.substation_id)
        .where(Point.id.in_(point_ids))
    )
    return {place.point_id: place for place in rows_as(PointPlace, session, statement)}


def area_places(session: Session, area_ids: Collection[int]) -> dict[int, AreaPlace]:
    """Give several transformer areas with everything above them."""
    statement = _areas().where(TransformerArea.id.in_(area_ids))
    return {place.area_id: place for place in rows_as(AreaPlace, session, statement)}


def find_areas(session: Session, search: str = "", *, limit: int = 200) -> list[AreaPlace]:
    """List the transformer areas whose number or name holds some words, by number."""
    statement = _areas().order_by(TransformerArea.area_no).limit(limit)
    if search:
        number, name = (
            column.icontains(search, autoescape=True)
            for column in (TransformerArea.area_no, TransformerArea.name)
        )
        statement = statement.where(number | name)
    return rows_as(AreaPlace, session, statement)


def area_by_no(session: Session, area_no: str) -> AreaPlace:
    """Give the transformer area of a number.

    Raises:
        AreaUnknown: none has it.
    """
    statement = _areas().where(TransformerArea.area_no == area_no)
    found = rows_as(AreaPlace, session, statement)
    if not found:
        raise AreaUnknown(area_no=area_no)
    return found[0]


def boxes(session: Session, area_id: int) -> list[BoxCard]:
    """List the meter boxes of a transformer area, by number."""
    statement = (
        select(Point.box_no, func.count())
        .where(Point.area_id == area_id)
        .group_by(Point.box_no)
        .order_by(Point.box_no)
    )
    return rows_as(BoxCard, session, statement)


def _areas() -> Query:
    points = (
        select(func.count())
        .select_from(Point)
        .where(Point.area_id == TransformerArea.id)
        .scalar_subquery()
    )
    return (
        select(
            TransformerArea.id,
            TransformerArea.area_no,
            TransformerArea.name,
            TransformerArea.area_class,
            Feeder.id,
            Feeder.feeder_no,
            Feeder.name,
            Substation.name,
            Feeder.unit_id,
            points,
        )
        .join(Feeder, Feeder.id == TransformerArea.feeder_id)
        .join(Substation, Substation.id == Feeder.substation_id)
    )


def feeders(session: Session) -> list[FeederPlace]:
    """List all feeders by their number."""
    statement = (
        select(Feeder.id, Feeder.feeder_no, Feeder.name, Substation.name, Feeder.unit_id)
        .join(Substation, Substation.id == Feeder.substation_id)
        .order_by(Feeder.feeder_no)
    )
    return rows_as(FeederPlace, session, statement)


def tree(session: Session) -> list[TreeNode]:
    """Give the network from substations down to transformer areas, parents first."""
    points = dict(
        session.execute(select(Point.area_id, func.count()).group_by(Point.area_id)).all()
    )
    stations = session.execute(select(Substation.id, Substation.name).order_by(Substation.name))
    feeders = session.execute(
        select(Feeder.id, Feeder.feeder_no, Feeder.name, Feeder.substation_id).order_by(
            Feeder.feeder_no
        )
    ).all()
    areas = session.execute(
        select(
            TransformerArea.id,
            TransformerArea.area_no,
            TransformerArea.name,
            TransformerArea.feeder_id,
        ).order_by(TransformerArea.area_no)
    ).all()
    nodes = [TreeNode(f"s{id_}", "substation", name, None, 0) for id_, name in stations]
    nodes += [
        TreeNode(f"f{id_}", "feeder", f"{name} {number}", f"s{station}", 0)
        for id_, number, name, station in feeders
    ]
    nodes += [
        TreeNode(f"a{id_}", "area", f"{name} {number}", f"f{feeder}", points.get(id_, 0))
        for id_, number, name, feeder in areas
    ]
    return nodes


def area_ids_of_feeder(session: Session, feeder_id: int) -> list[int]:
    """List the transformer areas of a feeder."""
    return list(
        session.scalars(select(TransformerArea.id).where(TransformerArea.feeder_id == feeder_id))
    )
