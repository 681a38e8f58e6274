"""The polling process: leases of connections, their rounds, and where it all goes.

Nothing here decides anything: who is due and what counts as late or silent stands in
`rules`, who owns what in `leasing`, what is written in `actions`.
"""

import asyncio
import gc
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path

import psycopg
from sqlalchemy import Engine

from foundation.db import AWAY, driver_url, unit_of_work
from metering.devices.queries import fleet
from metering.devices.rules import Timetable
from metering.devices.types import FLEET_CHANNEL, PollTarget
from metering.modbus.link import TlsFiles
from metering.polling import counters
from metering.polling.answering import Answerer
from metering.polling.backfill import SourceOf, nobody_remembers
from metering.polling.basket import Basket
from metering.polling.clocks import ClockWatch
from metering.polling.commanding import Commander
from metering.polling.connections import Connections, Loaded
from metering.polling.late import LateReader
from metering.polling.meters import Meters
from metering.polling.owning import Facts, Identity, Leases, Moves
from metering.polling.parcel import Parcel
from metering.polling.plans import Plans
from metering.polling.queries import known_meters, stored_in
from metering.polling.rounds import Surroundings
from metering.polling.sink import Sink
from metering.polling.types import SHARD_CHANNEL, Gained
from metering.readings.rules.slots import slot_of
from metering.readings.rules.validation import Limits, Validation
from metering.requests.types import REQUEST_CHANNEL

logger = logging.getLogger(__name__)

FLEET_EVERY_S = 600.0
"""Within this time every shard is loaded again, whatever notices were lost [s]."""
PLANS_EVERY_S = 10.0
LATE_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class Setup:
    """What a poller works by.

    Attributes:
        me: who it is.
        spool: folder of the spools of this machine's pollers.
        spool_limit_bytes: what each may hold.
        timeout_s: patience for one block [s].
        late_every_s: how often missed intervals are looked for [s].
        source_of: readers of meters' own memory, by profile.
        zone: the terminals' local time.
        tls: certificates for terminals reached by TLS.
    """

    me: Identity
    spool: Path
    spool_limit_bytes: int
    timeout_s: float
    timetable: Timetable
    validation: Validation
    late_every_s: float = LATE_EVERY_S
    source_of: SourceOf = nobody_remembers
    zone: tzinfo = UTC
    tls: TlsFiles | None = None


