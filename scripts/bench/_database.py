"""A database of a benchmark's own, and a fleet in it."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from _report import say
from sqlalchemy import text
from sqlalchemy.orm import Session

from foundation.staff.actions import add_unit
from metering.network.actions import add_area, add_feeder, add_substation

UNITS = 247
"""Unit ids behind one connection."""

_POINTS = text(
    "INSERT INTO metering.point (point_no, area_id, box_no, supply, point_class)"
    " SELECT 'P-' || n, :area, 'B-1', 'three_380', 'load_control'"
    " FROM generate_series(1, :count) n"
)
_TERMINALS = text(
    "INSERT INTO metering.terminal (terminal_no, profile, host, port, unit, interval_s,"
    " own_interval, site, in_service, failed_rounds)"
    " SELECT 'ZD-' || n, 'bench_meter', '127.0.0.1',"
    " (CAST(:ports AS int[]))[1 + (n - 1) % :connections], 1 + (n - 1) / :connections,"
    " :interval_s, true, '', true, 0 FROM generate_series(1, :count) n"
)
_METERS = text(
    "INSERT INTO metering.meter (meter_no, point_id, terminal_id, ct, pt, rated_a, installed_at)"
    " SELECT 'M-' || substr(t.terminal_no, 4), p.id, t.id, 1, 1, 5, now()"
    " FROM metering.terminal t JOIN metering.point p"
    " ON p.point_no = 'P-' || substr(t.terminal_no, 4)"
)
_SPANS = text(
    "INSERT INTO metering.asked_span (meter_id, terminal_id, interval_s, since)"
    " SELECT m.id, t.id, t.interval_s, now() FROM metering.meter m"
    " JOIN metering.terminal t ON t.id = m.terminal_id"
)


def make_fleet(session: Session, count: int, *, ports: Sequence[int], interval_s: int) -> None:
    """Fit so many meters, spread evenly over the connections."""
    if count > UNITS * len(ports):
        raise SystemExit(f"{count} terminals need more connections than {len(ports)}")
    unit_id = add_unit(session, name_zh="基准供电所", name_en="Bench supply station")
    station = add_substation(session, "基准变")
    feeder = add_feeder(session, "F99", name="基准线", substation_id=station, unit_id=unit_id)
    area = add_area(session, "TG-9901", name="基准 1 号公变", feeder_id=feeder, rated_kva=400)
    session.execute(_POINTS, {"area": area, "count": count})
    session.execute(
        _TERMINALS,
        {
            "ports": list(ports),
            "connections": len(ports),
            "count": count,
            "interval_s": interval_s,
        },
    )
    session.execute(_METERS)
    session.execute(_SPANS)
    for table in ("point", "terminal", "meter", "asked_span"):
        session.execute(text(f"ANALYZE metering.{table}"))


@contextmanager
def own_database(folder: Path) -> Iterator[Any]:
    """Run a server of our own for the length of a block; its settings go to child processes."""
    os.environ.pop("DATABASE_URL", None)
    os.environ.update(
        GRIDHALL_DATA_DIR=str(folder),
        GRIDHALL_POLLER_METRICS_PORT="0",
        GRIDHALL_LOG_LEVEL="WARNING",
    )
    from foundation.postgres import EmbeddedServer
    from foundation.settings import settings
    from webapp import database

    server = EmbeddedServer(folder)
    say("a database of its own")
    server.start()
    try:
        database.prepare_embedded(settings())
        database.upgrade(settings())
        yield database.addresses(settings())
    finally:
        server.stop()
        shutil.rmtree(server.home.parent, ignore_errors=True)
