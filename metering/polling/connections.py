"""The connections a poller owns and the terminals behind them; changes drop no other."""

import asyncio
import logging
from collections.abc import Collection, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from metering.devices.types import Framing, PollTarget
from metering.modbus.link import Link
from metering.modbus.link_metrics import LinkMetrics
from metering.polling.fetching import Asked
from metering.polling.meters import Meters
from metering.polling.plans import Plans, pauses_of
from metering.polling.rounds import Series, Surroundings, ended
from metering.polling.slowness import Slowness
from metering.polling.types import Known, LeaseEnded
from metering.readings.types import EventKind

logger = logging.getLogger(__name__)


class Manner(NamedTuple):
    """How a connection wants to be talked to; another one means a new link.

    Attributes:
        line: how a serial line is set.
        gap_ms: between a reply and the next request [ms].
        pause_ms: between connecting and the first request [ms].
    """

    framing: Framing
    depth: int
    line: str
    gap_ms: int
    pause_ms: int


@dataclass(slots=True, eq=False)
class Connection:
    """One address, its link, and the terminals behind it by interval."""

    address: str
    shard: int
    link: Link
    manner: Manner
    asked: dict[int, Asked] = field(default_factory=dict)
    series: dict[int, Series] = field(default_factory=dict)
    late: asyncio.Task[None] | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the database says of some shards.

    Attributes:
        targets: the terminals to ask.
        known: by meter, what is remembered of it.
        stored: by interval, meters that have a reading in the present slot.
        begun_to: by shard, up to when its owner before had begun rounds.
    """

    targets: Sequence[PollTarget]
    known: Mapping[int, Known] = field(default_factory=dict)
    stored: Mapping[int, Collection[int]] = field(default_factory=dict)
    begun_to: Mapping[int, datetime] = field(default_factory=dict)


class Connections:
    """All that is asked: opened, changed and closed as shards and devices come and go."""

    def __init__(self, plans: Plans, meters: Meters, around: Surroundings) -> None:
        self._plans, self._meters, self._around = plans, meters, around
        self._by_address: dict[str, Connection] = {}
        self._by_shard: dict[int, set[str]] = {}
        self.by_meter: dict[int, tuple[Connection, Asked]] = {}
        self._background: set[asyncio.Task[None]] = set()
        # scrapes come in a thread of their own, so both lists are taken at once
        self.metrics = LinkMetrics(lambda: [one.link for one in list(self._by_address.values())])
        self.slowness = Slowness(
            lambda: [(held.address, asked) for held, asked in list(self.by_meter.values())]
        )

    def __len__(self) -> int:
        return len(self._by_address)

    @property
    def terminals(self) -> int:
        """Count the terminals that are asked."""
        return len(self.by_meter)

    def asked(self) -> Iterator[Asked]:
        """Give every terminal that is asked."""
        return (asked for _, asked in self.by_meter.values())

    def take(self, shards: Iterable[int], loaded: Loaded) -> None:
        """Make the connections of some shards what the database says they are.

        Those that stay as they are keep their links and rounds.
        """
        wanted: dict[int, dict[str, dict[int, PollTarget]]] = {shard: {} for shard in shards}
        for target in loaded.targets:
            addresses = wanted.get(target.shard)
            if addresses is not None:
                addresses.setdefault(target.address, {})[target.terminal_id] = target
        for shard, addresses in wanted.items():
            for address in self._by_shard.get(shard, set()) - addresses.keys():
                self._later(self._close(address))
            for address, behind in addresses.items():
                self._take_one(shard, address, behind, loaded)

    async def drop(self, shards: Collection[int]) -> None:
        """Stop asking the connections of some shards at once, and hang up."""
        addresses = [a for shard in shards for a in self._by_shard.get(shard, ())]
        await asyncio.gather(*(self._close(address) for address in addresses))

    async def wind_down(self, shards: Collection[int]) -> None:
        """End the rounds of some shards, those that run at their end, and hang up."""
        addresses = [a for shard in shards for a in self._by_shard.get(shard, ())]
        series = [one for a in addresses for one in self._by_address[a].series.values()]
        await asyncio.gather(*(one.end() for one in series))
        await self.drop(shards)

    async def close(self) -> None:
        """Hang up on everybody."""
        await self.drop(list(self._by_shard))
        await asyncio.gather(*self._background, return_exceptions=True)

    def replan(self, names: Collection[str]) -> None:
        """Use changed profiles from the next terminal on; reopen links whose pauses changed."""
        for connection in list(self._by_address.values()):
            behind = {one.target.terminal_id: one.target for one in connection.asked.values()}
            if any(target.profile in names for target in behind.values()):
                self._take_one(connection.shard, connection.address, behind, Loaded(()))

    def _take_one(
        self, shard: int, address: str, behind: Mapping[int, PollTarget], loaded: Loaded
    ) -> None:
        usable = {}
        for terminal_id, target in behind.items():
            if self._plans.get(target.profile) is None:
                logger.error("profile unknown", extra={"terminal": target.terminal_no})
            else:
                usable[terminal_id] = target
        connection = self._by_address.get(address)
        if connection is not None and (
            not usable or connection.manner != self._manner(usable.values())
        ):
            self._later(self._close(address))
            connection = None
        if not usable:
            return
        if connection is None:
            connection = self._open(shard, address, usable)
        self._change(connection, usable, loaded)

    def _open(self, shard: int, address: str, behind: Mapping[int, PollTarget]) -> Connection:
        first, manner = next(iter(behind.values())), self._manner(behind.values())
        link = Link(
            first.host,
            first.port,
            connect_timeout_s=self._around.timeout_s,
            framing=manner.framing.value,
            depth=manner.depth,
            min_gap_ms=manner.gap_ms,
            connect_pause_ms=manner.pause_ms,
            line=manner.line,
            tls=self._around.tls,
            forbids=self._forbids,
        )
        connection = Connection(address, shard, link, manner)
        self._by_address[address] = connection
        self._by_shard.setdefault(shard, set()).add(address)
        return connection

    def _change(
        self, connection: Connection, behind: Mapping[int, PollTarget], loaded: Loaded
    ) -> None:
        """Ask these terminals from now on; those that are not new go on as they were."""
        fresh: list[Asked] = []
        for terminal_id in connection.asked.keys() - behind.keys():
            self._forget(connection, terminal_id)
        for terminal_id, target in behind.items():
            asked = connection.asked.get(terminal_id)
            if asked is None or asked.target.meter_id != target.meter_id:
                if asked is not None:
                    self._forget(connection, terminal_id)
                asked = self._enter(target, loaded.known.get(target.meter_id))
                connection.asked[terminal_id] = asked
                fresh.append(asked)
            else:
                if asked.target.interval_s != target.interval_s:
                    fresh.append(asked)
                asked.target = target
                asked.give(self._plans.get(target.profile) or asked.plan)
                self._meters.enter(target, None)
            self.by_meter[target.meter_id] = (connection, asked)
        self._arrange(connection, fresh, loaded)

    def _arrange(self, connection: Connection, fresh: Sequence[Asked], loaded: Loaded) -> None:
        """Sort the terminals into series by interval; begin and end series as needed."""
        groups: dict[int, list[Asked]] = {}
        for asked in connection.asked.values():
            groups.setdefault(asked.target.interval_s, []).append(asked)
        for interval_s in connection.series.keys() - groups.keys():
            self._later(ended(connection.series.pop(interval_s).stop()))
        for interval_s, group in groups.items():
            series = connection.series.get(interval_s)
            if series is not None:
                series.asked = group
                new = [one for one in fresh if one.target.interval_s == interval_s]
                if new:
                    series.catch_up(new)
                continue
            series = connection.series[interval_s] = Series(
                connection.address,
                connection.shard,
                connection.link,
                interval_s=interval_s,
                around=self._around,
            )
            series.asked = group
            series.start(
                begun_to=loaded.begun_to.get(connection.shard),
                stored=loaded.stored.get(interval_s, ()),
            )

    def _enter(self, target: PollTarget, known: Known | None) -> Asked:
        plan = self._plans.get(target.profile)
        if plan is None:
            raise RuntimeError("a terminal without a plan is never asked")
        return Asked(
            target,
            plan,
            self._meters.enter(target, known),
            failed=target.failed_rounds,
            exception=known is not None and EventKind.EXCEPTION in known.events,
            given=plan,
            is_clock_bad=known is not None and EventKind.CLOCK in known.events,
        )

    def _forget(self, connection: Connection, terminal_id: int) -> None:
        asked = connection.asked.pop(terminal_id)
        asked.is_gone = True
        held = self.by_meter.get(asked.target.meter_id)
        if held is not None and held[1] is asked:
            del self.by_meter[asked.target.meter_id]
            self._meters.leave(asked.target.meter_id)

    def _manner(self, behind: Collection[PollTarget]) -> Manner:
        """Give what suits all terminals behind a connection."""
        plans = (self._plans.get(name) for name in {target.profile for target in behind})
        pauses = pauses_of([plan.profile for plan in plans if plan is not None])
        first = next(iter(behind), None)
        depth = min((one.depth for one in behind), default=1)
        if first is None:
            return Manner(Framing.MBAP, depth, "", *pauses)
        return Manner(first.framing, depth, first.line, *pauses)

    def _forbids(self) -> LeaseEnded | None:
        return None if self._around.may_send() else LeaseEnded()

    def _close(self, address: str) -> Coroutine[None, None, None]:
        """Take a connection out at once; what is returned waits until it is hung up."""
        connection = self._by_address.pop(address)
        self.metrics.gone(connection.link)
        self._by_shard[connection.shard].discard(address)
        for terminal_id in list(connection.asked):
            self._forget(connection, terminal_id)
        tasks = [task for series in connection.series.values() for task in series.stop()]
        if connection.late is not None:
            connection.late.cancel()
            tasks.append(connection.late)
        return self._hung_up(connection, tasks)

    @staticmethod
    async def _hung_up(connection: Connection, tasks: Sequence["asyncio.Task[None]"]) -> None:
        await ended(tasks)
        await connection.link.close()

    def _later(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
