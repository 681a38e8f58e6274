"""A fleet for a simulator that runs alone: any profile, many units behind few ports."""

from dataclasses import dataclass
from typing import get_args

from metering.modbus.curves import Kind
from metering.modbus.simulated_unit import FleetRefused, Framing, SimulatedUnit

UNITS_PER_PORT = 247
"""Unit ids behind one address.

Source: MODBUS over Serial Line Specification V1.02, section 2.2 (1 to 247).
"""
PEAK_W: dict[Kind, float] = {"home": 6_000.0, "shop": 20_000.0, "factory": 60_000.0}
"""Largest power of each kind; within the range of a meter without transformers [W]."""
LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class FleetWanted:
    """What stands where.

    Attributes:
        port: the first one; the others follow it.
        kinds: what stands behind the meters, taken in turn.
    """

    profiles: tuple[str, ...]
    units: int
    ports: int
    host: str
    port: int
    framing: Framing = "mbap"
    kinds: tuple[Kind, ...] = get_args(Kind)


def fleet_of(wanted: FleetWanted) -> list[SimulatedUnit]:
    """Number units from 1 on each port, profiles and kinds in turn; keys are S1, S2, ...

    Raises:
        FleetRefused: more units than unit ids, or no such ports.
    """
    if wanted.units > wanted.ports * UNITS_PER_PORT:
        needed = -(-wanted.units // UNITS_PER_PORT)
        raise FleetRefused(meter="S1", why=f"{wanted.units} units need {needed} ports")
    if not 0 < wanted.port <= LAST_PORT - wanted.ports + 1:
        raise FleetRefused(meter="S1", why="there are no such ports")
    return [_unit(wanted, number) for number in range(wanted.units)]


def _unit(wanted: FleetWanted, number: int) -> SimulatedUnit:
    kind = wanted.kinds[number % len(wanted.kinds)]
    place, port = divmod(number, wanted.ports)
    return SimulatedUnit(
        key=f"S{number + 1}",
        area_no=f"P{wanted.port + port}",
        host=wanted.host,
        port=wanted.port + port,
        unit_id=place + 1,
        profile=wanted.profiles[number % len(wanted.profiles)],
        kind=kind,
        seed=number,
        peak_w=PEAK_W[kind],
        framing=wanted.framing,
    )
