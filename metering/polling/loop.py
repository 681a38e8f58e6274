"""The polling process: one owner per connection, slots kept, flushes stored, requests answered.

Nothing here decides anything: who is due and what counts as late or silent stands in
`rules`, what is written in `actions`.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psycopg
from prometheus_client import Counter, Gauge, Histogram
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from foundation.actor import Actor
from foundation.db import driver_url, unit_of_work
from foundation.errors import GridhallError, Unreachable
from metering.devices.queries import fleet
from metering.devices.types import FLEET_CHANNEL, PollTarget
from metering.modbus.link import Link, Priority
from metering.modbus.plan import Plan
from metering.polling.actions import record_outcomes
from metering.polling.asking import Asker
from metering.polling.rules import is_due, next_start, patience_s
from metering.polling.types import Outcome
from metering.readings.actions import store_on_demand
from metering.readings.rules import Validation, slot_of
from metering.readings.types import Source
from metering.requests.actions import answer
from metering.requests.queries import open_requests
from metering.requests.types import REQUEST_CHANNEL

logger = logging.getLogger(__name__)

POLLER_LOCK = 0x6D65746572  # advisory lock: one process polls this fleet
FLUSH_EVERY_S = 0.5
FLEET_EVERY_S = 60.0
BUFFER_LIMIT = 200_000  # outcomes kept while the database is away

POLLS = Counter("gridhall_polls_total", "Terminals asked in a round", ["outcome"])
MISSED = Counter("gridhall_slots_missed_total", "Slots a connection was too busy for")
STORED = Counter("gridhall_readings_stored_total", "Readings that were new")
BUFFERED = Gauge("gridhall_poll_buffer", "Outcomes waiting for the database")
DROPPED = Counter("gridhall_poll_dropped_total", "Outcomes lost because the buffer was full")
ROUND = Histogram("gridhall_round_seconds", "Time a connection's round took")
ON_DEMAND = Histogram("gridhall_on_demand_seconds", "From asking to the stored answer")


@dataclass(slots=True)
class Connection:
    """One address, the terminals behind it, and the link that owns it."""

    address: str
    link: Link
    targets: dict[int, PollTarget]
    failed: dict[int, int] = field(default_factory=dict)
    task: asyncio.Task[None] | None = None


class Poller:
    """Keeps the fleet's slots; `run` ends when `stop` is called."""

    def __init__(
        self,
        engine: Engine,
        url: str,
        *,
        plans: Mapping[str, Plan],
        validation: Validation,
        timeout_s: float,
    ) -> None:
        self._engine, self._url, self._plans = engine, url, plans
        self._timeout_s = timeout_s
        self._asker = Asker(validation)
        self._actor = Actor.system("poller")
        self._connections: dict[str, Connection] = {}
        self._by_meter: dict[int, tuple[Connection, PollTarget]] = {}
        self._buffer: deque[Outcome] = deque()
        self._answering: set[int] = set()
        self._background: set[asyncio.Task[None]] = set()
        self._fleet_changed, self._asked = asyncio.Event(), asyncio.Event()
        self._stopping = asyncio.Event()
        self.last_stored_at: datetime | None = None
        self.owns = False

    @property
    def terminals(self) -> int:
        """Count the terminals being asked."""
        return len(self._by_meter)

    def stop(self) -> None:
        """Ask the loop to end after what it is doing."""
        self._stopping.set()

    async def run(self) -> None:
        """Keep the slots until stopped."""
        loops = [
            asyncio.create_task(loop())
            for loop in (self._listen, self._follow_fleet, self._answer_requests, self._flush_loop)
        ]
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            done, _ = await asyncio.wait([*loops, stopping], return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stopping}:
                task.result()  # a loop that ended by itself has failed: say how
        finally:
            rounds = [c.task for c in self._connections.values() if c.task]
            for task in (*loops, *rounds, *self._background, stopping):
                task.cancel()
            await asyncio.gather(
                *loops, *rounds, *self._background, stopping, return_exceptions=True
            )
            await asyncio.gather(*(c.link.close() for c in self._connections.values()))
            with contextlib.suppress(Unreachable, SQLAlchemyError):
                await self._flush()

    # --- notices from the database -------------------------------------------------

    async def _listen(self) -> None:
        """Own the fleet by an advisory lock, and hear of changes and requests."""
        while True:
            try:
                await self._listen_once()
            except psycopg.Error as error:
                logger.warning("database away, polling on", extra={"error": str(error)})
            await asyncio.sleep(1)

    async def _listen_once(self) -> None:
        connection = await psycopg.AsyncConnection.connect(
            driver_url(self._url), autocommit=True, application_name="gridhall-poller-listen"
        )
        async with connection:
            while not await self._take_ownership(connection):  # noqa: ASYNC110 - a lock, no event
                await asyncio.sleep(1)
            for channel in (FLEET_CHANNEL, REQUEST_CHANNEL):
                await connection.execute(f"LISTEN {channel}")
            self._fleet_changed.set()
            self._asked.set()
            async for notice in connection.notifies():
                (self._fleet_changed if notice.channel == FLEET_CHANNEL else self._asked).set()

    async def _take_ownership(self, connection: psycopg.AsyncConnection) -> bool:
        cursor = await connection.execute("SELECT pg_try_advisory_lock(%s)", (POLLER_LOCK,))
        row = await cursor.fetchone()
        self.owns = bool(row and row[0])
        return self.owns

    # --- the fleet ---------------------------------------------------------------------

    async def _follow_fleet(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FLEET_EVERY_S):
                    await self._fleet_changed.wait()
            self._fleet_changed.clear()
            if self.owns:
                with contextlib.suppress(Unreachable, SQLAlchemyError):
                    self._apply(await asyncio.to_thread(self._load_fleet))

    def _load_fleet(self) -> list[PollTarget]:
        with unit_of_work(self._engine) as session:
            return fleet(session)

    def _apply(self, targets: Sequence[PollTarget]) -> None:
        """Take over a changed fleet; links whose terminals stay are left alone."""
        wanted: dict[str, dict[int, PollTarget]] = {}
        for target in targets:
            if target.profile in self._plans:
                wanted.setdefault(f"{target.host}:{target.port}", {})[target.terminal_id] = target
            else:
                logger.error("profile unknown", extra={"terminal": target.terminal_no})
        for address in self._connections.keys() - wanted.keys():
            self._drop(address)
        for address, behind in wanted.items():
            if address in self._connections:
                self._connections[address].targets = behind
            else:
                self._connections[address] = self._open(address, behind)
        self._by_meter = {
            target.meter_id: (connection, target)
            for connection in self._connections.values()
            for target in connection.targets.values()
        }

    def _open(self, address: str, behind: dict[int, PollTarget]) -> Connection:
        first = next(iter(behind.values()))
        profiles = [self._plans[target.profile].profile for target in behind.values()]
        link = Link(
            first.host,
            first.port,
            connect_timeout_s=self._timeout_s,
            min_gap_ms=max(profile.min_gap_ms for profile in profiles),
            connect_pause_ms=max(profile.connect_pause_ms for profile in profiles),
        )
        connection = Connection(address, link, behind)
        connection.task = asyncio.create_task(self._keep_slots(connection))
        return connection

    def _drop(self, address: str) -> None:
        connection = self._connections.pop(address)
        if connection.task is not None:
            connection.task.cancel()
        self._later(connection.link.close())

    def _later(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    # --- rounds ----------------------------------------------------------------------

    async def _keep_slots(self, connection: Connection) -> None:
        """Ask the terminals of one connection in every slot; begin with the present one."""
        at = datetime.now(UTC)
        while True:
            interval = min(target.interval_s for target in connection.targets.values())
            slot = slot_of(at, interval)
            with ROUND.time():
                await self._round(connection, slot)
            now = datetime.now(UTC)
            at = next_start(now, connection.address, interval)
            MISSED.inc(max(0, int((slot_of(at, interval) - slot).total_seconds()) // interval - 1))
            await asyncio.sleep((at - now).total_seconds())

    async def _round(self, connection: Connection, slot: datetime) -> None:
        for target in list(connection.targets.values()):
            if is_due(slot, target.interval_s):
                self._keep(await self._poll(connection, target, slot))

    async def _poll(self, connection: Connection, target: PollTarget, slot: datetime) -> Outcome:
        failed = connection.failed.get(target.terminal_id, 0)
        outcome = await self._asker.ask(
            connection.link,
            target,
            self._plans[target.profile],
            slot=slot,
            source=Source.POLL,
            priority=Priority.POLL,
            timeout_s=patience_s(failed, self._timeout_s),
        )
        connection.failed[target.terminal_id] = 0 if outcome.reading else failed + 1
        POLLS.labels(outcome.error or "answered").inc()
        return outcome

    def _keep(self, outcome: Outcome) -> None:
        if len(self._buffer) >= BUFFER_LIMIT:
            self._buffer.popleft()
            DROPPED.inc()
        self._buffer.append(outcome)

    # --- the store --------------------------------------------------------------------

    async def _flush_loop(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_EVERY_S)
            try:
                await self._flush()
            except (Unreachable, SQLAlchemyError) as error:
                logger.warning(
                    "flush waits for the database",
                    extra={"error": str(error)[:200], "waiting": len(self._buffer)},
                )
                await asyncio.sleep(1)

    async def _flush(self) -> None:
        BUFFERED.set(len(self._buffer))
        batch = list(self._buffer)
        if not batch:
            return
        fresh = await asyncio.to_thread(self._store, batch)
        for _ in batch:
            self._buffer.popleft()
        STORED.inc(fresh)
        self.last_stored_at = datetime.now(UTC)

    def _store(self, batch: Sequence[Outcome]) -> int:
        with unit_of_work(self._engine) as session:
            return record_outcomes(session, self._actor, batch)

    # --- on-demand reads -----------------------------------------------------------------

    async def _answer_requests(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(5):
                    await self._asked.wait()
            self._asked.clear()
            if not self.owns:
                continue
            with contextlib.suppress(Unreachable, SQLAlchemyError):
                for request_id, meter_id in await asyncio.to_thread(self._open_requests):
                    if request_id not in self._answering:
                        self._answering.add(request_id)
                        self._later(self._answer(request_id, meter_id))

    def _open_requests(self) -> list[tuple[int, int]]:
        with unit_of_work(self._engine) as session:
            return open_requests(session)

    async def _answer(self, request_id: int, meter_id: int) -> None:
        try:
            with ON_DEMAND.time():
                outcome = await self._read_now(meter_id)
                await asyncio.to_thread(self._write_answer, request_id, meter_id, outcome)
        except (GridhallError, SQLAlchemyError) as error:
            logger.warning("answer not written", extra={"error": str(error)[:200]})
        finally:
            self._answering.discard(request_id)

    async def _read_now(self, meter_id: int) -> Outcome | None:
        found = self._by_meter.get(meter_id)
        if found is None:
            return None
        connection, target = found
        return await self._asker.ask(
            connection.link,
            target,
            self._plans[target.profile],
            slot=slot_of(datetime.now(UTC), target.interval_s),
            source=Source.ON_DEMAND,
            priority=Priority.ON_DEMAND,
            timeout_s=self._timeout_s,
        )

    def _write_answer(self, request_id: int, meter_id: int, outcome: Outcome | None) -> None:
        with unit_of_work(self._engine) as session:
            if outcome is not None and outcome.reading is not None:
                store_on_demand(session, outcome.reading)
            answer(
                session,
                request_id,
                meter_id,
                at=datetime.now(UTC),
                error=(outcome.error or None) if outcome else "not_in_fleet",
            )


def health_of(poller: Poller) -> Callable[[], dict[str, object]]:
    """Give the facts the poller's health page shows."""

    def facts() -> dict[str, object]:
        return {
            "ready": poller.owns,
            "terminals": poller.terminals,
            "last_stored_at": poller.last_stored_at,
        }

    return facts