class Poller:
    """Keeps the slots of what it owns; `run` ends when `stop` is called."""

    def __init__(self, engine: Engine, url: str, *, plans: Plans, setup: Setup) -> None:
        self._engine, self._url, self._plans, self._setup = engine, url, plans, setup
        me = setup.me
        meters = Meters(setup.validation)
        self._basket = Basket(meters, Limits.of(setup.validation))
        self.leases = Leases(
            engine,
            me,
            facts=self._facts,
            moves=Moves(gained=self._gained, lost=self._lost, handing=self._handing),
        )
        self.sink = Sink(
            engine,
            root=setup.spool,
            worker=me.worker,
            limit_bytes=setup.spool_limit_bytes,
            fill=self._fill,
        )
        around = Surroundings(
            self._basket,
            lambda: self.sink.accepts,
            self.leases.may_send,
            setup.timeout_s,
            setup.tls,
        )
        self.connections = Connections(plans, meters, around)
        self._add_sides(meters)
        self._changed: set[int] = set()
        self._loaded: dict[int, int] = {}
        self._loading = asyncio.Lock()
        self._fleet_changed, self._stopping = asyncio.Event(), asyncio.Event()

    def _add_sides(self, meters: Meters) -> None:
        """Add who else uses the connections: requests, commands, clocks, what was missed."""
        engine, setup = self._engine, self._setup
        self._answerer = Answerer(
            engine, self.connections, meters, rules=setup.validation, timeout_s=setup.timeout_s
        )
        self._commander = Commander(
            engine,
            self.connections,
            owner=str(setup.me.worker),
            may_send=self.leases.may_send,
            zone=setup.zone,
            timeout_s=setup.timeout_s,
        )
        self._clocks = ClockWatch(
            self.connections,
            self._basket,
            rules=setup.timetable.clocks,
            zone=setup.zone,
            ready=self._is_ready,
            timeout_s=setup.timeout_s,
        )
        self._late = LateReader(
            engine,
            self.connections,
            self._basket,
            site=setup.me.site,
            timetable=setup.timetable,
            timeout_s=setup.timeout_s,
            source_of=setup.source_of,
        )

    def stop(self) -> None:
        """Ask the loop to end after what it is doing."""
        self._stopping.set()

    async def run(self) -> None:
        """Keep the slots until stopped."""
        dead = self.sink.inherit()
        loops = [
            asyncio.create_task(one)
            for one in (
                self._listen(),
                self.leases.run(dead=dead),
                self._follow_fleet(),
                self._follow_plans(),
                self._answerer.run(),
                self._commander.run(),
                self._clocks.run(),
                self._late.run(
                    lambda: list(self.leases.held),
                    every_s=self._setup.late_every_s,
                    ready=self._is_ready,
                ),
                self.sink.run(),
            )
        ]
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            done, _ = await asyncio.wait([*loops, stopping], return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stopping}:
                task.result()  # a loop that ended by itself has failed: say how
        finally:
            for task in (*loops, stopping):
                task.cancel()
            left = (*self._answerer.stop(), *self._commander.stop())
            await asyncio.gather(*loops, stopping, *left, return_exceptions=True)
            await self.connections.close()
            await self.sink.close()
            await self.leases.close()

    # --- what the parts ask of each other ------------------------------------------------

    def _is_ready(self) -> bool:
        return self.sink.accepts and self.leases.may_send()

    def _fill(self, number: int) -> Parcel:
        counters.WAITING.set(self._basket.count)
        counters.POLLS.labels("answered").inc(self._basket.count)
        return self._basket.parcel(number, site=self._setup.me.site, epochs=dict(self.leases.held))

    def _facts(self) -> Facts:
        since = self.sink.spooled_since
        return Facts(self.connections.terminals, self.sink.spool_bytes, since)

    async def _gained(self, gained: Sequence[Gained]) -> None:
        """Begin to ask what was taken, once it is known what its owner before had done."""
        async with self._loading:
            while gained := [one for one in gained if self._is_kept(one)]:
                try:
                    loaded = await asyncio.to_thread(self._load_gained, gained)
                    break
                except AWAY as error:
                    logger.warning("fleet not loaded", extra={"error": str(error)[:200]})
                    await asyncio.sleep(1)
            kept = {one.shard: one.epoch for one in gained if self._is_kept(one)}
            if kept:
                self._loaded |= kept
                self.connections.take(kept, loaded)
        gc.freeze()  # a fleet in memory stays: searching it for garbage took 6 % of the time

    def _is_kept(self, one: Gained) -> bool:
        return self.leases.kept.get(one.shard) == one.epoch

    async def _lost(self, shards: Collection[int]) -> None:
        await self.connections.drop(shards)
        gc.unfreeze()

    async def _handing(self, shards: Collection[int]) -> None:
        await self.connections.wind_down(shards)
        gc.unfreeze()
        await self.sink.flush()

    # --- notices from the database -------------------------------------------------------

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except psycopg.OperationalError as error:
                logger.warning("database away", extra={"error": str(error)[:200]})
            await asyncio.sleep(1)

    async def _listen_once(self) -> None:
        connection = await psycopg.AsyncConnection.connect(
            driver_url(self._url), autocommit=True, application_name="gridhall-poller-listen"
        )
        async with connection:
            for channel in (FLEET_CHANNEL, REQUEST_CHANNEL, SHARD_CHANNEL):
                await connection.execute(f"LISTEN {channel}")
            self._note_fleet("")
            self._answerer.asked.set()
            self._commander.asked.set()
            async for notice in connection.notifies():
                if notice.channel == FLEET_CHANNEL:
                    self._note_fleet(notice.payload)
                elif notice.channel == REQUEST_CHANNEL:
                    self._answerer.asked.set()
                    self._commander.asked.set()
                elif self.leases.live > 1 or not self.leases.held:
                    self.leases.woken.set()

    def _note_fleet(self, part: str) -> None:
        shard, _, site = part.partition("/")
        if not part:
            self._changed |= set(self.leases.held)
        elif site == self._setup.me.site and shard.isdecimal():
            self._changed.add(int(shard))
        self._fleet_changed.set()

    # --- the fleet -----------------------------------------------------------------------

    async def _follow_fleet(self) -> None:
        """Load what changed; besides, one shard after another, so that no change is lost."""
        turn = 0
        while True:
            try:
                pause_s = FLEET_EVERY_S / max(1, len(self.leases.held))
                async with asyncio.timeout(pause_s):
                    await self._fleet_changed.wait()
            except TimeoutError:
                held = sorted(self.leases.held)
                turn += 1
                self._changed |= {held[turn % len(held)]} if held else set()
            self._fleet_changed.clear()
            async with self._loading:
                changed, self._changed = self._followed(self._changed), set()
                is_told = await self._load_again(changed)
            if not is_told:
                await asyncio.sleep(1)
                self._fleet_changed.set()

    async def _load_again(self, changed: set[int]) -> bool:
        """Make some shards what the database says they are; give whether it said so."""
        if not changed:
            return True
        try:
            loaded = await asyncio.to_thread(self._load, changed)
        except AWAY as error:
            logger.warning("fleet not loaded", extra={"error": str(error)[:200]})
            self._changed |= changed
            return False
        self.connections.take(self._followed(changed), loaded)
        return True

    def _followed(self, shards: Collection[int]) -> set[int]:
        """Give those that are asked already: what is handed over must not be opened again.

        What was only just taken is loaded in `_gained`, which knows what was asked before.
        """
        kept = self.leases.kept
        return {one for one in shards if one in kept and self._loaded.get(one) == kept[one]}

    async def _follow_plans(self) -> None:
        while True:
            await asyncio.sleep(PLANS_EVERY_S)
            changed = self._plans.refresh()
            if changed:
                logger.info("profiles changed", extra={"profiles": sorted(changed)})
                self.connections.replan(changed)
                self._note_fleet("")

    def _load(self, shards: Collection[int]) -> Loaded:
        site = self._setup.me.site
        with unit_of_work(self._engine) as session:
            targets = fleet(session, site=site, shards=shards)
            known = known_meters(session, site=site, shards=shards)
        return Loaded(targets, {one.meter_id: one for one in known})

    def _load_gained(self, gained: Sequence[Gained]) -> Loaded:
        """Load shards that were taken, and what their owner before had done in this interval.

        One that handed them over said up to when it had begun rounds, and ended them. What
        one that was lost had begun is not known: what is stored tells.
        """
        shards = {one.shard for one in gained}
        loaded = self._load(shards)
        lost = {one.shard for one in gained if not one.was_released}
        by_interval: dict[int, list[PollTarget]] = {}
        for target in loaded.targets:
            if target.shard in lost:
                by_interval.setdefault(target.interval_s, []).append(target)
        stored = {}
        with unit_of_work(self._engine) as session:
            for interval_s, targets in by_interval.items():
                stored[interval_s] = stored_in(
                    session,
                    slot=slot_of(datetime.now(UTC), interval_s),
                    meter_ids=[target.meter_id for target in targets],
                )
        begun_to = {
            one.shard: one.last_slot for one in gained if one.was_released and one.last_slot
        }
        return Loaded(loaded.targets, loaded.known, stored, begun_to)


def health_of(poller: Poller) -> Callable[[], dict[str, object]]:
    """Give the facts the poller's health page shows."""

    def facts() -> dict[str, object]:
        return {
            "ready": poller.sink.accepts and (bool(poller.leases.held) or poller.leases.live > 1),
            "terminals": poller.connections.terminals,
            "connections": len(poller.connections),
            "shards": len(poller.leases.held),
            "spool_bytes": poller.sink.spool_bytes,
            "accepts": poller.sink.accepts,
            "last_stored_at": poller.sink.last_stored_at,
        }

    return facts
