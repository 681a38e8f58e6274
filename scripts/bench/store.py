"""What a stored reading takes, and how soon the questions asked most are answered.

An embedded PostgreSQL in a temporary folder, a day of quarter hours of a fleet, and one
interval of 100,000 meters. See docs/benchmarks.md.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from _database import make_fleet, own_database
from _report import Measure, options, publish, say
from sqlalchemy import Engine, text

from foundation.db import connect, unit_of_work
from metering.readings.actions import ensure_days, store_packed
from metering.readings.days import sort_day
from metering.readings.packing import Block, pack_block
from metering.readings.queries import claim_batch, day_curve, latest

FLEET = 100_000
FEEDER = 200
STEP_S = 900
TRIES = 40
NARROW = 5_000
_NARROW_TABLE = text(
    "CREATE TABLE narrow (ts timestamptz NOT NULL, meter_id int NOT NULL, point smallint NOT NULL,"
    " quality smallint NOT NULL, value real, PRIMARY KEY (ts, meter_id, point))"
)
_NARROW_ROWS = text(
    "INSERT INTO narrow SELECT now(), m, p, 0, random()"
    " FROM generate_series(1, :meters) m, generate_series(1, 20) p"
)


def block(meters: int, slot: datetime, draw: np.random.Generator) -> bytes:
    """Pack one interval of so many meters, every value known and none like another."""
    values = draw.normal(1000.0, 200.0, (meters, 20))
    values[:, :3] = np.rint(np.abs(values[:, :3]) * 1e6)
    return pack_block(
        Block(
            slot_s=np.full(meters, int(slot.timestamp()), dtype=np.int64),
            meter_id=np.arange(1, meters + 1, dtype=np.int32),
            read_off_s=np.full(meters, 7, dtype=np.int16),
            quality=np.zeros(meters, dtype=np.int16),
            source=np.ones(meters, dtype=np.int16),
            inputs=np.full(meters, -1, dtype=np.int16),
            values=values,
        )
    )


def slots(day: date) -> Iterator[datetime]:
    """Give the quarter hours of a UTC day."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return (start + timedelta(seconds=STEP_S * number) for number in range(86_400 // STEP_S))


def fill(engine: Engine, day: date, meters: int) -> None:
    """Store a day of readings, interval by interval, as they come in."""
    draw = np.random.default_rng(1)
    with unit_of_work(engine) as session:
        ensure_days(session, day, day)
    for slot in slots(day):
        with unit_of_work(engine) as session:
            store_packed(session, block(meters, slot, draw), oldest=slot, judged=True)


def median_ms(engine: Engine, ask: Callable[[Any, int], object], *, tries: int = TRIES) -> float:
    """Give the median time of a question, each in a transaction of its own [ms]."""
    took = []
    for number in range(tries + 2):
        with unit_of_work(engine) as session:
            session.execute(text("SELECT 1"))
            began = time.perf_counter()
            ask(session, number)
            took.append(time.perf_counter() - began)
    return statistics.median(took[2:]) * 1e3


def bytes_per_reading(engine: Engine, day: date) -> float:
    """Give heap and index of a day over its readings."""
    part = f"metering.reading_{day:%Y%m%d}"
    with unit_of_work(engine) as session:
        size = session.execute(text(f"SELECT pg_total_relation_size('{part}')")).scalar_one()
        count = session.execute(text(f"SELECT count(*) FROM {part}")).scalar_one()
    return float(size / count)


def narrow_bytes(engine: Engine) -> float:
    """Give the same for one row per value: 20 rows a reading."""
    with unit_of_work(engine) as session:
        session.execute(_NARROW_TABLE)
        session.execute(_NARROW_ROWS, {"meters": NARROW})
        size = session.execute(text("SELECT pg_total_relation_size('narrow')")).scalar_one()
    return float(size / NARROW)


def one_day(engine: Engine, day: date, meters: int) -> float:
    """Time a meter's curve of a day, each time of another meter [ms].

    The office's day begins at 16:00 UTC: two UTC days are looked at, one of them is full.
    """
    step = meters // (TRIES + 2)
    return median_ms(engine, lambda session, n: day_curve(session, 1 + n * step, day))


def measures(engine: Engine, day: date, meters: int) -> list[Measure]:
    """Ask everything."""
    held, narrow = bytes_per_reading(engine, day), narrow_bytes(engine)
    arrived = one_day(engine, day, meters)
    say("sorting the day")
    with unit_of_work(engine) as session:
        sort_day(session, day)
    resorted = one_day(engine, day, meters)
    say("one interval of the whole fleet")
    slot = next(slots(day + timedelta(days=1)))
    with unit_of_work(engine) as session:
        ensure_days(session, day + timedelta(days=1), day + timedelta(days=1))
        store_packed(session, block(FLEET, slot, np.random.default_rng(2)), oldest=slot)
    with unit_of_work(engine) as session:
        session.execute(text("SET LOCAL statement_timeout = 0"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE metering.latest"))
        connection.execute(text("VACUUM ANALYZE metering.reading"))

    def feeder(session: Any, number: int) -> None:
        if len(latest(session, range(1 + FEEDER * number, 1 + FEEDER * (number + 1)))) != FEEDER:
            raise SystemExit("not every meter has its newest reading")

    def interval(session: Any, _: int) -> None:
        batch = claim_batch(session)
        if batch is None or len(batch.meter_id) != FLEET:
            raise SystemExit("the batch does not hold the whole fleet")

    return [
        Measure("bytes_per_reading", "B", held, narrow, "one row per value", held / narrow),
        Measure("bytes_per_reading_alone", "B", held, target=180.0),
        Measure("one_meter_one_day", "ms", arrived, target=5.0),
        Measure("one_meter_one_day_resorted", "ms", resorted, target=5.0),
        Measure("latest_of_a_feeder", "ms", median_ms(engine, feeder), target=2.0),
        Measure("last_interval", "ms", median_ms(engine, interval, tries=9), target=250.0),
    ]


def main() -> None:
    """Fill a day, ask."""
    parser = options(__doc__ or "", rounds=1)
    parser.add_argument("--meters", type=int, default=20_000, help="of the day that is filled")
    wanted = parser.parse_args()
    today = datetime.now(UTC).date()
    with tempfile.TemporaryDirectory(prefix="gridhall-bench-") as folder:
        Path(folder).chmod(0o755)
        os.environ["GRIDHALL_LOG_LEVEL"] = "WARNING"
        with own_database(Path(folder)) as where:
            engine = connect(where.owner, pool=2)
            with unit_of_work(engine) as session:
                make_fleet(session, FLEET, ports=ports(), interval_s=STEP_S)
            say(f"a day of {wanted.meters} meters")
            fill(engine, today - timedelta(days=3), wanted.meters)
            found = measures(engine, today - timedelta(days=3), wanted.meters)
            engine.dispose()
    note = f"A day of {wanted.meters} meters and one interval of {FLEET}; everything in memory."
    publish("store", found, notes=[note], as_json=wanted.json)


def ports() -> Sequence[int]:
    """Name connections nobody opens."""
    return range(20_000, 20_500)


if __name__ == "__main__":
    main()
