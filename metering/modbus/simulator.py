"""The simulator: a fleet of meters on real sockets, speaking Modbus TCP, broken on order.

It replays measured curves, so that everything above it can be tried and shown without a meter.
"""

import asyncio
import math
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import tzinfo
from pathlib import Path
from typing import Any

from foundation.errors import GridhallError
from metering.modbus.plan import Plan, compile_plan
from metering.modbus.profile import Profile, load_profiles
from metering.modbus.quantities import EVERY_GROUP
from metering.modbus.simulated_faults import Fault
from metering.modbus.simulated_unit import (
    CannotListen,
    FleetRefused,
    SimulatedUnit,
    Terminal,
)
from metering.modbus.simulator_control import Control
from metering.modbus.simulator_orders import OrderRefused, described, kind_of, targets, wanted
from metering.modbus.simulator_state import FaultBook, load_book, save_book
from metering.modbus.simulator_wire import Responder, SimulatorCounters, Site, UnknownUnit

Address = tuple[str, int]
UnitsLoader = Callable[[], Iterable[SimulatedUnit]]


class Simulator:
    """A fleet of simulated meters.

    Args:
        units: the meters; several may share an address under different unit ids.
        zone: local time of the curves.
        state_file: where faults outlive the process; None forgets them.
        loader: re-reads the fleet on the order `reload`.
        profiles: by name; None takes the packaged ones.
        unknown_unit: what becomes of a request for a unit that is not there.
        clock: seconds since 1970-01-01 UTC [s].
    """

    def __init__(
        self,
        units: Iterable[SimulatedUnit],
        *,
        zone: tzinfo,
        state_file: Path | None = None,
        loader: UnitsLoader | None = None,
        profiles: Mapping[str, Profile] | None = None,
        unknown_unit: UnknownUnit = "gateway",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.counters = SimulatorCounters()
        self.ports: dict[Address, int] = {}
        """The port each address listens on; another than asked for only where that was 0."""
        self._zone = zone
        self._state_file = state_file
        self._loader = loader
        self._unknown_unit = unknown_unit
        self._clock = clock
        self._started_at = clock()
        known = load_profiles() if profiles is None else profiles
        self._plans: dict[str, Plan] = {
            name: compile_plan(profile, groups=EVERY_GROUP) for name, profile in known.items()
        }
        self._book = FaultBook() if state_file is None else load_book(state_file)
        self._servers: dict[Address, asyncio.Server] = {}
        self._sites: dict[Address, Site] = {}
        self.terminals: dict[str, Terminal] = self._stand_up(units)

    async def start(self) -> None:
        """Listen on every address.

        Raises:
            FleetRefused: an address cannot be listened on.
        """
        await self._listen(self._grouped(self.terminals))

    async def stop(self) -> None:
        """Stop listening and hang up on everybody."""
        servers = list(self._servers.values())
        self._servers.clear()
        for server in servers:
            server.close()
        await self._hang_up({one for site in self._sites.values() for one in site.connections})
        for server in servers:
            await server.wait_closed()

    async def reload(self) -> int:
        """Re-read the fleet; meters that stay as they are keep their connections.

        Returns:
            How many meters stand now.

        Raises:
            OrderRefused: there is nothing to read it from.
            FleetRefused: the new fleet cannot stand; the old one stays.
        """
        if self._loader is None:
            raise OrderRefused("no_loader")
        terminals = self._stand_up(await asyncio.to_thread(self._loader))
        grouped = self._grouped(terminals)
        await self._listen(grouped)
        gone = [address for address in self._servers if address not in grouped]
        closing = [self._servers.pop(address) for address in gone]
        for address in gone:
            del self.ports[address]
            self._sites.pop(address).units.clear()
        for server in closing:
            server.close()
        self.terminals = terminals
        return len(terminals)

    async def execute(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out one order; a refusal is an answer, not an exception."""
        self.counters.orders += 1
        try:
            return {"ok": True, **await self._carry_out(order)}
        except OrderRefused as refused:
            facts = {name: fact for name, fact in refused.facts.items() if name != "why"}
            return {"ok": False, "error": refused.why, "facts": facts}
        except GridhallError as error:
            facts = {name: str(fact) for name, fact in error.facts.items()}
            return {"ok": False, "error": error.code, "facts": facts}

    def faults(self) -> list[tuple[str, Fault]]:
        """Every fault that holds now, with the number of its meter."""
        now = self._clock()
        return [
            (key, fault)
            for key, terminal in self.terminals.items()
            for fault in terminal.ailment.active(now)
        ]

    async def _carry_out(self, order: Mapping[str, Any]) -> dict[str, Any]:
        word = order.get("order")
        if word == "reload":
            return {"meters": await self.reload()}
        if word == "list":
            return {"faults": described(self.faults())}
        if word == "status":
            return self._status()
        return self._clear(order) if word == "clear" else self._strike(order)

    def _strike(self, order: Mapping[str, Any]) -> dict[str, Any]:
        checked = wanted(order, self.terminals)
        now = math.floor(self._clock())
        self._book.last_order_no += 1
        number = self._book.last_order_no
        until = None
        for terminal in checked.terminals:
            fault = checked.make(terminal, now, number)
            until = fault.until
            terminal.ailment.add(fault, terminal.curve)
            terminal.changed()
        self._save()
        return {
            "order_no": number,
            "meters": len(checked.terminals),
            "skipped": checked.skipped,
            "until": until,
        }

    def _clear(self, order: Mapping[str, Any]) -> dict[str, Any]:
        named = order.get("kind")
        kind = None if named is None else kind_of(named)
        now = math.floor(self._clock())
        ended = 0
        for terminal in targets(order, self.terminals):
            ended += terminal.ailment.heal(terminal.curve, now, kind)
            terminal.changed()
        self._save()
        return {"ended": ended}

    def _status(self) -> dict[str, Any]:
        counters = self.counters
        return {
            "meters": len(self.terminals),
            "areas": len({terminal.unit.area_no for terminal in self.terminals.values()}),
            "addresses": len(self._servers),
            "faults": len(self.faults()),
            "since": self._started_at,
            **{name: getattr(counters, name) for name in counters.__slots__},
        }

    def _save(self) -> None:
        if self._state_file is not None:
            save_book(self._state_file, self._book)

    def _stand_up(self, units: Iterable[SimulatedUnit]) -> dict[str, Terminal]:
        """Make the terminals; those that stand already and have not changed are kept."""
        standing: dict[str, Terminal] = getattr(self, "terminals", {})
        made: dict[str, Terminal] = {}
        taken: set[tuple[str, int, int]] = set()
        framings: dict[Address, str] = {}
        for unit in units:
            place = (*unit.address, unit.unit_id)
            if unit.key in made:
                raise FleetRefused(meter=unit.key, why="two meters have this number")
            if place in taken:
                raise FleetRefused(meter=unit.key, why="two meters stand at this address")
            if unit.profile not in self._plans:
                raise FleetRefused(meter=unit.key, why=f"no profile {unit.profile}")
            if unit.misfit is not None:
                raise FleetRefused(meter=unit.key, why=unit.misfit)
            if framings.setdefault(unit.address, unit.framing) != unit.framing:
                raise FleetRefused(meter=unit.key, why="two framings at this address")
            taken.add(place)
            before = standing.get(unit.key)
            made[unit.key] = (
                before
                if before is not None and before.unit == unit
                else Terminal(unit, self._plans[unit.profile], self._book.of(unit.key), self._zone)
            )
        return made

    @staticmethod
    def _grouped(terminals: Mapping[str, Terminal]) -> dict[Address, dict[int, Terminal]]:
        grouped: dict[Address, dict[int, Terminal]] = {}
        for terminal in terminals.values():
            grouped.setdefault(terminal.unit.address, {})[terminal.unit.unit_id] = terminal
        return grouped

    async def _listen(self, grouped: Mapping[Address, dict[int, Terminal]]) -> None:
        """Open what is not open yet, all or nothing; then let every address serve its units."""
        opened: dict[Address, asyncio.Server] = {}
        sites = {address: self._sites.get(address) or self._site() for address in grouped}
        try:
            for address in grouped:
                if address not in self._servers:
                    opened[address] = await self._open(address, sites[address])
        except OSError as error:
            for server in opened.values():
                server.close()
            raise FleetRefused(host=address[0], port=address[1], why=str(error)) from error
        for address, units in grouped.items():
            site = sites[address]
            site.units.clear()
            site.units.update(units)
            site.framing = next(iter(units.values())).unit.framing
        self._sites.update(sites)
        self._servers.update(opened)
        for address, server in opened.items():
            self.ports[address] = server.sockets[0].getsockname()[1]

    def _site(self) -> Site:
        return Site({}, self.counters, self._clock, self._unknown_unit, self._save)

    @staticmethod
    async def _open(address: Address, site: Site) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        return await loop.create_server(lambda: Responder(site), *address)

    @staticmethod
    async def _hang_up(connections: set[Responder]) -> None:
        for connection in connections:
            connection.drop()
        for connection in connections:
            await connection.gone.wait()


def run(  # noqa: D417  the others are the simulator's own
    units_loader: UnitsLoader,
    *,
    zone: tzinfo,
    token: str,
    control_port: int,
    control_host: str = "127.0.0.1",
    state_file: Path | None = None,
    profiles: Mapping[str, Profile] | None = None,
    unknown_unit: UnknownUnit = "gateway",
    ready: Callable[[Simulator, int], None] | None = None,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> None:
    """Run the simulator until SIGTERM or SIGINT.

    Args:
        units_loader: gives the fleet, now and at every order `reload`.
        token: the shared secret of the control socket.
        control_port: of the control socket; 0 takes any free one.
        ready: called once everything listens, with the simulator and the control port.
        loop_factory: another event loop than asyncio's own.
    """

    async def serve() -> None:
        simulator = Simulator(
            await asyncio.to_thread(units_loader),
            zone=zone,
            state_file=state_file,
            loader=units_loader,
            profiles=profiles,
            unknown_unit=unknown_unit,
        )
        control = Control(simulator.execute, token=token)
        stopped = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        try:
            await simulator.start()
            try:
                port = await control.start(control_host, control_port)
            except OSError as error:
                raise CannotListen(port=control_port) from error
            if ready is not None:
                ready(simulator, port)
            await stopped.wait()
        finally:
            await control.stop()
            await simulator.stop()

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(serve())
