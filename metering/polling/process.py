"""The polling process from start to stop."""

import asyncio
import os
import resource
import signal
import socket
from contextlib import suppress
from uuid import uuid4

from prometheus_client import REGISTRY

from foundation import metrics
from foundation.office import Office
from metering.devices.timetable import load_timetable
from metering.modbus.link import TlsFiles
from metering.polling.loop import Poller, Setup, health_of
from metering.polling.owning import Identity
from metering.polling.plans import Plans
from metering.polling.remembering import source_for
from metering.polling.types import WithoutLease
from metering.readings.validating import load_validation


def poll(office: Office) -> None:
    """Poll the fleet until SIGTERM or SIGINT; uvloop is used where it is installed."""
    with suppress(ValueError, OSError):  # each connection is a file
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_poll(office))


def setup_of(office: Office) -> Setup:
    """Give what this process polls by."""
    settings = office.settings
    return Setup(
        me=Identity(
            worker=uuid4(),
            name=f"{socket.gethostname()}:{os.getpid()}",
            site=settings.poller_site,
            ttl_s=settings.lease_s,
            without=WithoutLease(settings.without_lease),
        ),
        spool=settings.data_dir / "spool",
        spool_limit_bytes=settings.spool_mb * 1_000_000,
        timeout_s=settings.read_timeout_s,
        timetable=load_timetable(),
        validation=load_validation(),
        source_of=source_for(settings.time_zone),
        zone=settings.time_zone,
        tls=TlsFiles.of(settings),
    )


async def _poll(office: Office) -> None:
    poller = Poller(
        office.engine, office.url, plans=Plans(office.settings.data_dir), setup=setup_of(office)
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, poller.stop)
    collectors = (poller.connections.metrics, poller.connections.slowness)
    for collector in collectors:
        REGISTRY.register(collector)
    server = metrics.serve(office.settings.poller_metrics_port, health_of(poller))
    try:
        await poller.run()
    finally:
        for collector in collectors:
            REGISTRY.unregister(collector)
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
