"""Rounds: the terminals of one connection and interval, asked in every slot.

This is the hot path: plain attributes and no objects but what a terminal answered.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from foundation.errors import BadData, GridhallError, Unreachable
from metering.devices.types import PollTarget
from metering.modbus.decode import Value, decode
from metering.modbus.errors import ExceptionReply, GarbledReply
from metering.modbus.link import Link, Priority, TlsFiles
from metering.modbus.plan import Plan
from metering.modbus.reading import KEPT_S, REFUSALS, Learned, read_terminal
from metering.polling import counters
from metering.polling.basket import Basket, Values
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
class Asked:
    """One terminal and what is known of asking it.

    Attributes:
        row: of its meter in the poller's memory.
        failed: rounds in a row it has not answered.
        exception: it answers with a Modbus exception, and that was told.
        is_gone: it is no longer asked.
        took_s: how long its answers take, the last ones counting most; 0 before the first [s].
        is_clock_bad: its own clock is wrong, so what it froze is doubtful.
        learned_at_s: when it last refused a block and its plan was cut to what it takes [s].
        given: the profile's plan that was cut.
    """

    target: PollTarget
    plan: Plan
    row: int
    failed: int = 0
    exception: bool = False
    is_gone: bool = False
    is_clock_bad: bool = False
    learned_at_s: float = 0.0
    took_s: float = 0.0
    given: Plan | None = None

    def give(self, plan: Plan) -> None:
        """Ask by a profile's plan; what was learned of the same plan stays."""
        if plan is not self.given:
            self.given = self.plan = plan
            self.learned_at_s = 0.0

    def forget_old(self, now_s: float) -> None:
        """Forget what was learned long ago: firmware changes."""
        if now_s > self.learned_at_s + KEPT_S and self.given is not None:
            self.plan, self.learned_at_s = self.given, 0.0


@dataclass(slots=True, eq=False)
class Replies:
    """What came of asking a terminal, as it came.

    Attributes:
        blocks: data bytes by the plan's blocks, None where none came.
        at_s: when it was there [s since 1970].
        error: of a block that did not answer, or why nobody was asked.
    """

    plan: Plan
    blocks: Sequence[bytes | None]
    at_s: float
    error: str | None


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


async def fetch(link: Link, asked: Asked, *, priority: Priority, timeout_s: float) -> Replies:
    """Ask a terminal for every block; give what came."""
    if asked.learned_at_s:
        asked.forget_old(time.time())
    unit, plan = asked.target.unit, asked.plan
    replies: list[bytes | None] = []
    error: str | None = None
    for block in plan.blocks:
        try:
            replies.append(await link.read(unit, block, timeout_s=timeout_s, priority=priority))
        except ExceptionReply as refused:
            if refused.exception in REFUSALS and not asked.learned_at_s:
                return await learn(link, asked, priority=priority, timeout_s=timeout_s)
            error = f"exception_{refused.exception:02x}"
            replies.append(None)
        except (Unreachable, BadData) as lost:
            error = lost.code
            break
    if error is not None:
        replies += [None] * (len(plan.blocks) - len(replies))
    return Replies(plan, replies, time.time(), error)


async def learn(link: Link, asked: Asked, *, priority: Priority, timeout_s: float) -> Replies:
    """Ask a terminal that refused a block for its parts; from then on ask as it likes it."""
    learned = Learned()
    came = await read_terminal(
        link, asked.target.unit, asked.plan, timeout_s=timeout_s, priority=priority,
        learned=learned, key=asked.row,
    )  # fmt: skip
    at_s = time.time()
    if all(isinstance(one, ExceptionReply) for one in came.errors):  # else: later, in full
        asked.learned_at_s = at_s
        asked.plan = came.plan
    error = code_of(came.errors[-1]) if came.errors else None
    return Replies(came.plan, came.replies, at_s, error)


def code_of(error: GridhallError) -> str:
    """Give the stable code of what went wrong; exceptions each have their own."""
    if isinstance(error, ExceptionReply):
        return f"exception_{error.exception:02x}"
    return error.code


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
        self._in_round = True
        try:
            with counters.ROUND.time():
                await self._round(slot_s, asked)
        finally:
            self._in_round = False

    async def _round(self, slot_s: int, some: Sequence[Asked]) -> None:
        turns = iter(some)
        if self._link.depth == 1:
            await self._one_by_one(turns, slot_s)
        else:  # a slow unit holds up one of several askers, not all
            askers = min(self._link.depth, len(some))
            await asyncio.gather(*(self._one_by_one(turns, slot_s) for _ in range(askers)))

    async def _one_by_one(self, turns: Iterator[Asked], slot_s: int) -> None:
        for asked in turns:
            if not asked.is_gone:
                await self.poll(asked, slot_s, priority=Priority.POLL)

    async def poll(self, asked: Asked, slot_s: int, *, priority: Priority) -> bool:
        """Ask one terminal for a slot and keep what came; give whether it answered."""
        around = self._around
        patience = patience_s(asked.failed, around.timeout_s)
        begun_s = time.time()
        came = await fetch(self._link, asked, priority=priority, timeout_s=patience)
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


async def ended(tasks: Sequence["asyncio.Task[None]"]) -> None:
    """Wait until cancelled tasks are gone."""
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)
