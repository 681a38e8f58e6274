"""Our link: every connection is a `Link`, asked as the poller asks it."""

import asyncio
import sys
from struct import Struct

from figures import WRONG, Figures, run_client

from metering.modbus.link import Link
from metering.modbus.plan import Block


async def ask(port: int, connections: int, requests: int, count: int) -> Figures:
    """Ask; the connection is made by the first request, whose own cost is taken off again."""
    block, decode, last = Block(3, 0, count), Struct(f">{count}H").unpack, count - 1
    links = [Link("127.0.0.1", port) for _ in range(connections)]

    async def walk(number: int, times: int) -> None:
        link, unit = links[number], 1 + number % 247
        for _ in range(times):
            registers = decode(await link.read(unit, block, timeout_s=3.0))
            if registers[last] != last:
                raise SystemExit(WRONG)

    figures = Figures(connections, requests)
    with figures.connecting(first_requests=True):
        await asyncio.gather(*(walk(number, 1) for number in range(connections)))
    with figures.asking():
        await asyncio.gather(*(walk(number, requests) for number in range(connections)))
    await asyncio.gather(*(link.close() for link in links))
    return figures


def loop_factory() -> "type[asyncio.AbstractEventLoop] | None":
    """Give the loop the second argument names."""
    if sys.argv[1] != "uvloop":
        return None
    import uvloop

    return uvloop.Loop


if __name__ == "__main__":
    run_client(ask, loop_factory())
