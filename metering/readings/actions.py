"""The store: staged COPY, idempotent by (ts, meter), with the batch that tells the judges."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from foundation import clock
from metering.readings.types import BATCH_CHANNEL, ENERGIES, MEASURES, NewReading

_COLUMNS = ("ts", "meter_id", "read_off_s", "quality", "source", "inputs", *ENERGIES, *MEASURES)
_TYPES = ("timestamptz", "int4", "int2", "int2", "int2", "int2", *("int8",) * 3, *("float4",) * 17)
_LIST = ", ".join(_COLUMNS)
_VALUES = ("quality", "source", "inputs", *ENERGIES, *MEASURES)

_STAGE = (
    "CREATE TEMP TABLE IF NOT EXISTS staged_reading ON COMMIT DELETE ROWS AS"
    f" SELECT {_LIST} FROM metering.reading WITH NO DATA"
)
_MERGE = (
    f"INSERT INTO metering.reading AS r ({_LIST}) SELECT DISTINCT ON (ts, meter_id) {_LIST}"
    " FROM staged_reading ORDER BY ts, meter_id, quality"
    " ON CONFLICT (ts, meter_id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in ("read_off_s", *_VALUES))
    + " WHERE excluded.quality < r.quality RETURNING ts, meter_id"
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

    A reading that is known already, as good or better, changes nothing. New ones are
    handed to the judges in one batch per slot, within this transaction.

    Args:
        session: the caller's transaction.
        readings: any meters, any slots; their days' partitions must exist.
        judged: history that is not to be judged.
    """
    if not readings:
        return 0
    _stage(session, readings)
    fresh: dict[datetime, list[int]] = defaultdict(list)
    for ts, meter_id in session.execute(text(_MERGE)):
        fresh[ts].append(meter_id)
    session.execute(text(_LATEST))
    if fresh and not judged:
        _hand_to_judges(session, fresh)
    session.execute(text("DELETE FROM staged_reading"))
    return sum(map(len, fresh.values()))


def store_on_demand(session: Session, reading: NewReading) -> None:
    """Keep an on-demand read as the meter's newest values; the interval store is untouched."""
    _stage(session, [reading])
    session.execute(text(_LATEST))
    session.execute(text("DELETE FROM staged_reading"))


def _stage(session: Session, readings: Sequence[NewReading]) -> None:
    session.execute(text(_STAGE))
    connection: Any = session.connection().connection.driver_connection
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY staged_reading ({_LIST}) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.set_types(_TYPES)
        for one in readings:
            value = one.values.get
            copy.write_row(
                (
                    one.ts,
                    one.meter_id,
                    one.read_off_s,
                    int(one.quality),
                    int(one.source),
                    one.inputs,
                    *(value(name) for name in ENERGIES),
                    *(value(name) for name in MEASURES),
                )
            )


def _hand_to_judges(session: Session, fresh: dict[datetime, list[int]]) -> None:
    stored_at = clock.now()
    session.execute(
        text(
            "INSERT INTO metering.reading_batch (slot, meter_ids, stored_at)"
            " VALUES (:slot, :meter_ids, :stored_at)"
        ),
        [
            {"slot": slot, "meter_ids": ids, "stored_at": stored_at}
            for slot, ids in sorted(fresh.items())
        ],
    )
    session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": BATCH_CHANNEL})


def ensure_days(session: Session, first: date, last: date) -> None:
    """Make the day partitions of a span of UTC days, both ends included."""
    session.execute(
        text("SELECT metering.ensure_reading_days(:first, :last)"), {"first": first, "last": last}
    )


def roll_up_day(session: Session, day: date) -> None:
    """Rebuild one office day of every meter from its readings."""
    start, end = clock.day_span(day)
    session.execute(
        text(
            "INSERT INTO metering.daily AS d (day, meter_id, wh_import, used_wh, p_max, u_min,"
            " u_max, points)"
            " SELECT :day, meter_id, max(wh_import), max(wh_import) - min(wh_import), max(p),"
            " min(least(u_a, u_b, u_c)), max(greatest(u_a, u_b, u_c)), count(*)"
            " FROM metering.reading WHERE ts >= :start AND ts < :end AND quality < 32"
            " GROUP BY meter_id"
            " ON CONFLICT (day, meter_id) DO UPDATE SET wh_import = excluded.wh_import,"
            " used_wh = excluded.used_wh, p_max = excluded.p_max, u_min = excluded.u_min,"
            " u_max = excluded.u_max, points = excluded.points"
            " WHERE excluded.points >= d.points"
        ),
        {"day": day, "start": start, "end": end},
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
