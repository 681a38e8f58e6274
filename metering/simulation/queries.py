"""The fleet as the simulator stands it up."""

from decimal import Decimal
from typing import Any, cast

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from metering.devices.models import Meter, StockMeter, Terminal
from metering.modbus.curves import Kind
from metering.modbus.simulated_unit import SimulatedUnit
from metering.network.models import Point, TransformerArea
from metering.simulation.models import SimulatedMeter, SimulatedStock

IN_STOCK = "STOCK"  # stands for a transformer area while a meter lies on the shelf


def simulated_fleet(session: Session) -> list[SimulatedUnit]:
    """List the terminals in service whose meters the simulator replays."""
    statement = (
        select(
            Meter.meter_no,
            TransformerArea.area_no,
            Terminal.host,
            Terminal.port,
            Terminal.unit,
            Terminal.profile,
            SimulatedMeter.curve,
            SimulatedMeter.seed,
            SimulatedMeter.peak_w,
            Point.supply,
            Meter.pt,
            Meter.ct,
        )
        .join(Meter, Meter.id == SimulatedMeter.meter_id)
        .join(Terminal, Terminal.id == Meter.terminal_id)
        .join(Point, Point.id == Meter.point_id)
        .join(TransformerArea, TransformerArea.id == Point.area_id)
        .where(Terminal.in_service, Meter.removed_at.is_(None))
        .order_by(Meter.meter_no)
    )
    rows = [*session.execute(statement), *_stock(session)]
    return [_unit(*row) for row in rows]


def _stock(session: Session) -> list[Row[Any]]:
    """List the meters of the demo that were in stock, wherever they hang by now.

    Their terminals answer on the shelf already: a meter just fitted is read at once,
    and nobody has to tell the simulator.
    """
    statement = (
        select(
            StockMeter.meter_no,
            func.coalesce(TransformerArea.area_no, IN_STOCK),
            Terminal.host,
            Terminal.port,
            Terminal.unit,
            Terminal.profile,
            SimulatedStock.curve,
            SimulatedStock.seed,
            SimulatedStock.peak_w,
            StockMeter.supply,
            StockMeter.pt,
            StockMeter.ct,
        )
        .join(StockMeter, StockMeter.id == SimulatedStock.stock_id)
        .join(Terminal, Terminal.id == StockMeter.terminal_id)
        .outerjoin(Meter, (Meter.meter_no == StockMeter.meter_no) & Meter.removed_at.is_(None))
        .outerjoin(Point, Point.id == Meter.point_id)
        .outerjoin(TransformerArea, TransformerArea.id == Point.area_id)
        .order_by(StockMeter.meter_no)
    )
    return list(session.execute(statement))


def _unit(*row: Any) -> SimulatedUnit:
    meter_no, area_no, host, port, unit, profile, curve, seed, peak_w, supply, pt, ct = row
    return SimulatedUnit(
        key=meter_no,
        area_no=area_no,
        host=host,
        port=port,
        unit_id=unit,
        profile=profile,
        kind=cast("Kind", curve),
        seed=seed,
        peak_w=peak_w,
        nominal_v=float(supply.nominal_volts),
        pt=Decimal(pt),
        ct=Decimal(ct),
    )
