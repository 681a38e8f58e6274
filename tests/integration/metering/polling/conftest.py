"""A poller of the test's own: its database, its terminals, its spool."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from psycopg import sql
from sqlalchemy import Engine, text

from foundation.db import connect, unit_of_work
from foundation.postgres import EmbeddedServer
from metering.devices.timetable import load_timetable
from metering.modbus.simulated_unit import SimulatedUnit
from metering.modbus.simulator import Simulator
from metering.polling.loop import Poller, Setup
from metering.polling.owning import Identity
from metering.polling.plans import Plans
from metering.polling.types import WithoutLease
from metering.readings.actions import days_ahead
from metering.readings.validating import load_validation
from tests.factories.databases import as_super, own_database
from tests.factories.metering import Fitted, meter
from tests.factories.wire import Terminals, terminals
from webapp.database import Addresses

PATIENCE_S = 60.0
HOLES = (
    "SELECT extract(epoch FROM max(ts) - min(ts)) + 1 - count(DISTINCT ts)"
    " FROM metering.reading WHERE meter_id = :m"
)
DOUBLES = (
    "SELECT count(*) FROM (SELECT 1 FROM metering.reading GROUP BY ts, meter_id"
    " HAVING count(*) > 1) d"
)


@dataclass
class Field:
    """A database, terminals on the wire, and a folder for spools."""

    server: EmbeddedServer
    where: Addresses
    office: Engine
    wire: Terminals
    folder: Path

    @property
    def setup(self) -> Setup:
        return Setup(
            me=Identity(uuid4(), "test", "", ttl_s=5.0, without=WithoutLease.SPOOL),
            spool=self.folder / "spool",
            spool_limit_bytes=1_000_000,
            timeout_s=0.5,
            timetable=load_timetable(),
            validation=load_validation(),
            late_every_s=0.2,
        )

    def fit(self, port: int, unit: int, *, interval_s: int = 1) -> Fitted:
        """Fit a meter behind a port."""
        with unit_of_work(self.office) as session:
            one = meter(session, port=port, unit=unit, profile="eastron_sdm630")
            session.execute(
                text("UPDATE metering.terminal SET interval_s = :s WHERE id = :id"),
                {"s": interval_s, "id": one.terminal_id},
            )
            session.execute(
                text("UPDATE metering.asked_span SET interval_s = :s WHERE meter_id = :id"),
                {"s": interval_s, "id": one.meter_id},
            )
        return one

    def value(self, statement: str, **facts: object) -> Any:
        """Ask the database for one value."""
        with unit_of_work(self.office) as session:
            return session.execute(text(statement), facts).scalar()

    def readings(self, one: Fitted) -> int:
        return int(
            self.value("SELECT count(*) FROM metering.reading WHERE meter_id = :m", m=one.meter_id)
        )

    def holes(self, one: Fitted) -> int:
        """Count the slots between a meter's first and last reading that have none."""
        return int(self.value(HOLES, m=one.meter_id))

    def missed(self) -> int:
        """Count the slots the poller says nobody was asked in."""
        return int(self.value("SELECT coalesce(sum(slots), 0) FROM metering.poll_missed"))

    def doubles(self) -> int:
        """Count the slots of a meter that have more than one reading."""
        return int(self.value(DOUBLES))

    def cut_off(self) -> None:
        """Take the database away: nobody gets in, whoever is in is thrown out."""
        self.office.dispose()
        name = self.where.office.rsplit("/", 1)[1]
        as_super(
            self.server,
            sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)),
        )
        as_super(
            self.server,
            sql.SQL(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {}"
            ).format(sql.Literal(name)),
        )

    def give_back(self) -> None:
        """Let everybody in again."""
        name = self.where.office.rsplit("/", 1)[1]
        as_super(
            self.server,
            sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(sql.Identifier(name)),
        )

    @asynccontextmanager
    async def polling(self, **changes: Any) -> AsyncIterator[Poller]:
        """Run a poller with the poller's own account."""
        engine = connect(self.where.poller, pool=5)
        poller = Poller(
            engine,
            self.where.poller,
            plans=Plans(self.folder),
            setup=replace(self.setup, **changes),
        )
        task = asyncio.create_task(poller.run())
        try:
            yield poller
        finally:
            poller.stop()
            await asyncio.wait_for(task, PATIENCE_S)
            await asyncio.get_running_loop().shutdown_default_executor()
            engine.dispose()


@asynccontextmanager
async def gateway(
    units: int, *, clock: Callable[[], float] = time.time, **changes: Any
) -> AsyncIterator[tuple[Simulator, int]]:
    """Run several meters behind one address."""
    some = [
        SimulatedUnit(
            **{
                "key": f"M{number}",
                "area_no": "T1",
                "host": "127.0.0.1",
                "port": 0,
                "unit_id": number,
                "profile": "demo_single",
                "kind": "home",
                "seed": number,
                "peak_w": 9000.0,
                **changes,
            }
        )
        for number in range(1, units + 1)
    ]
    simulator = Simulator(some, zone=ZoneInfo("Asia/Shanghai"), clock=clock)
    await simulator.start()
    try:
        yield simulator, next(iter(simulator.ports.values()))
    finally:
        await simulator.stop()


def fitted(field: Field, port: int, units: int, **manner: object) -> list[Fitted]:
    with unit_of_work(field.office) as session:
        meters = [
            meter(session, port=port, unit=number, profile="demo_single")
            for number in range(1, units + 1)
        ]
        for name, value in manner.items():
            session.execute(text(f"UPDATE metering.terminal SET {name} = :v"), {"v": value})
    return meters


async def until(holds: Callable[[], Any], what: str) -> Any:
    """Wait until something holds; say what was waited for if it does not."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not (found := holds()):  # noqa: ASYNC110 - not ours to signal
                await asyncio.sleep(0.05)
            return found
    except TimeoutError:
        pytest.fail(f"waited {PATIENCE_S} s for {what}")


@pytest.fixture
def outdoors(server: EmbeddedServer, tmp_path: Path) -> Iterator[Field]:
    """Give a field with four ports."""
    with own_database(server) as where, terminals(4) as wire:
        office = connect(where.office, pool=3)
        with unit_of_work(office) as session:
            days_ahead(session)
        try:
            yield Field(server, where, office, wire, tmp_path)
        finally:
            office.dispose()
