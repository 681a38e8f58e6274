"""Reads of terminals and meters."""

from collections.abc import Collection

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from foundation.actor import Scope
from foundation.db import Query, rows_as
from foundation.errors import NotFound
from metering.devices.models import Meter, StockMeter, Terminal
from metering.devices.types import MeterCard, PollTarget, StockMeterCard
from metering.network.models import Feeder, Point, TransformerArea
from metering.network.types import Supply
from metering.readings.models import Latest, ReadingEvent
from metering.readings.types import EventKind, WrongClock


def fleet(
    session: Session, *, site: str = "", shards: Collection[int] | None = None
) -> list[PollTarget]:
    """List the terminals in service that read a meter, by connection and unit.

    Args:
        session: any transaction.
        site: whose terminals.
        shards: those of these shards only.
    """
    statement = (
        select(
            Terminal.id,
            Terminal.terminal_no,
            Terminal.host,
            Terminal.port,
            Terminal.unit,
            Terminal.profile,
            Terminal.interval_s,
            Meter.id,
            Meter.meter_no,
            Meter.ct,
            Meter.pt,
            Point.supply,
            Meter.rated_a,
            Meter.register_wh,
            Terminal.shard,
            Terminal.failed_rounds,
            Terminal.framing,
            Terminal.depth,
            Terminal.line,
        )
        .join(Meter, (Meter.terminal_id == Terminal.id) & Meter.removed_at.is_(None))
        .join(Point, Point.id == Meter.point_id)
        .where(Terminal.in_service, Terminal.site == site)
        .order_by(Terminal.host, Terminal.port, Terminal.unit)
    )
    if shards is not None:
        statement = statement.where(Terminal.shard.in_(shards))
    return rows_as(PollTarget, session, statement)


def _cards() -> Query:
    return (
        select(
            Meter.id,
            Meter.meter_no,
            Point.id,
            Point.point_no,
            Point.area_id,
            Point.box_no,
            Point.supply,
            Meter.ct,
            Meter.pt,
            Meter.installed_at,
            Terminal.id,
            Terminal.terminal_no,
            Terminal.profile,
            Terminal.host
            + ":"
            + func.cast(Terminal.port, Point.box_no.type)
            + " · "
            + func.cast(Terminal.unit, Point.box_no.type),
            Terminal.interval_s,
            Latest.read_at,
            Terminal.silent_since,
            Terminal.last_error,
            Terminal.in_service,
        )
        .join(Point, Point.id == Meter.point_id)
        .outerjoin(Terminal, Terminal.id == Meter.terminal_id)
        .outerjoin(Latest, Latest.meter_id == Meter.id)
        .where(Meter.removed_at.is_(None))
    )


def meter_cards(session: Session, point_ids: Collection[int]) -> dict[int, MeterCard]:
    """Give the meters that stand at several points, by point."""
    cards = rows_as(MeterCard, session, _cards().where(Point.id.in_(point_ids)))
    return {card.point_id: card for card in cards}


def meter_by_no(session: Session, meter_no: str) -> MeterCard:
    """Give the meter of a number.

    Raises:
        NotFound: no meter in place has it.
    """
    found = rows_as(MeterCard, session, _cards().where(Meter.meter_no == meter_no))
    if not found:
        raise NotFound(what="meter", id=meter_no)
    return found[0]


def search_meters(
    session: Session,
    scope: Scope,
    *,
    search: str = "",
    area_id: int | None = None,
    after_no: str = "",
    limit: int = 50,
) -> list[MeterCard]:
    """List meters by number: those whose number, point, box or terminal starts so."""
    statement = _cards().order_by(Meter.meter_no).limit(limit)
    if scope.unit_ids is not None:
        statement = (
            statement.join(TransformerArea, TransformerArea.id == Point.area_id)
            .join(Feeder, Feeder.id == TransformerArea.feeder_id)
            .where(Feeder.unit_id.in_(scope.unit_ids))
        )
    if search:
        starts = [
            column.istartswith(search, autoescape=True)
            for column in (Meter.meter_no, Point.point_no, Point.box_no, Terminal.terminal_no)
        ]
        statement = statement.where(starts[0] | starts[1] | starts[2] | starts[3])
    if area_id is not None:
        statement = statement.where(Point.area_id == area_id)
    if after_no:
        statement = statement.where(Meter.meter_no > after_no)
    return rows_as(MeterCard, session, statement)


def fleet_health(session: Session) -> tuple[int, int]:
    """Count terminals in service, and those of them that answered in their last rounds."""
    row = session.execute(
        select(func.count(), func.count().filter(Terminal.silent_since.is_(None))).where(
            Terminal.in_service
        )
    ).one()
    return int(row[0]), int(row[1])


def points_read(session: Session, area_ids: Collection[int]) -> dict[int, int]:
    """Count, by transformer area, the points whose meter has a terminal in service."""
    statement = (
        select(Point.area_id, func.count())
        .join(Meter, (Meter.point_id == Point.id) & Meter.removed_at.is_(None))
        .join(Terminal, Terminal.id == Meter.terminal_id)
        .where(Point.area_id.in_(area_ids), Terminal.in_service)
        .group_by(Point.area_id)
    )
    return dict(session.execute(statement).all())


def stock_meters(
    session: Session,
    *,
    supply: Supply | None = None,
    unit_id: int | None = None,
    drawn_for: str = "",
    limit: int = 200,
) -> list[StockMeterCard]:
    """List meters that may be fitted: on the shelf, or drawn for one case already.

    Args:
        session: the caller's transaction.
        supply: only those that can measure it.
        unit_id: the store of one department first.
        drawn_for: number of the case.
        limit: at most so many.
    """
    free = StockMeter.drawn_for.is_(None)
    statement = (
        _stock()
        .where(StockMeter.installed_at.is_(None), free | (StockMeter.drawn_for == drawn_for))
        .order_by(StockMeter.unit_id != unit_id, StockMeter.meter_no)
        .limit(limit)
    )
    if supply is not None:
        statement = statement.where(StockMeter.supply == supply)
    return rows_as(StockMeterCard, session, statement)


def stock_meter(session: Session, meter_no: str) -> StockMeterCard | None:
    """Give a meter that lies or lay in stock."""
    found = rows_as(StockMeterCard, session, _stock().where(StockMeter.meter_no == meter_no))
    return found[0] if found else None


def _stock() -> Query:
    text_type = Terminal.host.type
    address = func.concat(
        Terminal.host,
        ":",
        func.cast(Terminal.port, text_type),
        " · ",
        func.cast(Terminal.unit, text_type),
    )
    return select(
        StockMeter.meter_no,
        StockMeter.supply,
        Terminal.terminal_no,
        case((Terminal.id.is_not(None), address)),
        StockMeter.rated_a,
        StockMeter.unit_id,
        StockMeter.drawn_for,
        StockMeter.installed_at,
    ).outerjoin(Terminal, Terminal.id == StockMeter.terminal_id)


def wrong_clocks(session: Session) -> list[WrongClock]:
    """List the points whose meter's clock is wrong now; most installations have few."""
    return rows_as(
        WrongClock,
        session,
        select(Meter.point_id, ReadingEvent.at, ReadingEvent.facts["drift_s"].as_integer())
        .join(Meter, (Meter.id == ReadingEvent.meter_id) & Meter.removed_at.is_(None))
        .where(ReadingEvent.kind == EventKind.CLOCK, ReadingEvent.ended_at.is_(None)),
    )
