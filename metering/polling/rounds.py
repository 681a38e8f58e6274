"""Rounds: the terminals of one connection and interval, asked in every slot."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from typing import cast

from foundation.errors import BadData
from metering.modbus.decode import Value, decode
from metering.modbus.errors import GarbledReply
from metering.modbus.link import Link, Priority, TlsFiles
from metering.modbus.plan import Plan
from metering.polling import counters
from metering.polling.basket import Basket, Values
from metering.polling.fetching import Asked, Fetching, Replies, fetch
from metering.polling.rules import (
    SPREAD,
    is_late,
    is_worth_saying,
    next_slot,
    patience_s,
    stagger_s,
    was_begun,
)
from metering.polling.types import Back, Failure, LeaseEnded, MissedSlots
from metering.readings.types import EventKind, NewEvent, Quality, Source

ENDED = LeaseEnded.code
LONGEST_SLEEP_S = 60.0
"""The wall clock may be set: nobody sleeps on an old one for longer [s]."""
CATCH_UP_S = 5.0
"""A connection taken over in the middle of an interval is asked within this time [s]."""
NEWEST = 0.125
"""What the newest answer weighs in how long a terminal's answers take."""
_LATE, _PARTIAL = int(Quality.LATE), int(Quality.PARTIAL)
_POLL = int(Source.POLL)


