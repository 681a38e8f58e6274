"""What one dead unit costs its 19 neighbours behind a gateway, at depth 4 and at depth 1.

All 20 units are asked at once over one connection; each answers after 16 to 24 ms, unit 7 never,
and the patience is 1 s. A first cycle knows nothing of the dead unit; the second knows that it
failed. See docs/benchmarks.md.
"""

import asyncio
import logging
import statistics
import time
from contextlib import suppress
from importlib.metadata import version

from _report import Measure, options, publish, say
from _terminals import NoCompiler, raise_limits, terminals
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from foundation.errors import GridhallError
from metering.modbus.link import Link
from metering.modbus.plan import Block

BLOCK = Block(3, 0, 60)
UNITS, DEAD, TIMEOUT_S = 20, 7, 1.0
LEAST_MS, MOST_MS = 16.0, 24.0
NEAR, FAR = 3.0, 1.3


async def cycle(link: Link, replied: dict[int, float]) -> list[tuple[float, float]]:
    """Ask everyone; give when each good unit was done and its own reply time [s]."""
    begin = time.monotonic()
    done: dict[int, float] = {}

    async def ask(unit: int) -> None:
        with suppress(GridhallError):
            await link.read(unit, BLOCK, timeout_s=TIMEOUT_S)
        done[unit] = time.monotonic() - begin

    await asyncio.gather(*(ask(unit) for unit in range(1, UNITS + 1)))
    return [(done[unit], replied[unit]) for unit in done if unit != DEAD]


async def ours(port: int, depth: int) -> list[list[tuple[float, float]]]:
    """Run a first and a second cycle on a fresh link."""
    replied: dict[int, float] = {}
    link = Link(
        "127.0.0.1",
        port,
        depth=depth,
        observe=lambda unit, _, seconds: replied.__setitem__(unit, seconds),
    )
    await link.read(1, BLOCK, timeout_s=TIMEOUT_S)
    found = [await cycle(link, replied) for _ in range(2)]
    await link.close()
    return found


async def theirs(port: int) -> float:
    """Run one cycle of pymodbus as one would set it up for this; the median good unit [s]."""
    client = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=TIMEOUT_S, retries=0)
    await client.connect()
    begin = time.monotonic()
    done: list[float] = []

    async def ask(unit: int) -> None:
        with suppress(ModbusException):
            await client.read_holding_registers(0, count=60, device_id=unit)
        if unit != DEAD:
            done.append(time.monotonic() - begin)

    await asyncio.gather(*(ask(unit) for unit in range(1, UNITS + 1)))
    client.close()
    return statistics.median(done)


def main() -> None:
    """Run round after round."""
    wanted = options(__doc__ or "", rounds=7).parse_args()
    raise_limits()
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # a mute unit is no news
    in_replies: dict[tuple[int, int], list[float]] = {}
    in_seconds: dict[tuple[int, int], list[float]] = {}
    pymodbus: list[float] = []
    try:
        with terminals(LEAST_MS, MOST_MS, DEAD) as port:
            for number in range(1, wanted.rounds + 1):
                say(f"round {number} of {wanted.rounds}")
                for depth in (4, 1):
                    for turn, units in enumerate(asyncio.run(ours(port, depth)), 1):
                        key = (depth, turn)
                        in_replies.setdefault(key, []).append(
                            statistics.median(done / own for done, own in units)
                        )
                        in_seconds.setdefault(key, []).append(
                            statistics.median(done for done, _ in units)
                        )
                pymodbus.append(asyncio.run(theirs(port)))
    except NoCompiler:
        publish("gateway", [], notes=["There is no gcc: no terminals."], as_json=wanted.json)
        return
    name = f"pymodbus {version('pymodbus')} async, timeout 1 s, no retries"
    reference = statistics.median(pymodbus)
    measures = []
    for turn, said in ((1, "first_cycle"), (2, "second_cycle")):
        near = statistics.median(in_replies[4, turn])
        measures.append(Measure(f"depth_4_{said}_own_replies", "1", near, target=NEAR))
        far = statistics.median(in_seconds[1, turn]) / TIMEOUT_S
        measures.append(Measure(f"depth_1_{said}_timeouts", "1", far, target=FAR))
        for depth in (4, 1):
            mine = statistics.median(in_seconds[depth, turn])
            measures.append(
                Measure(f"depth_{depth}_{said}", "s", mine, reference, name, mine / reference)
            )
    publish("gateway", measures, notes=[], as_json=wanted.json)


if __name__ == "__main__":
    main()
