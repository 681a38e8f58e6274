"""The demo town: orders to the terminal simulator, and the load of the whole town."""

from metering.modbus.simulated_faults import TAKES, FaultKind
from metering.modbus.simulator_control import SimulatorUnreachable
from metering.modbus.simulator_orders import OrderRefused
from metering.simulation.actions import order_simulator
from metering.simulation.queries import simulated_fleet
from metering.simulation.system_load import simulated_system_load

__all__ = [
    "TAKES",
    "FaultKind",
    "OrderRefused",
    "SimulatorUnreachable",
    "order_simulator",
    "simulated_fleet",
    "simulated_system_load",
]
