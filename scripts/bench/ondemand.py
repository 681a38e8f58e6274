"""How long a read on demand takes while a full round is running on every link.

200 gateways with 10 units each, replies after 100 ms, two blocks a unit: rounds run one after the
other without a pause. Meanwhile one unit after another is asked on demand. See docs/benchmarks.md.
"""

import asyncio
import random
import statistics
import time

from _report import Measure, options, publish, say
from _terminals import NoCompiler, raise_limits, terminals

from metering.modbus.link import Link, Priority
from metering.modbus.plan import Block

BLOCKS = (Block(3, 0, 60), Block(3, 100, 40))
LINKS, UNITS, REPLY_MS, READS = 200, 10, 100.0, 300
TARGET_MS = 1000.0


async def measure(port: int) -> tuple[list[float], int]:
    """Give how long each read on demand took [ms], and how many polls went by meanwhile."""
    links = [Link("127.0.0.1", port, connect_timeout_s=30) for _ in range(LINKS)]
    polled, chance = 0, random.Random(1)  # noqa: S311  no secret

    async def rounds(link: Link) -> None:
        nonlocal polled
        while True:
            for unit in range(1, UNITS + 1):
                for block in BLOCKS:
                    await link.read(unit, block, timeout_s=10)
                    polled += 1

    walking = [asyncio.create_task(rounds(link)) for link in links]
    await asyncio.sleep(1)
    took, before = [], polled
    for _ in range(READS):
        link, unit = chance.choice(links), chance.randint(1, UNITS)
        begin = time.monotonic()
        await link.read(unit, BLOCKS[0], timeout_s=10, priority=Priority.ON_DEMAND)
        took.append((time.monotonic() - begin) * 1e3)
    seen = polled - before
    for task in walking:
        task.cancel()
    await asyncio.gather(*walking, return_exceptions=True)
    await asyncio.gather(*(link.close() for link in links))
    return took, seen


def main() -> None:
    """Run round after round."""
    wanted = options(__doc__ or "", rounds=1).parse_args()
    raise_limits()
    took: list[float] = []
    polled = 0
    try:
        with terminals(REPLY_MS, REPLY_MS) as port:
            for number in range(1, wanted.rounds + 1):
                say(f"round {number} of {wanted.rounds}")
                found, seen = asyncio.run(measure(port))
                took += found
                polled += seen
    except NoCompiler:
        publish("ondemand", [], notes=["There is no gcc: no terminals."], as_json=wanted.json)
        return
    hundredths = statistics.quantiles(took, n=100)
    measures = [
        Measure("on_demand_p50", "ms", statistics.median(took)),
        Measure("on_demand_p99", "ms", hundredths[98], target=TARGET_MS),
        Measure("on_demand_longest", "ms", max(took)),
        Measure("polls_meanwhile", "1/s", polled / (sum(took) / 1e3)),
    ]
    publish("ondemand", measures, notes=[f"{len(took)} reads."], as_json=wanted.json)


if __name__ == "__main__":
    main()
