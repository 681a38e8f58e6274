"""The leases of one poller: renewed in time, given up in time, shared with the others.

The database's clock decides when a lease ends; this process trusts its own only to stop
sooner. Time a machine spends asleep counts.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from foundation.db import AWAY, unit_of_work
from metering.polling import counters
from metering.polling.leasing import beat, bury, leave, release
from metering.polling.rules import beat_every_s, lease_margin_s
from metering.polling.types import Beat, Gained, Standing, WithoutLease

logger = logging.getLogger(__name__)

T = TypeVar("T")
NEVER = float("-inf")
ALWAYS = float("inf")


def boot_s() -> float:
    """Give the time since the machine started, sleep included [s]."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who polls.

    Attributes:
        worker: the process, new with every start.
        ttl_s: how long a lease lasts without renewal [s].
        without: what to do without a lease.
    """

    worker: UUID
    name: str
    site: str
    ttl_s: float
    without: WithoutLease


@dataclass(frozen=True, slots=True)
class Facts:
    """What a heartbeat tells besides."""

    terminals: int
    spool_bytes: int
    spool_since: datetime | None


@dataclass(frozen=True, slots=True)
class Moves:
    """Whom to tell when shards come and go.

    Attributes:
        gained: may begin to ask.
        lost: must stop at once, links hung up.
        handing: end the rounds that run and store what they brought, then return.
    """

    gained: Callable[[Sequence[Gained]], Coroutine[None, None, None]]
    lost: Callable[[Collection[int]], Coroutine[None, None, None]]
    handing: Callable[[Collection[int]], Coroutine[None, None, None]]


class Leases:
    """Keeps `held`, the shards and epochs this poller owns, true to the database."""

    def __init__(
        self, engine: Engine, me: Identity, *, facts: Callable[[], Facts], moves: Moves
    ) -> None:
        self.me = me
        self.held: dict[int, int] = {}
        self.live = 1
        self._engine, self._facts, self._moves = engine, facts, moves
        self._until = NEVER
        self._handing: set[int] = set()
        self._background: set[asyncio.Task[None]] = set()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="lease")
        self.woken = asyncio.Event()

    @property
    def kept(self) -> dict[int, int]:
        """Give the shards and epochs that are held and not being handed over."""
        return {shard: epoch for shard, epoch in self.held.items() if shard not in self._handing}

    def may_send(self) -> bool:
        """Whether the leases still hold, by this process's own clock."""
        return boot_s() < self._until

    @property
    def reads_on(self) -> bool:
        """Whether this poller asks on when it cannot renew its leases."""
        if self.me.without is WithoutLease.AUTO:
            return self.live <= 1
        return self.me.without is WithoutLease.SPOOL

    async def run(self, *, dead: Collection[UUID] = ()) -> None:
        """Renew until cancelled.

        Args:
            dead: processes of this machine known to be gone; their shards are free at once.
        """
        is_buried = not dead
        while True:
            if not is_buried:
                told = await self._in_database(lambda session: bury(session, dead))
                is_buried = told is not None
            await self._beat()
            try:
                async with asyncio.timeout(beat_every_s(self.me.ttl_s)):
                    await self.woken.wait()
            except TimeoutError:
                pass
            self.woken.clear()

    async def close(self) -> None:
        """Let the others have everything: what was read is stored."""
        me, held = self.me, dict(self.held)
        self._until, self.held = NEVER, {}
        for task in self._background:
            task.cancel()
        await self._in_database(lambda session: leave(session, me.worker, me.site, held))
        self._thread.shutdown(wait=False)

    async def _beat(self) -> None:
        asked, facts = boot_s(), self._facts()
        said = Beat(
            worker=self.me.worker,
            name=self.me.name,
            site=self.me.site,
            ttl_s=self.me.ttl_s,
            held=frozenset(self.held),
            resumes=self.reads_on,
            terminals=facts.terminals,
            spool_bytes=facts.spool_bytes,
            spool_since=facts.spool_since,
        )
        told = await self._in_database(lambda session: beat(session, said))
        if told is None:
            await self._without_answer()
        else:
            await self._stand(told[0], asked)

    async def _without_answer(self) -> None:
        if self.held and not self.may_send():
            logger.error("leases ended: polling stops", extra={"shards": len(self.held)})
            await self._lose(set(self.held))

    async def _stand(self, standing: Standing, asked: float) -> None:
        self.live = standing.live
        gained = {one.shard: one.epoch for one in standing.gained}
        gone = set(self.held) - set(standing.renewed)
        self._until = asked + self.me.ttl_s - lease_margin_s(self.me.ttl_s)
        if self.reads_on:
            self._until = ALWAYS
        if gone:
            await self._lose(gone)
        self.held = standing.renewed | gained
        counters.SHARDS_OWNED.set(len(self.held))
        if standing.gained:
            counters.LEASE_MOVES.labels("taken").inc(len(standing.gained))
            logger.info("shards taken", extra={"shards": len(gained), "live": standing.live})
            self._begin(self._moves.gained(standing.gained))
        surplus = len(self.held) - len(self._handing) - standing.share
        if surplus > 0:
            chosen = sorted(set(self.held) - self._handing, reverse=True)[:surplus]
            self._handing.update(chosen)
            self._begin(self._hand_over({shard: self.held[shard] for shard in chosen}))

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        """Let something happen beside the heartbeat, which must not wait for it."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _lose(self, shards: set[int]) -> None:
        for shard in shards:
            self.held.pop(shard, None)
        self._handing -= shards
        counters.LEASE_MOVES.labels("lost").inc(len(shards))
        counters.SHARDS_OWNED.set(len(self.held))
        logger.warning("shards lost", extra={"shards": len(shards)})
        await self._moves.lost(shards)

    async def _hand_over(self, shards: Mapping[int, int]) -> None:
        """Let the rounds end, store what they brought, then let the others have the shards."""
        await self._moves.handing(shards)
        mine = {shard: epoch for shard, epoch in shards.items() if self.held.get(shard) == epoch}
        me = self.me
        if await self._in_database(lambda session: release(session, me.worker, me.site, mine)):
            for shard in mine:
                self.held.pop(shard, None)
            counters.LEASE_MOVES.labels("handed_over").inc(len(mine))
            logger.info("shards handed over", extra={"shards": len(mine)})
        self._handing -= set(shards)
        still_mine = [Gained(s, e, None, False) for s, e in mine.items() if self.held.get(s) == e]
        if still_mine:  # the database did not answer: nobody else asks them
            await self._moves.gained(still_mine)

    async def _in_database(self, work: Callable[[Session], T]) -> tuple[T] | None:
        """Do something in a transaction of its own; None (logged) if the database is away."""
        limit_ms = int(max(1.0, self.me.ttl_s / 2) * 1000)

        def inside() -> tuple[T]:
            with unit_of_work(self._engine) as session:
                session.execute(text(f"SET LOCAL statement_timeout = {limit_ms}"))
                return (work(session),)

        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, inside)
        except AWAY as error:
            logger.warning("no word from the database", extra={"error": str(error)[:200]})
            return None
