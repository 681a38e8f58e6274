"""Reads of readings: the newest, curves, days, and batches as arrays for the judges."""

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from foundation.clock import day_span
from foundation.db import rows_as
from metering.network.types import Supply
from metering.readings.models import Daily, Hourly, Latest, ReadingBatch, ReadingEvent
from metering.readings.packing import HEADER, TRAILER
from metering.readings.types import (
    ENERGIES,
    MEASURES,
    UNKNOWN,
    BatchArrays,
    CurvePoint,
    DailyEnergy,
    DayUse,
    EventKind,
    EventRow,
    FirstReading,
    HourlyEnergy,
    LatestReading,
    Quality,
    Source,
)

MANY = 2000
"""Of so many meters a batch is joined whole; fewer are looked up one by one. PostgreSQL cannot
know how many an array holds."""
_SUPPLIES = {supply.value: index for index, supply in enumerate(Supply)}
_HOURLY_COLUMNS = ("hour", "meter_id", "used_wh", "exported_wh", "covered_s", "p_avg", "p_max",
                   "u_min", "u_avg", "u_max", "points", "late", "estimated", "resets")  # fmt: skip
_LATEST_COLUMNS = ("meter_id", "ts", "read_at", "quality", "source", *ENERGIES, *MEASURES, "inputs")


def latest(session: Session, meter_ids: Collection[int]) -> dict[int, LatestReading]:
    """Give the newest values of several meters; a meter never read is absent."""
    rows = session.execute(text(_NEWEST), {"meter_ids": list(meter_ids)})
    return {row[0]: _latest(*row) for row in rows}


_NEWEST = (
    f"SELECT {', '.join(_LATEST_COLUMNS)} FROM metering.latest WHERE meter_id = ANY(:meter_ids)"
)


def _latest(
    meter_id: int, ts: datetime, read_at: datetime, quality: int, source: int, *values: Any
) -> LatestReading:
    return LatestReading(
        meter_id,
        ts.astimezone(UTC),
        read_at.astimezone(UTC),
        Quality(quality),
        Source(source),
        *values,
    )


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
    rows = session.execute(text(_CURVE), {"start": start, "end": end, "meter_id": meter_id})
    known = {row[0]: CurvePoint(*row) for row in rows}
    return [known.get(at) or CurvePoint(at) for at in _steps(start, end, 900)]


