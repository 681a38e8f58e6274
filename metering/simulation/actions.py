"""Orders to a running simulator."""

from typing import Any

from foundation.office import Office
from metering.modbus.simulated_unit import FleetRefused
from metering.modbus.simulator_control import order_now
from metering.modbus.simulator_orders import OrderRefused

TOKEN = "GRIDHALL_SIMULATOR_TOKEN"  # noqa: S105 - the name of the secret, not the secret


def order_simulator(office: Office, order: str, **facts: Any) -> dict[str, Any]:
    """Send one order over the loopback control socket.

    Args:
        office: whose simulator.
        order: a kind of fault, clear, list, status or reload.
        **facts: target (meter number, area number or `all`), phases, to, seconds, ppm, code,
            duration_s, dark; what is None is left out.

    Returns:
        What the simulator says to it.

    Raises:
        OrderRefused: it does not do that.
        FleetRefused: it cannot stand its terminals up.
        SimulatorUnreachable: no simulator runs here.
    """
    said = {name: value for name, value in facts.items() if value not in {None, ""}}
    answer = order_now(
        "127.0.0.1", office.settings.simulator_port, office.secret(TOKEN), order=order, **said
    )
    if answer.pop("ok"):
        return answer
    facts = answer.get("facts", {})
    if answer["error"] == FleetRefused.code:
        raise FleetRefused(**facts)
    raise OrderRefused(answer["error"], **facts)
