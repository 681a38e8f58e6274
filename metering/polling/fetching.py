"""Asking terminals for every block of their plans, without a step of a task for each reply.

This is the hot path: plain attributes and no objects but what a terminal answered.
"""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from foundation.errors import BadData, GridhallError, Unreachable
from metering.devices.types import PollTarget
from metering.modbus.errors import ExceptionReply
from metering.modbus.link import Link, Priority, Request
from metering.modbus.plan import Block, Plan
from metering.modbus.reading import KEPT_S, REFUSALS, Learned, read_terminal

NOTHING = Block(0, 0, 0)
"""What a request asks for before it is told what."""


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


class Fetching(ABC):
    """Asks a terminal for its blocks one after the other; a subclass takes what came.

    It receives the replies to its own requests, so the next block leaves in the moment a reply
    is there. What went wrong comes by way of the loop: it may be told while a link is closed.
    """

    __slots__ = (
        "_asked", "_blocks", "_error", "_is_over", "_learning", "_link", "_loop", "_plan",
        "_priority", "_replies", "_request", "_timeout_s",
    )  # fmt: skip

    def __init__(self, link: Link, *, priority: Priority) -> None:
        self._link, self._priority = link, priority
        self._loop = asyncio.get_running_loop()
        self._is_over = False
        self._learning: asyncio.Task[None] | None = None

    def fetch(self, asked: Asked, timeout_s: float) -> None:
        """Begin to ask a terminal; `came` or `failed` is called once, perhaps at once."""
        if asked.learned_at_s:
            asked.forget_old(time.time())
        self._asked, self._timeout_s, self._plan = asked, timeout_s, asked.plan
        self._blocks: Iterator[Block] = iter(asked.plan.blocks)
        self._replies: list[bytes | None] = []
        self._error: str | None = None
        unit = self._link.meet(asked.target.unit)
        self._request = Request(unit, NOTHING, timeout_s, self._priority, self)
        self._ask_next()

    @abstractmethod
    def came(self, replies: Replies) -> None:
        """Take what came of asking a terminal."""

    @abstractmethod
    def failed(self, error: Exception) -> None:
        """Take an error that is a fault of ours."""

    def stop(self) -> None:
        """Take nothing any more."""
        self._is_over = True
        if self._learning is not None:
            self._learning.cancel()

    def _ask_next(self) -> None:
        for block in self._blocks:
            self._request.block = block
            self._link.ask(self._request)
            return
        self.came(Replies(self._plan, self._replies, time.time(), self._error))

    # --- the receiver of its requests -----------------------------------------------------

    def done(self) -> bool:
        """Whether nobody waits for an answer any more."""
        return self._is_over

    def set_result(self, data: bytes) -> None:
        """Take a block."""
        self._replies.append(data)
        self._ask_next()

    def set_exception(self, error: Exception) -> None:
        """Take what came in place of a block."""
        self._loop.call_soon(self._lost, error)

    def _lost(self, error: Exception) -> None:
        if self._is_over:
            return
        if isinstance(error, ExceptionReply):
            if error.exception in REFUSALS and not self._asked.learned_at_s:
                self._learning = self._loop.create_task(self._learn())
                return
            self._error = code_of(error)
            self._replies.append(None)
            self._ask_next()
        elif isinstance(error, Unreachable | BadData):
            missing = len(self._plan.blocks) - len(self._replies)
            replies = [*self._replies, *[None] * missing]
            self.came(Replies(self._plan, replies, time.time(), error.code))
        else:
            self.failed(error)

    async def _learn(self) -> None:
        try:
            replies = await learn(
                self._link, self._asked, priority=self._priority, timeout_s=self._timeout_s
            )
        except Exception as error:  # noqa: BLE001 - whoever waits for the round is told
            self.failed(error)
        else:
            self._learning = None
            if not self._is_over:
                self.came(replies)


class _Once(Fetching):
    """Asks one terminal for somebody who waits."""

    __slots__ = ("replies",)

    def __init__(self, link: Link, *, priority: Priority) -> None:
        super().__init__(link, priority=priority)
        self.replies: asyncio.Future[Replies] = self._loop.create_future()

    def came(self, replies: Replies) -> None:
        """Give it to who waits."""
        if not self.replies.done():
            self.replies.set_result(replies)

    def failed(self, error: Exception) -> None:
        """Give it to who waits."""
        if not self.replies.done():
            self.replies.set_exception(error)


async def fetch(link: Link, asked: Asked, *, priority: Priority, timeout_s: float) -> Replies:
    """Ask a terminal for every block; give what came."""
    once = _Once(link, priority=priority)
    try:
        once.fetch(asked, timeout_s)
        return await once.replies
    finally:
        once.stop()


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
