"""Orders to the terminal simulator of the demo town."""

from metering.modbus.simulated_faults import FaultKind
from metering.modbus.simulator_control import SimulatorUnreachable
from metering.simulation.actions import order_simulator
from metering.simulation.queries import simulated_fleet

__all__ = ["FaultKind", "SimulatorUnreachable", "order_simulator", "simulated_fleet"]
