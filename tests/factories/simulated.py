"""A simulator in a thread: real Modbus on loopback for tests that wait, as pages do."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from metering.modbus.simulated_unit import SimulatedUnit
from metering.modbus.simulator import Simulator


class Clock:
    """Our clock, and how far the simulator's is ahead [s]."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead_s


@dataclass
class Simulated:
    """A running simulator."""

    simulator: Simulator
    loop: asyncio.AbstractEventLoop
    clock: Clock

    @property
    def port(self) -> int:
        """Give the port of its first address."""
        return next(iter(self.simulator.ports.values()))

    def order(self, word: str, target: str = "M1", **fields: object) -> None:
        """Order a fault."""
        orders = self.simulator.execute({"order": word, "target": target, **fields})
        answer = asyncio.run_coroutine_threadsafe(orders, self.loop).result(10)
        assert answer["ok"], answer


def unit(number: int = 1, profile: str = "demo_terminal", **changes: object) -> SimulatedUnit:
    """Give a three-phase load that answers as a model does."""
    given: dict[str, object] = {
        "key": f"M{number}",
        "area_no": "T1",
        "host": "127.0.0.1",
        "port": 0,
        "unit_id": number,
        "profile": profile,
        "kind": "home",
        "seed": number,
        "peak_w": 9000.0,
        **changes,
    }
    return SimulatedUnit(**given)  # type: ignore[arg-type]


@contextmanager
def simulated(*units: SimulatedUnit) -> Iterator[Simulated]:
    """Run a simulator for some units."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def do(what: object) -> None:
        asyncio.run_coroutine_threadsafe(what, loop).result(10)  # type: ignore[arg-type]

    clock = Clock()
    running = Simulator(units or (unit(),), zone=ZoneInfo("Asia/Shanghai"), clock=clock)
    do(running.start())
    try:
        yield Simulated(running, loop, clock)
    finally:
        do(running.stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
