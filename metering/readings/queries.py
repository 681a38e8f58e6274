"""Reads of readings: the newest, curves, days, and batches as arrays for the judges."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from foundation.clock import day_span
from metering.network.types import Supply
from metering.readings.models import Daily, Latest, ReadingBatch
from metering.readings.types import (
    ENERGIES,
    MEASURES,
    UNKNOWN,
    BatchArrays,
    CurvePoint,
    DailyEnergy,
    DayUse,
    FirstReading,
    LatestReading,
    Quality,
    Source,
)

_SUPPLIES = {supply.value: index for index, supply in enumerate(Supply)}
_LATEST_COLUMNS = ("meter_id", "ts", "read_at", "quality", "source", *ENERGIES, *MEASURES, "inputs")


def latest(session: Session, meter_ids: Collection[int]) -> dict[int, LatestReading]:
    """Give the newest values of several meters; a meter never read is absent."""
    columns = [getattr(Latest, name) for name in _LATEST_COLUMNS]
    rows = session.execute(select(*columns).where(Latest.meter_id.in_(meter_ids)))
    return {row[0]: _latest(*row) for row in rows}


def _latest(
    meter_id: int, ts: datetime, read_at: datetime, quality: int, source: int, *values: Any
) -> LatestReading:
    return LatestReading(meter_id, ts, read_at, Quality(quality), Source(source), *values)


def newest_at(session: Session) -> datetime | None:
    """Give the time of the newest reading of all."""
    return session.scalar(select(func.max(Latest.read_at)))


def read_since(session: Session, since: datetime) -> int:
    """Count meters read since an instant."""
    return int(
        session.scalar(select(func.count()).select_from(Latest).where(Latest.read_at >= since)) or 0
    )


def first_good(session: Session, point_ids: Collection[int]) -> dict[int, FirstReading]:
    """Give the first good reading since its fitting of the meter at each of several points.

    A point whose meter has none yet is absent; on-demand reads do not count, they are not
    kept in the interval store.
    """
    rows = session.execute(
        text(
            "SELECT m.point_id, m.id, m.meter_no, r.ts + r.read_off_s * interval '1 second',"
            " r.wh_import, r.u_a FROM metering.meter m"
            " JOIN metering.latest l ON l.meter_id = m.id AND l.read_at >= m.installed_at"
            " CROSS JOIN LATERAL (SELECT * FROM metering.reading r WHERE r.meter_id = m.id"
            "  AND r.ts > m.installed_at - interval '1 hour'"
            "  AND r.ts + r.read_off_s * interval '1 second' >= m.installed_at"
            "  AND r.quality = 0 AND r.wh_import IS NOT NULL ORDER BY r.ts LIMIT 1) r"
            " WHERE m.point_id = ANY(:point_ids) AND m.removed_at IS NULL"
        ),
        {"point_ids": list(point_ids)},
    )
    return {row[0]: FirstReading(*row) for row in rows}


def day_curve(session: Session, meter_id: int, day: date) -> list[CurvePoint]:
    """Give an office day as 96 quarter hours; a quarter hour without a reading is all None.

    Readings out of range are left out.
    """
    start, end = day_span(day)
    rows = session.execute(
        text(
            "SELECT date_bin('15 minutes', ts, :start) AS bin, avg(u_a), avg(u_b), avg(u_c),"
            " avg(i_a), avg(i_b), avg(i_c), avg(p), bool_or(quality >= 128)"
            " FROM metering.reading"
            " WHERE ts >= :start AND ts < :end AND meter_id = :meter_id AND quality & 32 = 0"
            " GROUP BY bin"
        ),
        {"start": start, "end": end, "meter_id": meter_id},
    )
    known = {row[0]: CurvePoint(*row) for row in rows}
    steps = (start + timedelta(minutes=15 * step) for step in range(96))
    return [known.get(at) or CurvePoint(at) for at in steps if at < end]


def daily(session: Session, meter_id: int, *, first: date, last: date) -> list[DailyEnergy]:
    """Give the days of a meter, oldest first; a day without readings is absent."""
    rows = session.execute(
        select(Daily.day, Daily.used_wh, Daily.p_max, Daily.u_min, Daily.u_max, Daily.points)
        .where(Daily.meter_id == meter_id, Daily.day >= first, Daily.day <= last)
        .order_by(Daily.day)
    )
    return [DailyEnergy(*row) for row in rows]


def largest_points(session: Session, *, since: date, limit: int) -> list[DayUse]:
    """List the points with a terminal that used most since a day, the largest first."""
    rows = session.execute(
        text(
            "SELECT m.point_id, sum(d.used_wh)::bigint AS used FROM metering.daily d"
            " JOIN metering.meter m ON m.id = d.meter_id"
            " WHERE d.day >= :since AND d.used_wh IS NOT NULL"
            " AND m.terminal_id IS NOT NULL AND m.removed_at IS NULL"
            " GROUP BY m.point_id ORDER BY used DESC, m.point_id LIMIT :limit"
        ),
        {"since": since, "limit": limit},
    )
    return [DayUse(*row) for row in rows]


def waiting_batches(session: Session) -> int:
    """Count batches that no judge has taken yet."""
    return int(
        session.scalar(select(func.count(ReadingBatch.id)).where(ReadingBatch.judged_at.is_(None)))
        or 0
    )


def claim_batch(session: Session) -> BatchArrays | None:
    """Take the oldest unjudged batch that no other judge holds, as arrays.

    The batch is held until the caller's transaction ends; a crash gives it back.
    """
    claimed = session.execute(
        select(ReadingBatch.id, ReadingBatch.slot, ReadingBatch.meter_ids)
        .where(ReadingBatch.judged_at.is_(None))
        .order_by(ReadingBatch.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if claimed is None:
        return None
    rows = session.execute(
        text(
            "SELECT r.meter_id, m.point_id, p.area_id, p.supply, r.quality,"
            " m.rated_a * m.ct * 1000,"
            " r.u_a, r.u_b, r.u_c, r.i_a, r.i_b, r.i_c, r.p_a, r.p_b, r.p_c, r.inputs"
            " FROM metering.reading r JOIN metering.meter m ON m.id = r.meter_id"
            " JOIN metering.point p ON p.id = m.point_id"
            " WHERE r.ts = :slot AND r.meter_id = ANY(:meter_ids) ORDER BY r.meter_id"
        ),
        {"slot": claimed.slot, "meter_ids": claimed.meter_ids},
    ).all()
    table: list[tuple[Any, ...]] = list(zip(*rows, strict=True)) if rows else [()] * 16
    return BatchArrays(
        batch_id=claimed.id,
        slot=claimed.slot,
        meter_id=np.array(table[0], dtype=np.int64),
        point_id=np.array(table[1], dtype=np.int64),
        area_id=np.array(table[2], dtype=np.int64),
        supply=np.array([_SUPPLIES[word] for word in table[3]], dtype=np.int8),
        quality=np.array(table[4], dtype=np.int16),
        rated_ma=np.array(table[5], dtype=np.int64),
        volts=_scaled(table[6:9], 10).astype(np.int32),
        amps=_scaled(table[9:12], 1000).astype(np.int32),
        watts=_scaled(table[12:15], 1),
        inputs=np.array([-1 if v is None else v for v in table[15]], dtype=np.int16),
    )


def _scaled(columns: Sequence[Sequence[float | None]], steps: int) -> NDArray[np.int64]:
    """Turn columns of values into whole numbers of their resolution, shape (n, 3)."""
    values = np.array(columns, dtype=np.float64).T.reshape(-1, 3)
    whole = np.where(np.isnan(values), float(UNKNOWN), np.rint(values * steps))
    return whole.astype(np.int64)
