"""A small fleet on loopback, and links to it."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from metering.modbus import reach
from metering.modbus.curves import FIRST_DAY
from metering.modbus.decode import Value, decode
from metering.modbus.link import Link
from metering.modbus.plan import Plan, compile_plan
from metering.modbus.profile import load_profiles
from metering.modbus.simulated_unit import SimulatedUnit
from metering.modbus.simulator import Simulator
from metering.modbus.wire import BufferedWire, StreamWire

SHANGHAI = ZoneInfo("Asia/Shanghai")
PATIENCE_S = 10.0
"""Long enough for any answer that will come."""
SHORT_S = 0.05
"""Long enough for what will not come."""


@dataclass
class Clock:
    now: float = datetime(*FIRST_DAY, tzinfo=SHANGHAI).timestamp() + 30 * 86400.0

    def __call__(self) -> float:
        return self.now


class Now(Clock):
    def __call__(self) -> float:
        return time.time()


def a_unit(number: int, profile: str = "demo_terminal", **changes: object) -> SimulatedUnit:
    given = {
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
    return SimulatedUnit(**given)


@dataclass
class Town:
    """A simulator with one address, and links that are closed at the end."""

    simulator: Simulator
    clock: Clock
    links: list[Link] = field(default_factory=list)

    @property
    def port(self) -> int:
        return next(iter(self.simulator.ports.values()))

    def link(self, **changes: object) -> Link:
        made = Link("127.0.0.1", self.port, connect_timeout_s=PATIENCE_S, **changes)
        self.links.append(made)
        return made

    async def order(self, word: str, target: str = "M1", **fields: object) -> dict[str, object]:
        answer = await self.simulator.execute({"order": word, "target": target, **fields})
        assert answer["ok"], answer
        return answer

    def plan(self, key: str = "M1") -> Plan:
        profile = load_profiles()[self.simulator.terminals[key].unit.profile]
        return compile_plan(profile)

    async def values(
        self, link: Link, key: str = "M1", timeout_s: float = PATIENCE_S
    ) -> dict[str, Value]:
        """Read a whole meter."""
        plan, unit = self.plan(key), self.simulator.terminals[key].unit
        replies = [
            await link.read(unit.unit_id, block, timeout_s=timeout_s) for block in plan.blocks
        ]
        values = decode(plan, replies, pt=unit.pt, ct=unit.ct)
        return dict(zip(plan.columns, values, strict=True))

    def assert_true(self, values: dict[str, Value], key: str = "M1") -> None:
        """The values are this meter's, now."""
        state = self.simulator.terminals[key].state(self.clock.now)
        for name in ("u_a", "p", "wh_import"):
            assert values[name] == pytest.approx(state[name], abs=1)


TownOf = Callable[..., AbstractAsyncContextManager[Town]]


@asynccontextmanager
async def _standing(
    *units: SimulatedUnit, clock_is_now: bool = False, **changes: object
) -> AsyncIterator[Town]:
    clock = Now() if clock_is_now else Clock()
    simulator = Simulator(units or (a_unit(1),), zone=SHANGHAI, clock=clock, **changes)
    await simulator.start()
    town = Town(simulator, clock)
    try:
        yield town
    finally:
        for link in town.links:
            await link.close()
        await simulator.stop()


@pytest.fixture(params=[BufferedWire, StreamWire])
def wire_kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let links take bytes as they do on asyncio's own loop, and as they do on uvloop."""
    monkeypatch.setattr(reach, "cheapest_wire", lambda _loop: request.param)


@pytest.fixture
def town_of() -> TownOf:
    """Stand units up, for `async with`."""
    return _standing


@pytest.fixture
def unit_of() -> Callable[..., SimulatedUnit]:
    """Make a unit by its number, with what differs."""
    return a_unit
