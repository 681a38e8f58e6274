"""Our link: every connection is a `Link`, asked as the poller's rounds ask it.

Arguments: `asyncio` or `uvloop`; then, with `awaited`, as everybody else asks it.
"""

import asyncio
import sys
from array import array
from collections.abc import Callable

from figures import WRONG, Figures, run_client

from metering.modbus.link import Link, Priority, Request
from metering.modbus.plan import Block

TIMEOUT_S = 3.0


def decoded(data: bytes) -> "array[int]":
    """Give registers as 16-bit integers side by side in memory, as libmodbus does."""
    registers = array("H", data)
    if sys.byteorder == "little":
        registers.byteswap()
    return registers


class Walk:
    """Asks one connection again and again, the next time in the moment a reply is there."""

    __slots__ = ("_last", "_left", "_link", "_request", "ended")

    def __init__(self, link: Link, unit: int, block: Block, times: int) -> None:
        self._link, self._left = link, times
        self._request = Request(link.meet(unit), block, TIMEOUT_S, Priority.POLL, self)
        self._last = block.count - 1
        self.ended = asyncio.get_running_loop().create_future()
        self._ask()

    def _ask(self) -> None:
        self._link.ask(self._request)

    def done(self) -> bool:
        """Whether nobody waits any more."""
        return False

    def set_result(self, data: bytes) -> None:
        """Check and decode."""
        if decoded(data)[self._last] != self._last:
            raise SystemExit(WRONG)
        self._left -= 1
        if self._left:
            self._ask()
        else:
            self.ended.set_result(None)

    def set_exception(self, error: Exception) -> None:
        """End with it."""
        self.ended.set_exception(error)


async def awaited(link: Link, unit: int, block: Block, times: int) -> None:
    """Ask one connection again and again, and wait for each answer."""
    last = block.count - 1
    for _ in range(times):
        if decoded(await link.read(unit, block, timeout_s=TIMEOUT_S))[last] != last:
            raise SystemExit(WRONG)


async def told(link: Link, unit: int, block: Block, times: int) -> None:
    """Ask one connection again and again as rounds do."""
    await Walk(link, unit, block, times).ended


async def ask(port: int, connections: int, requests: int, count: int) -> Figures:
    """Ask; the connection is made by the first request, whose own cost is taken off again."""
    block = Block(3, 0, count)
    walk: Callable[..., object] = awaited if "awaited" in sys.argv else told
    links = [Link("127.0.0.1", port) for _ in range(connections)]

    async def walk_all(times: int) -> None:
        await asyncio.gather(
            *(walk(link, 1 + number % 247, block, times) for number, link in enumerate(links))
        )

    figures = Figures(connections, requests)
    with figures.connecting(first_requests=True):
        await walk_all(1)
    with figures.asking():
        await walk_all(requests)
    await asyncio.gather(*(link.close() for link in links))
    return figures


def loop_factory() -> "type[asyncio.AbstractEventLoop] | None":
    """Give the loop the first argument names."""
    if sys.argv[1] != "uvloop":
        return None
    import uvloop

    return uvloop.Loop


if __name__ == "__main__":
    run_client(ask, loop_factory())
