"""Requests of one link: what each one waits for, and in which order they leave."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from enum import IntEnum
from heapq import heappop, heappush
from typing import Protocol

from metering.modbus.breaker import Unit
from metering.modbus.plan import Block


class Priority(IntEnum):
    """Who goes first; within one priority units that answer, and then who came first."""

    CONTROL = 0
    ALARM = 1
    ON_DEMAND = 2
    POLL = 3
    BACKFILL = 4


class Receiver(Protocol):
    """Who takes the answer to a request: a future, or whoever wants it without a turn of the loop.

    Each is told once, right where the reply came in; with an error perhaps inside `ask`.
    """

    def done(self) -> bool:
        """Whether nobody waits any more."""

    def set_result(self, data: bytes, /) -> None:
        """Take the data; what is asked from here leaves at once."""

    def set_exception(self, error: Exception, /) -> None:
        """Take an error; ask for nothing from here."""


@dataclass(slots=True, eq=False)
class Request:
    """A read on its way; once it was answered it may be asked again, of another block or unit.

    Attributes:
        block: function, first address and count.
        priority: its lane.
        transaction, sent_at: what it left with, and when; there once it was sent.
    """

    unit: Unit
    block: Block
    timeout_s: float
    priority: Priority
    answer: Receiver
    transaction: int = field(init=False)
    sent_at: float = field(init=False)

    @property
    def deadline(self) -> float:
        """When it has waited long enough; the loop's clock [s]."""
        return self.sent_at + self.timeout_s


@dataclass(slots=True, eq=False)
class Question(Request):
    """What is no read: a write, or who are you. Of its block the function alone counts.

    Attributes:
        pdu: the question.
        accept: what makes data of an answer, or None of a wrong one.
    """

    pdu: bytes
    accept: Callable[[bytes], bytes | None]


class Lanes:
    """Those who wait for their turn.

    Attributes:
        heap: empty exactly when nobody waits.
    """

    __slots__ = ("_number", "heap")

    def __init__(self) -> None:
        self.heap: list[tuple[Priority, bool, int, Request]] = []
        self._number = 0

    def add(self, request: Request) -> None:
        """Let a request wait; one to a unit that failed last time stands behind its equals."""
        self._number += 1
        has_failed = request.unit.failures > 0
        heappush(self.heap, (request.priority, has_failed, self._number, request))

    def take(self, busy: Collection[int] = ()) -> Request | None:
        """Give the next request whose unit is not busy; None if there is none.

        Those whose callers gave up are left out.
        """
        passed = []
        found = None
        while self.heap and found is None:
            entry = heappop(self.heap)
            request = entry[-1]
            if request.answer.done():
                request.unit.let_go()
            elif request.unit.number in busy:
                passed.append(entry)
            else:
                found = request
        for entry in passed:
            heappush(self.heap, entry)
        return found

    def empty(self) -> list[Request]:
        """Give all whose callers still wait, and forget them."""
        waiting = [entry[-1] for entry in self.heap if not entry[-1].answer.done()]
        self.heap.clear()
        return waiting
