"""The polling process: owns the Modbus links; nothing else talks to a terminal."""

from foundation.office import Office
from webapp import wiring


def poll(office: Office) -> None:
    """Run until SIGTERM or SIGINT."""
    wiring.connect()
    for one in wiring.residents("poller"):
        one.function(office)
