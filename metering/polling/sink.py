"""Where parcels go: into the database, and into the spool while it is away; in order, each once."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import psycopg
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from foundation.actor import Actor
from foundation.db import unit_of_work
from foundation.errors import GridhallError, Unreachable
from metering.polling import counters
from metering.polling.actions import record_parcel
from metering.polling.parcel import Parcel, ParcelGarbled, from_bytes, to_bytes
from metering.polling.spool import Spool, orphans
from metering.polling.types import SpoolFull

logger = logging.getLogger(__name__)

FLUSH_EVERY_S = 0.5
PATIENCE_S = 3.0
"""A parcel the database has not taken after this goes into the spool, and those behind it."""
TRY_EVERY_S = 1.0
STORE_LIMIT_S = 30

Fill = Callable[[int], Parcel]


class Sink:
    """Takes parcels from the poller and stores them in order.

    While the database takes each parcel within PATIENCE_S, parcels go straight to it. Else
    they go to the spool, and everything goes by way of the spool until that is empty. A
    parcel whose fate is not known is stored again: its number keeps it from counting twice.

    Args:
        engine: the database.
        root: folder of all spools of this machine's pollers.
        worker: this process.
        limit_bytes: what all spools it answers for may hold.
        fill: gives the next parcel, with the number it is to have.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        root: Path,
        worker: UUID,
        limit_bytes: int,
        fill: Fill,
    ) -> None:
        self._engine, self._worker, self._fill = engine, worker, fill
        self._root, self._limit = root, limit_bytes
        self._actor = Actor.system("poller")
        self._spool = Spool(root / str(worker), limit_bytes=limit_bytes)
        self._inherited: deque[tuple[UUID, Spool]] = deque()
        self._number = 0
        self._turn = asyncio.Lock()
        self._collecting: asyncio.Task[None] | None = None
        self._unsettled: set[asyncio.Task[bool]] = set()
        self._kept: deque[Parcel] = deque()
        self._held_since: datetime | None = None
        self._spooled_since: datetime | None = None
        self._stores = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self.last_stored_at: datetime | None = None

    # --- what the rounds look at ------------------------------------------------------

    @property
    def accepts(self) -> bool:
        """Whether there is room for what a round brings home."""
        return self._held_since is None

    @property
    def spool_bytes(self) -> int:
        """Give what waits on the disk [byte]."""
        return self._spool.size + sum(spool.size for _, spool in self._inherited)

    @property
    def spooled_since(self) -> datetime | None:
        """Give the oldest slot that waits on the disk."""
        return self._spooled_since

    def inherit(self) -> list[UUID]:
        """Take over the spools of processes of this machine that are gone; give whose."""
        dead = []
        for worker in orphans(self._root, but=self._worker):
            with contextlib.suppress(BlockingIOError, FileNotFoundError):
                spool = Spool(self._root / str(worker), limit_bytes=self._limit)
                dead.append(worker)
                if spool.is_empty:
                    spool.close()
                else:
                    self._inherited.append((worker, spool))
                    self._waits_since(_oldest_in(spool))
                    logger.warning(
                        "spool of a process that is gone",
                        extra={"worker": str(worker), "bytes": spool.size},
                    )
        return dead

    # --- the loop -----------------------------------------------------------------------

    async def run(self) -> None:
        """Collect and store until cancelled."""
        drain = asyncio.create_task(self._drain())
        try:
            while True:
                await asyncio.sleep(FLUSH_EVERY_S)
                if drain.done():
                    drain.result()  # it has failed: say how
                self._collecting = asyncio.create_task(self._collect())
                await asyncio.shield(self._collecting)
        finally:
            drain.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await drain

    async def flush(self) -> bool:
        """Bring what was read so far to the database now; give whether it is there."""
        await self._collect()
        return self._is_direct

    async def close(self) -> None:
        """Bring what is left to the database, or to the disk if it is away."""
        if self._collecting is not None:
            await self._collecting
        await self._collect()
        if self._kept:
            logger.error("readings lost: the spool is full", extra={"parcels": len(self._kept)})
        for _, spool in self._inherited:
            spool.close()
        self._spool.close()
        self._stores.shutdown(wait=False)
        self._disk.shutdown(wait=False)

    @property
    def _is_direct(self) -> bool:
        """Whether nothing waits before the next parcel."""
        return not self._kept and self._spool.is_empty and not self._inherited

    async def _collect(self) -> None:
        """Take what there is and bring it on its way; only one at a time."""
        async with self._turn:
            while self._kept and await self._to_disk(self._kept[0]):
                self._kept.popleft()
            if self._kept:
                return
            if self._held_since is not None:
                self._go_on()
            parcel = self._fill(self._number + 1)
            if parcel.is_empty:
                return
            self._number += 1
            if not (self._is_direct and await self._is_taken(parcel)):
                await self._spool_it(parcel)

    async def _is_taken(self, parcel: Parcel) -> bool:
        """Whether the database takes a parcel soon; a slow one may take it all the same."""
        storing = asyncio.create_task(self._store(parcel, self._worker))
        self._unsettled.add(storing)
        storing.add_done_callback(self._unsettled.discard)
        done, _ = await asyncio.wait([storing], timeout=PATIENCE_S)
        return bool(done) and storing.result()

    # --- the database ---------------------------------------------------------------------

    async def _store(self, parcel: Parcel, worker: UUID) -> bool:
        """Store a parcel; give whether it is settled: stored, or refused for good."""
        loop = asyncio.get_running_loop()
        try:
            fresh = await loop.run_in_executor(self._stores, self._write, parcel, worker)
        except (SQLAlchemyError, psycopg.Error, GridhallError, OSError) as error:
            if not _is_poison(error):
                logger.warning("database away", extra={"error": str(error)[:200]})
                return False
            logger.exception("parcel refused", extra={"number": parcel.number})
            await loop.run_in_executor(self._disk, self._set_aside, parcel, worker)
            return True
        counters.STORED.inc(fresh)
        self.last_stored_at = datetime.now(UTC)
        return True

    def _write(self, parcel: Parcel, worker: UUID) -> int:
        with counters.FLUSH.time(), unit_of_work(self._engine) as session:
            session.execute(text(f"SET LOCAL statement_timeout = '{STORE_LIMIT_S}s'"))
            return record_parcel(session, self._actor, worker, parcel)

    def _set_aside(self, parcel: Parcel, worker: UUID) -> None:
        """Keep a parcel the database will never take where a person finds it."""
        counters.REFUSED.inc()
        folder = self._root / "refused"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{worker}-{parcel.number}.parcel").write_bytes(to_bytes(parcel))

    # --- the disk ---------------------------------------------------------------------------

    async def _spool_it(self, parcel: Parcel) -> None:
        if self._kept or not await self._to_disk(parcel):
            self._kept.append(parcel)
            self._hold()

    async def _to_disk(self, parcel: Parcel) -> bool:
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(
                self._disk, self._spool.append, parcel.number, to_bytes(parcel)
            )
        except SpoolFull:
            return False
        counters.SPOOL_BYTES.set(self.spool_bytes)
        counters.SPOOL_PARCELS.inc()
        self._waits_since(parcel.oldest)
        return True

    def _waits_since(self, slot: datetime | None) -> None:
        if slot is not None and (self._spooled_since is None or slot < self._spooled_since):
            self._spooled_since = slot

    def _hold(self) -> None:
        """Stop asking: there is no room for what would come."""
        if self._held_since is None:
            self._held_since = datetime.now(UTC)
            counters.SPOOL_HELD.set(1)
            logger.error("spool full: polling is held", extra={"bytes": self.spool_bytes})

    def _go_on(self) -> None:
        since, self._held_since = self._held_since, None
        counters.SPOOL_HELD.set(0)
        logger.warning("polling goes on: the spool has room again", extra={"held_since": since})

    async def _drain(self) -> None:
        """Store what waits on the disk, the oldest process and parcel first."""
        loop = asyncio.get_running_loop()
        while True:
            worker, spool = self._inherited[0] if self._inherited else (self._worker, self._spool)
            entry = await loop.run_in_executor(self._disk, spool.first)
            if entry is None:
                if spool is not self._spool:
                    self._inherited.popleft()
                    spool.close()
                    continue
                self._drained()
                await asyncio.sleep(FLUSH_EVERY_S)
                continue
            try:
                parcel = from_bytes(entry.content)
            except ParcelGarbled as error:
                logger.exception("parcel garbled", extra={"why": str(error)})
                counters.SPOOL_DAMAGED.inc(len(entry.content))
            else:
                if not await self._store(parcel, worker):
                    await asyncio.sleep(TRY_EVERY_S)
                    continue
            await loop.run_in_executor(self._disk, spool.drop)
            counters.SPOOL_PARCELS.dec()
            counters.SPOOL_BYTES.set(self.spool_bytes)
            self._count_damage(spool)

    def _drained(self) -> None:
        if self._spooled_since is not None and not self._kept:
            self._spooled_since = None
            logger.warning("spool drained")
        counters.SPOOL_PARCELS.set(0)
        counters.SPOOL_BYTES.set(self.spool_bytes)
        self._count_damage(self._spool)

    def _count_damage(self, spool: Spool) -> None:
        if spool.damaged_bytes:
            counters.SPOOL_DAMAGED.inc(spool.damaged_bytes)
            spool.damaged_bytes = 0


def _oldest_in(spool: Spool) -> datetime | None:
    """Give the oldest slot of a spool's first parcel."""
    entry = spool.first()
    if entry is None:
        return None
    try:
        return from_bytes(entry.content).oldest
    except ParcelGarbled:
        return None


def _is_poison(error: Exception) -> bool:
    """Whether it is the parcel's own fault: the same one would be refused for ever."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, Unreachable):
        return False
    return isinstance(cause, psycopg.DataError | psycopg.IntegrityError | GridhallError)