@dataclass(slots=True, eq=False)
class Answer:
    """What came of asking a terminal: values in the plan's order, or a code of what went wrong.

    Attributes:
        plan: it was asked by; the terminal's may be another by now.
        at_s: when it was there [s since 1970].
        error: with values, of a block that did not answer.
        replies: data of each block of the plan; None of one that did not answer.
    """

    plan: Plan
    values: tuple[Value, ...] | None
    at_s: float
    error: str | None
    replies: Sequence[bytes | None] = ()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a round needs besides its connection.

    Attributes:
        basket: where answers go.
        accepts: whether there is room for answers.
        may_send: whether the lease holds.
        timeout_s: patience for each block [s].
        tls: certificates for terminals reached by TLS.
    """

    basket: Basket
    accepts: Callable[[], bool]
    may_send: Callable[[], bool]
    timeout_s: float
    tls: TlsFiles | None = None


async def ask(link: Link, asked: Asked, *, priority: Priority, timeout_s: float) -> Answer:
    """Ask a terminal for every block; one that answers some of them gives partial values."""
    return decoded(asked, await fetch(link, asked, priority=priority, timeout_s=timeout_s))


def decoded(asked: Asked, came: Replies) -> Answer:
    """Turn replies into values, or into what went wrong."""
    if came.error == ENDED or all(reply is None for reply in came.blocks):
        return Answer(came.plan, None, came.at_s, came.error or GarbledReply.code)
    target = asked.target
    try:
        values = decode(came.plan, came.blocks, pt=target.pt, ct=target.ct)
    except BadData as garbled:
        return Answer(came.plan, None, came.at_s, garbled.code, came.blocks)
    return Answer(came.plan, values, came.at_s, came.error, came.blocks)


def whole(plan: Plan, blocks: Sequence[bytes | None]) -> bytes | None:
    """Join what came whole, to be decoded with others; None of what is decoded by itself."""
    if plan.sizes is None or None in blocks:
        return None
    came = cast("Sequence[bytes]", blocks)
    return b"".join(came) if tuple(map(len, came)) == plan.sizes else None


class Series:
    """The terminals of one connection that are asked at one interval.

    Args:
        address: the connection.
        shard: its shard.
        link: to it.
        interval_s: of all its terminals [s].
        around: what rounds need besides.
    """

    def __init__(
        self, address: str, shard: int, link: Link, *, interval_s: int, around: Surroundings
    ) -> None:
        self.address, self.shard, self.interval_s = address, shard, interval_s
        self.asked: list[Asked] = []
        self._link, self._around = link, around
        self._offset_s = stagger_s(address, interval_s)
        self._in_round = self._is_ending = False
        self._task: asyncio.Task[None] | None = None
        self._extra: set[asyncio.Task[None]] = set()

    def start(self, *, begun_to: datetime | None, stored: Collection[int]) -> None:
        """Begin to keep the slots.

        Args:
            begun_to: rounds planned up to this instant were begun by the owner before, and ended.
            stored: meters that have a reading in the present slot.
        """
        self._task = asyncio.create_task(self._keep(begun_to, frozenset(stored)))

    def catch_up(self, fresh: Sequence[Asked]) -> None:
        """Ask terminals that came in the middle of an interval for it, if its turn is over."""
        now_s = time.time()
        slot_s, _ = next_slot(None, now_s, self.interval_s)
        if now_s >= slot_s + self._offset_s and self._around.accepts():
            task = asyncio.create_task(self._round(slot_s, fresh))
            self._extra.add(task)
            task.add_done_callback(self._extra.discard)

    async def end(self) -> None:
        """End after the round that runs, if one does."""
        self._is_ending = True
        if self._task is not None and not self._in_round:
            self._task.cancel()
        tasks = [*self._extra, *([self._task] if self._task else [])]
        if tasks:
            await asyncio.wait(tasks)

    def stop(self) -> list[asyncio.Task[None]]:
        """End at once; give what is to be waited for."""
        tasks = [*self._extra, *([self._task] if self._task else [])]
        for task in tasks:
            task.cancel()
        return tasks

    async def _keep(self, begun_to: datetime | None, stored: frozenset[int]) -> None:
        interval_s, around = self.interval_s, self._around
        slot_s, _ = next_slot(None, time.time(), interval_s)
        if was_begun(slot_s + self._offset_s, begun_to):
            slot_s, stored = slot_s + interval_s, frozenset()
        await self._wait_until(max(slot_s + self._offset_s, self._first_turn()))
        while True:
            if not around.accepts():
                self._miss(1, "held")
            elif around.may_send():
                around.basket.begun(self.shard, slot_s + self._offset_s)
                await self._keep_round(slot_s, stored)
            if self._is_ending:
                return
            stored = frozenset()
            slot_s, missed = next_slot(slot_s, time.time(), interval_s)
            if missed:
                self._miss(missed, "busy")
            await self._wait_until(slot_s + self._offset_s)

    def _first_turn(self) -> float:
        """Give when to begin in the middle of an interval: not all connections at once."""
        share = self._offset_s * SPREAD / self.interval_s
        return time.time() + share * min(CATCH_UP_S, self.interval_s / 6)

    async def _keep_round(self, slot_s: int, stored: frozenset[int]) -> None:
        asked = [one for one in self.asked if one.target.meter_id not in stored]
        asked.sort(key=attrgetter("failed"))  # who did not answer last time keeps nobody waiting
        self._in_round = True
        try:
            with counters.ROUND.time():
                await self._round(slot_s, asked)
        finally:
            self._in_round = False

    async def _round(self, slot_s: int, some: Sequence[Asked]) -> None:
        turns = iter(some)  # with several askers a slow unit holds up one of them, not all
        askers = min(self._link.depth, len(some))
        walks = [Walk(self, self._link, turns, slot_s) for _ in range(askers)]
        try:
            for walk in walks:
                walk.begin()
            for walk in walks:
                await walk.ended
        finally:
            for walk in walks:
                walk.stop()

    async def poll(self, asked: Asked, slot_s: int, *, priority: Priority) -> bool:
        """Ask one terminal for a slot and keep what came; give whether it answered."""
        patience, begun_s = self.patience_s(asked), time.time()
        came = await fetch(self._link, asked, priority=priority, timeout_s=patience)
        return self.took(asked, slot_s, came, begun_s)

    def patience_s(self, asked: Asked) -> float:
        """Give how long to wait for each block of a terminal [s]."""
        return patience_s(asked.failed, self._around.timeout_s)

    def took(self, asked: Asked, slot_s: int, came: Replies, begun_s: float) -> bool:
        """Keep what came of a terminal for a slot; give whether it answered.

        Args:
            asked: the terminal.
            slot_s: start of the slot [s since 1970].
            came: its blocks.
            begun_s: when it was begun to be asked [s since 1970].
        """
        around = self._around
        if came.error == ENDED:
            return False
        if not around.may_send():  # the lease ended on the way: the time it was read is not known
            counters.STALE.inc()
            return False
        target, at_s, plan = asked.target, came.at_s, came.plan
        values: Values
        ratios: tuple[int, int] | None = None
        if came.error is None and (joined := whole(plan, came.blocks)) is not None:
            values, ratios = joined, (target.pt, target.ct)
        else:
            answer = decoded(asked, came)
            if answer.error is not None:
                counters.POLLS.labels(answer.error).inc()
            if answer.values is None:
                self._failed(asked, at_s, answer.error or "")
                return False
            values = answer.values
        asked.took_s += (at_s - begun_s - asked.took_s) * (NEWEST if asked.took_s else 1.0)
        if asked.failed:
            around.basket.back(Back(target.terminal_id, self.shard, _instant(at_s)))
            asked.failed = 0
        bits = _LATE if is_late(slot_s, at_s, self.interval_s) else 0
        if came.error is not None:
            bits |= _PARTIAL
            self._tell_exception(asked, at_s, came.error)
        elif asked.exception:
            self._end_exception(asked, at_s)
        item = (asked.row, target.meter_id, slot_s, at_s, bits, _POLL, values, ratios)
        around.basket.answered(plan, item)
        return True

    def _failed(self, asked: Asked, at_s: float, error: str) -> None:
        asked.failed += 1
        self._tell_exception(asked, at_s, error)
        if is_worth_saying(asked.failed):
            self._around.basket.failed(
                Failure(asked.target.terminal_id, self.shard, _instant(at_s), asked.failed, error)
            )

    def _tell_exception(self, asked: Asked, at_s: float, error: str) -> None:
        if error.startswith("exception_") and not asked.exception:
            asked.exception = True
            event = NewEvent(
                asked.target.meter_id,
                EventKind.EXCEPTION,
                _instant(at_s),
                facts={"code": int(error[-2:], 16)},
            )
            self._around.basket.tell(event)

    def _end_exception(self, asked: Asked, at_s: float) -> None:
        asked.exception = False
        self._around.basket.tell(
            NewEvent(asked.target.meter_id, EventKind.EXCEPTION, _instant(at_s), "ends")
        )

    def _miss(self, slots: int, why: str) -> None:
        counters.MISSED.labels(why).inc(slots)
        self._around.basket.missed(MissedSlots(self.address, datetime.now(UTC), slots, why))

    @staticmethod
    async def _wait_until(when_s: float) -> None:
        while (left := when_s - time.time()) > 0:  # noqa: ASYNC110 - a time, no event
            await asyncio.sleep(min(left, LONGEST_SLEEP_S))


class Walk(Fetching):
    """Asks terminals in turn for a slot, each when the one before has answered.

    Attributes:
        ended: done when there is nobody left to ask.
    """

    __slots__ = ("_begun_s", "_series", "_slot_s", "_turns", "ended")

    def __init__(self, series: Series, link: Link, turns: Iterator[Asked], slot_s: int) -> None:
        super().__init__(link, priority=Priority.POLL)
        self._series, self._turns, self._slot_s = series, turns, slot_s
        self._begun_s = 0.0
        self.ended: asyncio.Future[None] = self._loop.create_future()

    def begin(self) -> None:
        """Ask the next one who is still asked."""
        for asked in self._turns:
            if not asked.is_gone:
                self._begun_s = time.time()
                self.fetch(asked, self._series.patience_s(asked))
                return
        if not self.ended.done():
            self.ended.set_result(None)

    def came(self, replies: Replies) -> None:
        """Keep it, and go on."""
        try:
            self._series.took(self._asked, self._slot_s, replies, self._begun_s)
            self.begin()
        except Exception as error:  # noqa: BLE001 - the round is told, not the link
            self.failed(error)

    def failed(self, error: Exception) -> None:
        """End the round with it."""
        if not self.ended.done():
            self.ended.set_exception(error)


async def ended(tasks: Sequence["asyncio.Task[None]"]) -> None:
    """Wait until cancelled tasks are gone."""
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)
