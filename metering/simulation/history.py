"""History of the demo town: what its terminals would have shown, from the same curves."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import cast

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from foundation.clock import day_span, office_zone
from metering.devices.models import Meter
from metering.modbus.curves import Kind, MeterCurve
from metering.modbus.quantities import QUANTITIES
from metering.network.models import Point
from metering.network.types import Supply
from metering.readings.actions import ensure_days, store
from metering.readings.models import Daily, Latest
from metering.readings.types import ENERGIES, MEASURES, NewReading, Quality, Source
from metering.simulation.models import SimulatedMeter

QUARTER = timedelta(minutes=15)
_COLUMNS = (*ENERGIES, *MEASURES)


def quarter_history(session: Session, now: datetime, *, back: timedelta) -> int:
    """Write 15-minute readings of every meter with a terminal, from the last known one on.

    Args:
        session: the caller's transaction.
        now: up to the last whole quarter hour before it.
        back: how far back, where nothing is known.

    Returns:
        How many readings were new.
    """
    end = datetime.fromtimestamp(now.timestamp() // 900 * 900, tz=UTC)
    known = session.scalar(select(func.max(Latest.ts)))
    start = max(end - back, known + QUARTER) if known else end - back
    start = datetime.fromtimestamp(-(-start.timestamp() // 900) * 900, tz=UTC)
    slots = [start + QUARTER * step for step in range(int((end - start) / QUARTER))]
    if not slots:
        return 0
    ensure_days(session, slots[0].date(), slots[-1].date())
    written = 0
    for meter_id, curve in _curves(session, with_terminal=True):
        written += store(session, list(_readings(meter_id, curve, slots)), judged=True)
    return written


def _readings(meter_id: int, curve: MeterCurve, slots: Sequence[datetime]) -> Iterator[NewReading]:
    states = curve.history(np.array([slot.timestamp() for slot in slots]))
    columns = {name: _rounded(name, states[name]) for name in _COLUMNS if name in states}
    for row, slot in enumerate(slots):
        yield NewReading(
            ts=slot,
            meter_id=meter_id,
            read_off_s=0,
            quality=Quality.GOOD,
            source=Source.IMPORT,
            values={name: values[row] for name, values in columns.items()},
        )


def _rounded(name: str, values: NDArray[np.float64]) -> list[float]:
    steps = QUANTITIES[name].steps_per_unit
    whole = np.rint(values * steps)
    rounded: list[float] = (whole.astype(np.int64) if steps == 1 else whole / steps).tolist()
    return rounded


def daily_history(session: Session, today: date, *, days: int) -> int:
    """Write the days of every meter that are not known yet, yesterday the last."""
    first = today - timedelta(days=days)
    known = session.scalar(select(func.max(Daily.day)))
    first = max(first, known + timedelta(days=1)) if known else first
    wanted = [first + timedelta(days=n) for n in range((today - first).days)]
    if not wanted:
        return 0
    rows = [
        row
        for meter_id, curve in _curves(session, with_terminal=False)
        for row in _days(meter_id, curve, wanted)
    ]
    for at in range(0, len(rows), 5000):
        session.execute(insert(Daily).on_conflict_do_nothing(), rows[at : at + 5000])
    return len(rows)


def _days(meter_id: int, curve: MeterCurve, wanted: Sequence[date]) -> Iterator[dict[str, object]]:
    start, end = day_span(wanted[0])[0].timestamp(), day_span(wanted[-1])[1].timestamp()
    states = curve.history(np.arange(start, end + 1, 900.0))
    volts = np.array([states[name] for name in ("u_a", "u_b", "u_c") if name in states])
    per_day = 96
    for n, day in enumerate(wanted):
        span = slice(n * per_day, (n + 1) * per_day)
        begin, finish = states["wh_import"][n * per_day], states["wh_import"][(n + 1) * per_day]
        yield {
            "day": day,
            "meter_id": meter_id,
            "wh_import": int(finish),
            "used_wh": int(finish) - int(begin),
            "p_max": round(float(states["p"][span].max())),
            "u_min": round(float(volts[:, span].min()), 1),
            "u_max": round(float(volts[:, span].max()), 1),
            "points": per_day,
        }


def _curves(session: Session, *, with_terminal: bool) -> list[tuple[int, MeterCurve]]:
    statement = (
        select(
            Meter.id,
            SimulatedMeter.curve,
            SimulatedMeter.seed,
            SimulatedMeter.peak_w,
            Point.supply,
        )
        .join(SimulatedMeter, SimulatedMeter.meter_id == Meter.id)
        .join(Point, Point.id == Meter.point_id)
        .order_by(Meter.id)
    )
    if with_terminal:
        statement = statement.where(Meter.terminal_id.is_not(None))
    return [
        (
            meter_id,
            MeterCurve(
                cast("Kind", kind),
                seed=seed,
                peak_w=peak_w,
                zone=office_zone(),
                nominal_v=float(supply.nominal_volts),
                phases=1 if supply is Supply.SINGLE_220 else 3,
            ),
        )
        for meter_id, kind, seed, peak_w, supply in session.execute(statement)
    ]