_SLOTS = (
    "SELECT generate_series(CAST(:start AS timestamptz), CAST(:end AS timestamptz)"
    " - interval '1 second', make_interval(secs => steps.interval_s))"
    " FROM (SELECT interval_s FROM metering.asked_span WHERE meter_id = :meter_id"
    " UNION SELECT CASE WHEN EXISTS (SELECT 1 FROM metering.asked_span"
    "  WHERE meter_id = :meter_id) THEN 900 ELSE 60 END) steps"
)
"""The slots a meter may have a reading in: PostgreSQL before 18 cannot skip through the key
(ts, meter_id); given the slots, it looks each of them up instead of reading the whole day."""
_CURVE = (
    "SELECT date_bin('15 minutes', ts, :start) AS bin, avg(u_a), avg(u_b), avg(u_c),"
    " avg(i_a), avg(i_b), avg(i_c), avg(p),"
    f" bool_or(quality & {int(Quality.ESTIMATED)} <> 0), bit_or(quality)"
    f" FROM metering.reading WHERE ts >= :start AND ts < :end AND ts = ANY(ARRAY({_SLOTS}))"
    " AND meter_id = :meter_id"
    f" AND quality & {int(Quality.OUT_OF_RANGE)} = 0 GROUP BY bin"
)


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
        select(ReadingBatch.id, ReadingBatch.slot, func.cardinality(ReadingBatch.meter_ids))
        .where(ReadingBatch.judged_at.is_(None))
        .order_by(ReadingBatch.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if claimed is None:
        return None
    if claimed[2] >= MANY:
        session.execute(text("SET LOCAL enable_nestloop = off"))
    rows = _fixed_rows(
        session, _BATCH.format(id=int(claimed.id), slot=claimed.slot.isoformat()), _BATCH_ROW
    )
    rows = rows[np.argsort(rows["meter_id"], kind="stable")]
    session.execute(text("SET LOCAL enable_nestloop = on"))
    return BatchArrays(
        batch_id=claimed.id,
        slot=claimed.slot,
        meter_id=rows["meter_id"].astype(np.int64),
        point_id=rows["point_id"].astype(np.int64),
        area_id=rows["area_id"].astype(np.int64),
        supply=rows["supply"].astype(np.int8),
        quality=rows["quality"].astype(np.int16),
        rated_ma=rows["rated_ma"].astype(np.int64),
        volts=_scaled([rows[f"u_{phase}"] for phase in "abc"], 10).astype(np.int32),
        amps=_scaled([rows[f"i_{phase}"] for phase in "abc"], 1000).astype(np.int32),
        watts=_scaled([rows[f"p_{phase}"] for phase in "abc"], 1),
        inputs=rows["inputs"].astype(np.int16),
    )


_BATCH_FIELDS = (
    ("meter_id", ">i4", "r.meter_id"),
    ("point_id", ">i8", "m.point_id"),
    ("area_id", ">i8", "p.area_id"),
    ("supply", ">i2", "CASE p.supply "
     + " ".join(f"WHEN '{word}' THEN {index}" for word, index in _SUPPLIES.items()) + " END"),
    ("quality", ">i2", "r.quality"),
    ("rated_ma", ">i8", "m.rated_a::bigint * m.ct * 1000"),
    *((f"{what}_{phase}", ">f4", f"coalesce(r.{what}_{phase}, 'NaN')")
      for what in "uip" for phase in "abc"),
    ("inputs", ">i2", "coalesce(r.inputs, -1)"),
)  # fmt: skip
_SQL_TYPES = {">i2": "smallint", ">i4": "integer", ">i8": "bigint", ">f4": "real"}
_BATCH = (
    "SELECT "
    + ", ".join(f"({sql})::{_SQL_TYPES[kind]}" for _, kind, sql in _BATCH_FIELDS)
    + " FROM (SELECT unnest(meter_ids) AS meter_id FROM metering.reading_batch"
    " WHERE id = {id}) b JOIN metering.reading r ON r.ts = '{slot}' AND r.meter_id = b.meter_id"
    " JOIN metering.meter m ON m.id = r.meter_id JOIN metering.point p ON p.id = m.point_id"
)
_BATCH_ROW = np.dtype(
    [("fields", ">i2")]
    + [part for name, kind, _ in _BATCH_FIELDS for part in ((f"{name}_size", ">i4"), (name, kind))]
)


def _fixed_rows(session: Session, statement: str, row: "np.dtype[Any]") -> NDArray[Any]:
    """Give a query's rows as an array: every column of one width and never NULL."""
    connection: Any = session.connection().connection.driver_connection
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY ({statement}) TO STDOUT (FORMAT BINARY)") as copy,
    ):
        received = b"".join(map(bytes, copy))
    return np.frombuffer(received[len(HEADER) : -len(TRAILER)], dtype=row)


def _scaled(columns: Sequence[NDArray[np.float32]], steps: int) -> NDArray[np.int64]:
    """Turn columns of values into whole numbers of their resolution, shape (n, 3)."""
    values = np.stack(columns, axis=1).astype(np.float64)
    whole = np.where(np.isnan(values), float(UNKNOWN), np.rint(values * steps))
    return whole.astype(np.int64)


def hourly(
    session: Session, meter_ids: Collection[int], *, first: datetime, end: datetime
) -> list[HourlyEnergy]:
    """Give the hours of several meters in [first, end), by meter and hour.

    An hour without readings is absent, and so is one that is not added up yet.
    """
    columns = [getattr(Hourly, name) for name in _HOURLY_COLUMNS]
    return rows_as(
        HourlyEnergy,
        session,
        select(*columns)
        .where(Hourly.hour.in_(_steps(first, end, 3600)), Hourly.meter_id.in_(meter_ids))
        .order_by(Hourly.meter_id, Hourly.hour),
    )


def events(
    session: Session,
    meter_ids: Collection[int],
    *,
    since: datetime,
    kinds: Collection[EventKind] = tuple(EventKind),
    limit: int = 200,
) -> list[EventRow]:
    """List what meters told, newest first: what began since an instant, or lasts."""
    return rows_as(
        EventRow,
        session,
        select(
            ReadingEvent.id,
            ReadingEvent.meter_id,
            ReadingEvent.kind,
            ReadingEvent.at,
            ReadingEvent.ended_at,
            ReadingEvent.facts,
        )
        .where(
            ReadingEvent.meter_id.in_(meter_ids),
            ReadingEvent.kind.in_(kinds),
            (ReadingEvent.at >= since) | ReadingEvent.ended_at.is_(None),
        )
        .order_by(ReadingEvent.at.desc(), ReadingEvent.id.desc())
        .limit(limit),
    )


def _steps(first: datetime, end: datetime, seconds: int) -> list[datetime]:
    count = int((end - first).total_seconds()) // seconds
    return [first + timedelta(seconds=seconds * step) for step in range(count)]
