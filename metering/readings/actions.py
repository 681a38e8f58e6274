"""The store: staged COPY, idempotent by (ts, meter), with the batch that tells the judges."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from foundation import clock
from metering.readings.packing import COLUMNS, HEADER, TRAILER, pack_readings
from metering.readings.rollups import MARK_AFTER, hour_anchor, roll_up_day
from metering.readings.types import BATCH_CHANNEL, ENERGIES, MEASURES, NewReading

__all__ = [
    "days_ahead",
    "ensure_days",
    "forget_judged",
    "mark_judged",
    "roll_up_day",
    "store",
    "store_on_demand",
    "store_packed",
]

_LIST = ", ".join(COLUMNS)
_VALUES = ("quality", "source", "inputs", *ENERGIES, *MEASURES)

_STAGE = (
    "CREATE TEMP TABLE IF NOT EXISTS staged_reading ON COMMIT DELETE ROWS AS"
    f" SELECT {_LIST} FROM metering.reading WITH NO DATA"
)
_COPY = f"COPY staged_reading ({_LIST}) FROM STDIN (FORMAT BINARY)"
_FRESH = (
    f"INSERT INTO metering.reading AS r ({_LIST}) SELECT DISTINCT ON (ts, meter_id) {_LIST}"
    " FROM staged_reading ORDER BY ts, meter_id, quality"
    " ON CONFLICT (ts, meter_id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in ("read_off_s", *_VALUES))
    + " WHERE excluded.quality < r.quality RETURNING ts, meter_id"
)
_HANDED = (
    "handed AS (INSERT INTO metering.reading_batch (slot, meter_ids, stored_at)"
    " SELECT ts, array_agg(meter_id ORDER BY meter_id), :now FROM fresh GROUP BY ts ORDER BY ts)"
)
_DUE = (
    "due AS (INSERT INTO metering.rollup_due (hour, meter_ids)"
    " SELECT hour, array_agg(DISTINCT meter_id) FROM ("
    " SELECT date_bin('1 hour', ts, :anchor) AS hour, meter_id FROM fresh UNION ALL"
    " SELECT date_bin('1 hour', ts - interval '1 microsecond', :anchor), meter_id FROM fresh"
    ") touched WHERE hour <= :rolled GROUP BY hour)"
)
_CLOSE_GAPS = (
    "DELETE FROM metering.gap g USING staged_reading s"
    " WHERE g.ts = s.ts AND g.meter_id = s.meter_id"
)
_LATEST = (
    f"INSERT INTO metering.latest AS l (meter_id, ts, read_at, {', '.join(_VALUES)})"
    " SELECT DISTINCT ON (meter_id) meter_id, ts, ts + read_off_s * interval '1 second',"
    f" {', '.join(_VALUES)} FROM staged_reading ORDER BY meter_id, ts DESC, quality"
    " ON CONFLICT (meter_id) DO UPDATE SET ts = excluded.ts, read_at = excluded.read_at, "
    + ", ".join(f"{name} = excluded.{name}" for name in _VALUES)
    + " WHERE excluded.read_at >= l.read_at"
)


def store(session: Session, readings: Sequence[NewReading], *, judged: bool = False) -> int:
    """Store readings; give how many were new or better than what was known.

    Args:
        session: the caller's transaction.
        readings: any meters, any slots; their days' partitions must exist.
        judged: history that is not to be judged.
    """
    if not readings:
        return 0
    oldest = min(one.ts for one in readings)
    return store_packed(session, pack_readings(readings), oldest=oldest, judged=judged)


def store_packed(session: Session, rows: bytes, *, oldest: datetime, judged: bool = False) -> int:
    """Store packed readings; give how many were new or better than what was known.

    A reading that is known already, as good or better, changes nothing. New ones are
    handed to the judges in one batch per slot, close their gaps, and have their hours added
    up again if that was done before: all within this transaction.

    Args:
        session: the caller's transaction.
        rows: as `packing` makes them; their days' partitions must exist.
        oldest: the oldest slot among them.
        judged: history that is not to be judged.
    """
    now = clock.now()
    _stage(session, rows)
    parts = [f"WITH fresh AS ({_FRESH})"]
    given: dict[str, object] = {}
    if not judged:
        parts.append(_HANDED)
        given["now"] = now
    rolled = now - MARK_AFTER - timedelta(hours=1)
    is_old = oldest <= rolled + timedelta(hours=1)
    if is_old:
        parts.append(_DUE)
        given |= {"anchor": hour_anchor(), "rolled": rolled}
    statement = f"{', '.join(parts)} SELECT count(*) FROM fresh"
    fresh = int(session.execute(text(statement), given).scalar_one())
    session.execute(text(_LATEST))
    if oldest <= now - timedelta(seconds=1):
        session.execute(text(_CLOSE_GAPS))
    session.execute(text("DELETE FROM staged_reading"))
    if fresh and not judged:
        session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": BATCH_CHANNEL})
    return fresh


def store_on_demand(session: Session, reading: NewReading) -> None:
    """Keep an on-demand read as the meter's newest values; the interval store is untouched."""
    _stage(session, pack_readings([reading]))
    session.execute(text(_LATEST))
    session.execute(text("DELETE FROM staged_reading"))


def _stage(session: Session, rows: bytes) -> None:
    session.execute(text(_STAGE))
    connection: Any = session.connection().connection.driver_connection
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.write(HEADER)
        copy.write(rows)
        copy.write(TRAILER)


def ensure_days(session: Session, first: date, last: date) -> None:
    """Make the partitions of a span of UTC days, both ends included."""
    session.execute(
        text("SELECT metering.ensure_reading_days(:first, :last)"), {"first": first, "last": last}
    )


def days_ahead(session: Session, *, days: int = 7) -> None:
    """Make the partitions of the coming days, and of yesterday for late readings."""
    today = clock.now().date()
    ensure_days(session, today - timedelta(days=1), today + timedelta(days=days))


def forget_judged(session: Session, *, hours: int = 24) -> None:
    """Drop batches judged long ago; their readings stay."""
    session.execute(
        text("DELETE FROM metering.reading_batch WHERE judged_at < :limit"),
        {"limit": clock.now() - timedelta(hours=hours)},
    )


def mark_judged(session: Session, batch_id: int) -> None:
    """Note, in the judge's own transaction, that a batch was judged."""
    session.execute(
        text("UPDATE metering.reading_batch SET judged_at = :at WHERE id = :id"),
        {"at": clock.now(), "id": batch_id},
    )
