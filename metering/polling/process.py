"""The polling process from start to stop."""

import asyncio
import signal
from importlib import resources

from foundation import metrics
from foundation.datafiles import build, load_toml
from foundation.office import Office
from metering.modbus.plan import compile_plan
from metering.modbus.profile import office_profiles
from metering.polling.loop import Poller, health_of
from metering.readings.rules import Validation


def load_validation() -> Validation:
    """Read the packaged limits of plausibility."""
    file = resources.files("metering.readings") / "validation.toml"
    return build(Validation, load_toml(file), where="validation.toml")


def poll(office: Office) -> None:
    """Poll the fleet until SIGTERM or SIGINT; uvloop is used where it is installed."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_poll(office))


async def _poll(office: Office) -> None:
    profiles = office_profiles(office.settings.data_dir)
    poller = Poller(
        office.engine,
        office.url,
        plans={name: compile_plan(profile) for name, profile in profiles.items()},
        validation=load_validation(),
        timeout_s=office.settings.read_timeout_s,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, poller.stop)
    server = metrics.serve(office.settings.poller_metrics_port, health_of(poller))
    try:
        await poller.run()
    finally:
        if server is not None:
            server.shutdown()
            server.server_close()


def _loop_factory() -> "type[asyncio.AbstractEventLoop] | None":
    try:
        import uvloop
    except ImportError:
        return None
    loop: type[asyncio.AbstractEventLoop] = uvloop.Loop
    return loop
