"""The fleet as the simulator stands it up."""

from decimal import Decimal
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from metering.devices.models import Meter, Terminal
from metering.modbus.curves import Kind
from metering.modbus.simulated_unit import SimulatedUnit
from metering.network.models import Point, TransformerArea
from metering.simulation.models import SimulatedMeter


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
    return [_unit(*row) for row in session.execute(statement)]


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
