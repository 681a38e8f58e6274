"""Missed intervals: read late while their window is open, then from the meter's memory."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from foundation.db import AWAY, unit_of_work
from foundation.errors import BadData, Unreachable
from metering.devices.rules import Timetable, late_window_s
from metering.gaps.queries import asked_again, late_due
from metering.gaps.rules import still_readable
from metering.gaps.types import Missed
from metering.modbus.link import Priority
from metering.modbus.plan import Block
from metering.polling import counters
from metering.polling.backfill import SourceOf, as_backfilled
from metering.polling.basket import Basket
from metering.polling.connections import Connection, Connections
from metering.polling.fetching import Asked

logger = logging.getLogger(__name__)

TRIES = 2
REMEMBERED_BACK = timedelta(days=31)
"""How far back missed intervals are looked for in a meter's memory."""
REMEMBERED_EVERY = timedelta(minutes=10)
REMEMBERED_LIMIT = 50_000
LONGEST_LATE = timedelta(days=1, minutes=30)
"""No interval is longer than a day, and no late window than half an hour."""


class LateReader:
    """Plans the missed intervals of the shards that are held, and asks on the last lane."""

    def __init__(
        self,
        engine: Engine,
        connections: Connections,
        basket: Basket,
        *,
        site: str,
        timetable: Timetable,
        timeout_s: float,
        source_of: SourceOf,
    ) -> None:
        self._engine, self._connections, self._basket = engine, connections, basket
        self._site, self._timetable, self._source_of = site, timetable, source_of
        self._timeout_s = timeout_s
        self._tries: Counter[tuple[int, datetime]] = Counter()
        self._looked_back_at = datetime.fromtimestamp(0, tz=UTC)
        self._asked_to = datetime.fromtimestamp(0, tz=UTC)

    async def run(
        self, shards: Callable[[], Collection[int]], *, every_s: float, ready: Callable[[], bool]
    ) -> None:
        """Look at the gap list again and again.

        Args:
            shards: those that are held.
            every_s: how often [s].
            ready: whether readings may be asked for and stored just now.
        """
        while True:
            await asyncio.sleep(every_s)
            held = shards()
            if not held or not ready():
                continue
            try:
                missed = await asyncio.to_thread(self._missed, held, self._profiles_to_look_back())
            except AWAY:
                continue
            self._plan(missed)

    def _missed(self, shards: Collection[int], profiles: Collection[str]) -> list[Missed]:
        now = datetime.now(UTC)
        with unit_of_work(self._engine) as session:
            found = late_due(session, site=self._site, shards=shards, since=now - LONGEST_LATE)
            if profiles:
                found += late_due(
                    session,
                    site=self._site,
                    shards=shards,
                    since=now - REMEMBERED_BACK,
                    profiles=profiles,
                    limit=REMEMBERED_LIMIT,
                )
            asked = asked_again(session, site=self._site, shards=shards, after=self._asked_to)
        for one, at in asked:  # somebody wants it: earlier tries do not count
            self._tries.pop((one.meter_id, one.slot), None)
            self._asked_to = max(self._asked_to, at)
        return list(dict.fromkeys([*(one for one, _ in asked), *found]))

    def _profiles_to_look_back(self) -> set[str]:
        """Give the profiles whose meters are now and then asked for what they remember."""
        now = datetime.now(UTC)
        if now - self._looked_back_at < REMEMBERED_EVERY:
            return set()
        self._looked_back_at = now
        profiles = {one.plan.profile.name: one.plan.profile for one in self._connections.asked()}
        return {name for name, one in profiles.items() if self._source_of(one) is not None}

    def _plan(self, missed: Sequence[Missed]) -> None:
        """Sort by connection, and let each that is not at it already read its own."""
        now = datetime.now(UTC)
        oldest = now - REMEMBERED_BACK
        self._tries = Counter({k: n for k, n in self._tries.items() if k[1] > oldest})
        work: dict[str, tuple[Connection, dict[Asked, list[Missed]]]] = {}
        for one in missed:
            found = self._connections.by_meter.get(one.meter_id)
            if found is None or found[1].failed or self._tries[one.meter_id, one.slot] >= TRIES:
                continue
            connection, asked = found
            _, by_meter = work.setdefault(connection.address, (connection, {}))
            by_meter.setdefault(asked, []).append(one)
        for connection, by_meter in work.values():
            if connection.late is None or connection.late.done():
                connection.late = asyncio.create_task(self._read(connection, by_meter))

    async def _read(
        self, connection: Connection, by_meter: Mapping[Asked, Sequence[Missed]]
    ) -> None:
        for asked, missed in by_meter.items():
            past = []
            for one in missed:
                window_s = late_window_s(self._timetable, one.interval_s)
                if still_readable(one, now=datetime.now(UTC), window_s=window_s):
                    await self._read_late(connection, asked, one)
                else:
                    past.append(one)
            if past and not asked.is_gone:
                await self._remembered(connection, asked, past)

    async def _read_late(self, connection: Connection, asked: Asked, missed: Missed) -> None:
        series = connection.series.get(asked.target.interval_s)
        if series is None or asked.is_gone or asked.failed:
            return
        self._tries[missed.meter_id, missed.slot] += 1
        slot_s = int(missed.slot.timestamp())
        if await series.poll(asked, slot_s, priority=Priority.BACKFILL):
            counters.LATE.labels("late").inc()

    async def _remembered(
        self, connection: Connection, asked: Asked, missed: Sequence[Missed]
    ) -> None:
        """Ask the meter for what it remembers itself, where its profile has a reader."""
        source = self._source_of(asked.plan.profile)
        if source is None:
            return
        now = datetime.now(UTC)
        wanted = [one.slot for one in missed if source.remembers(one.slot, now=now)]
        for slot in wanted:
            self._tries[asked.target.meter_id, slot] += 1
        if not wanted:
            return

        async def read(block: Block) -> bytes:
            return await connection.link.read(
                asked.target.unit,
                block,
                timeout_s=self._timeout_s,
                priority=Priority.BACKFILL,
            )

        try:
            readings = await source.readings(read, asked.target, wanted)
        except (Unreachable, BadData) as error:
            logger.info("memory not read", extra={"terminal": asked.target.terminal_no,
                                                  "error": error.code})  # fmt: skip
            return
        self._basket.remembered_by_meter(as_backfilled(readings, is_clock_bad=asked.is_clock_bad))
        counters.LATE.labels("backfilled").inc(len(readings))
