"""How near 2,000 links to slow terminals come to the ceiling their reply time sets.

Every link has one request in flight; with replies after 100 ms no client can make a link faster
than ten requests a second. See docs/benchmarks.md.
"""

import asyncio
import time

from _report import Measure, options, publish, say
from _terminals import NoCompiler, raise_limits, terminals

from metering.modbus.link import Link
from metering.modbus.plan import Block

BLOCK = Block(3, 0, 60)
REPLY_MS = 100.0
SHARE = 0.9


async def ask(port: int, count: int, seconds: float) -> tuple[float, float]:
    """Keep links busy for a while; give seconds per request and link, and CPU per request [us]."""
    links = [Link("127.0.0.1", port, connect_timeout_s=30) for _ in range(count)]
    done = 0

    async def walk(link: Link, unit: int, until: float) -> None:
        nonlocal done
        while time.monotonic() < until:
            await link.read(unit, BLOCK, timeout_s=10)
            done += 1

    for first in range(0, count, 200):  # connect in portions: no listen queue is endless
        group = links[first : first + 200]
        await asyncio.gather(*(link.read(1, BLOCK, timeout_s=30) for link in group))
    begin, cpu = time.monotonic(), time.process_time()
    until = begin + seconds
    await asyncio.gather(*(walk(link, 1 + n % 247, until) for n, link in enumerate(links)))
    took, cpu = time.monotonic() - begin, time.process_time() - cpu
    await asyncio.gather(*(link.close() for link in links))
    return took * count / done, cpu / done * 1e6


def main() -> None:
    """Run round after round."""
    parser = options(__doc__ or "", rounds=5)
    parser.add_argument("--links", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=5.0, help="per round")
    wanted = parser.parse_args()
    raise_limits()
    found: list[tuple[float, float]] = []
    try:
        with terminals(REPLY_MS, REPLY_MS) as port:
            for number in range(1, wanted.rounds + 1):
                say(f"round {number} of {wanted.rounds}")
                found.append(asyncio.run(ask(port, wanted.links, wanted.seconds)))
    except NoCompiler:
        publish("links", [], notes=["There is no gcc: no terminals."], as_json=wanted.json)
        return
    found.sort()
    time_s, cpu_us = found[len(found) // 2]
    ceiling_s = REPLY_MS / 1000
    measures = [
        Measure("time_per_request", "ms", time_s * 1e3, REPLY_MS, "the terminals' own reply time",
                time_s / ceiling_s, round(1 / SHARE, 3)),
        Measure("share_of_ceiling", "%", 100 * ceiling_s / time_s),
        Measure("requests", "1/s", wanted.links / time_s),
        Measure("cpu_per_request", "us", cpu_us),
    ]  # fmt: skip
    publish("links", measures, notes=[f"{wanted.links} links."], as_json=wanted.json)


if __name__ == "__main__":
    main()
