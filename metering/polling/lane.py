"""Turns on one link: who asks next, with the lease looked at right before each request."""

import asyncio
from collections.abc import Callable
from heapq import heappop, heappush

from metering.modbus.link import Link, Priority
from metering.modbus.plan import Block
from metering.polling.types import LeaseEnded


class Lane:
    """Hands a link as many requests as it sends at once: none waits inside with an old lease.

    Args:
        link: the connection's link.
        may_send: whether the lease still holds, now.
    """

    __slots__ = ("_free", "_may_send", "_numbers", "_read", "_waiting", "depth")

    def __init__(self, link: Link, may_send: Callable[[], bool]) -> None:
        self._read = link.read
        self._may_send = may_send
        self._free = self.depth = link.depth
        self._numbers = 0
        self._waiting: list[tuple[Priority, int, asyncio.Future[None]]] = []

    async def read(self, unit: int, block: Block, *, timeout_s: float, priority: Priority) -> bytes:
        """Read one block when its turn comes.

        Raises:
            LeaseEnded: the lease ended while it waited; nothing was sent.
            LinkDown, NoReply, ExceptionReply, GarbledReply: as the link says.
        """
        if self._free:
            self._free -= 1
        else:
            await self._turn(priority)
        try:
            if not self._may_send():
                raise LeaseEnded
            return await self._read(unit, block, timeout_s=timeout_s, priority=priority)
        finally:
            self._hand_on()

    async def _turn(self, priority: Priority) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._numbers += 1
        heappush(self._waiting, (priority, self._numbers, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._hand_on()  # the turn came and nobody is there to take it
            raise

    def _hand_on(self) -> None:
        while self._waiting:
            _, _, turn = heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
