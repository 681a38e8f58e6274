"""Meters in stock (库存电表): drawn for an application, fitted, or put back."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation import clock
from metering.devices.actions import install_meter
from metering.devices.models import Meter, StockMeter, Terminal
from metering.devices.types import MeterNoTaken, StockMeterTaken, StockMeterUnfit
from metering.network.models import Point
from metering.network.types import Supply


def add_stock_meter(
    session: Session,
    meter_no: str,
    *,
    supply: Supply,
    terminal_id: int | None,
    unit_id: int | None = None,
    rated_a: int = 5,
) -> int:
    """Put a meter on the shelf, or give the one of this number.

    Raises:
        MeterNoTaken: a meter of this number stands somewhere.
    """
    known = session.scalar(select(StockMeter.id).where(StockMeter.meter_no == meter_no))
    if known is not None:
        return known
    if session.scalar(select(Meter.id).where(Meter.meter_no == meter_no)) is not None:
        raise MeterNoTaken(meter_no=meter_no)
    row = StockMeter(
        meter_no=meter_no,
        supply=supply,
        terminal_id=terminal_id,
        unit_id=unit_id,
        rated_a=rated_a,
    )
    session.add(row)
    session.flush()
    return row.id


def draw_stock_meter(session: Session, meter_no: str, *, for_no: str, supply: Supply) -> None:
    """Draw a meter from stock for a case; another the case had drawn goes back.

    Raises:
        StockMeterTaken: it is not there, or drawn for another case.
        StockMeterUnfit: it measures another kind of supply.
    """
    row = _free(session, meter_no, for_no)
    if row.supply is not supply:
        raise StockMeterUnfit(meter_no=meter_no, supply=supply.value)
    put_back_stock_meters(session, for_no=for_no, but=meter_no)
    row.drawn_for, row.drawn_at = for_no, row.drawn_at or clock.now()
    session.flush()


def put_back_stock_meters(session: Session, *, for_no: str, but: str = "") -> None:
    """Put back on the shelf what a case had drawn and not fitted."""
    rows = session.scalars(
        select(StockMeter)
        .where(
            StockMeter.drawn_for == for_no,
            StockMeter.installed_at.is_(None),
            StockMeter.meter_no != but,
        )
        .with_for_update()
    )
    for row in rows:
        row.drawn_for = row.drawn_at = None
    session.flush()


def install_from_stock(
    session: Session, meter_no: str, *, for_no: str, point_id: int, installed_at: datetime
) -> int:
    """Fit a meter drawn from stock at a point, its terminal in service from now on.

    The pollers learn of it when the caller commits, and ask it in their next round.

    Raises:
        StockMeterTaken: it is not there, drawn for another case, or fitted already.
        StockMeterUnfit: the point is supplied otherwise.
        MeterNoTaken, PointOccupied: as for any meter.
    """
    row = _free(session, meter_no, for_no)
    supply = session.scalars(select(Point.supply).where(Point.id == point_id)).one()
    if row.supply is not supply:
        raise StockMeterUnfit(meter_no=meter_no, supply=supply.value)
    if row.terminal_id is not None:
        session.get_one(Terminal, row.terminal_id).in_service = True
    row.installed_at = installed_at
    return install_meter(
        session,
        meter_no,
        point_id=point_id,
        terminal_id=row.terminal_id,
        installed_at=installed_at,
        ct=row.ct,
        pt=row.pt,
        rated_a=row.rated_a,
    )


def _free(session: Session, meter_no: str, for_no: str) -> StockMeter:
    row = session.scalar(
        select(StockMeter).where(StockMeter.meter_no == meter_no).with_for_update()
    )
    if row is None or row.installed_at is not None or row.drawn_for not in {None, for_no}:
        raise StockMeterTaken(meter_no=meter_no, drawn_for=row.drawn_for if row else None)
    return row
