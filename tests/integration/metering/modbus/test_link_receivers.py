"""Receivers: who asks the next thing from where an answer is told, and what happens on errors."""

import asyncio
from collections.abc import Callable

from metering.modbus.errors import LinkDown, NoReply
from metering.modbus.link import Link, Priority, Request
from metering.modbus.plan import Block

PATIENCE_S = 10.0
BLOCK = Block(3, 0, 4)


class Chain:
    """Asks again in the moment an answer is there, so many times; notes what came."""

    def __init__(self, link: Link, unit: int, times: int, timeout_s: float = PATIENCE_S) -> None:
        self.link, self.left = link, times
        self.request = Request(link.meet(unit), BLOCK, timeout_s, Priority.POLL, self)
        self.came: list[bytes] = []
        self.errors: list[Exception] = []
        self.is_over = False
        self.ended = asyncio.get_running_loop().create_future()

    def ask(self) -> None:
        self.link.ask(self.request)

    def done(self) -> bool:
        return self.is_over

    def set_result(self, data: bytes) -> None:
        self.came.append(data)
        self.left -= 1
        if self.left:
            self.ask()
        else:
            self.ended.set_result(None)

    def set_exception(self, error: Exception) -> None:
        self.errors.append(error)
        if not self.ended.done():
            self.ended.set_result(None)


def test_receivers_of_one_link_take_turns_and_lose_nothing(
    town_of: Callable, unit_of: Callable
) -> None:
    async def scene() -> None:
        async with town_of(*(unit_of(number) for number in (1, 2, 3))) as town:
            for depth in (1, 3):
                link = town.link(depth=depth)
                chains = [Chain(link, number, 200) for number in (1, 2, 3)]
                for chain in chains:
                    chain.ask()
                urgent = [
                    await link.read(1, BLOCK, timeout_s=PATIENCE_S, priority=Priority.ON_DEMAND)
                    for _ in range(20)
                ]
                await asyncio.gather(*(chain.ended for chain in chains))
                assert [len(chain.came) for chain in chains] == [200] * 3
                assert {len(data) for chain in chains for data in chain.came} == {8}
                assert len(urgent) == 20
                assert link.counters.replies == link.counters.requests == 620
                assert link.counters.connects == 1

    asyncio.run(scene())


def test_an_error_is_told_once_and_a_link_that_is_closed_tells_everybody(
    town_of: Callable, unit_of: Callable
) -> None:
    async def scene() -> None:
        async with town_of(unit_of(1), unit_of(2)) as town:
            link = town.link()
            await link.read(1, BLOCK, timeout_s=PATIENCE_S)
            await town.order("silence", "M1")
            mute, waits = Chain(link, 1, 1, timeout_s=0.2), Chain(link, 2, 1)
            mute.ask()
            waits.ask()
            await asyncio.gather(mute.ended, waits.ended)
            assert [type(error) for error in mute.errors] == [NoReply]
            assert (len(waits.came), waits.errors) == (1, [])
            flying, waiting = Chain(link, 1, 1), Chain(link, 2, 1)
            flying.ask()
            waiting.ask()
            await link.close()
            late = Chain(link, 2, 1)
            late.ask()
            for chain in (flying, waiting, late):
                assert [type(error) for error in chain.errors] == [LinkDown]

    asyncio.run(scene())


def test_who_gave_up_while_it_waited_is_not_asked_for(town_of: Callable, unit_of: Callable) -> None:
    async def scene() -> None:
        async with town_of(unit_of(1), unit_of(2)) as town:
            link = town.link()
            first, gone, last = (Chain(link, number, 1) for number in (1, 2, 1))
            for chain in (first, gone, last):
                chain.ask()
            gone.is_over = True
            await asyncio.gather(first.ended, last.ended)
            assert link.counters.requests == 2
            assert not gone.came

    asyncio.run(scene())
