"""The least of a town: one transformer area, and meters with simulated terminals on demand."""

import socket
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import insert
from sqlalchemy.orm import Session

from foundation.staff.actions import add_unit
from metering.devices.actions import add_terminal, install_meter
from metering.network.actions import add_area, add_feeder, add_point, add_substation
from metering.network.types import Supply
from metering.simulation.models import SimulatedMeter

HOST = "127.0.0.1"
INTERVAL_S = 1


@dataclass(frozen=True, slots=True)
class Fitted:
    """A meter with a terminal of its own connection."""

    meter_no: str
    meter_id: int
    point_id: int
    port: int

    @property
    def address(self) -> str:
        """Name the connection as the poller does."""
        return f"{HOST}:{self.port}"


def make_area(session: Session) -> int:
    """Give a transformer area with what must stand above it."""
    unit_id = add_unit(session, name_zh="基准供电所", name_en="Bench supply station")
    station = add_substation(session, "基准变")
    feeder = add_feeder(session, "F99", name="基准线", substation_id=station, unit_id=unit_id)
    return add_area(session, "TG-9901", name="基准 1 号公变", feeder_id=feeder, rated_kva=400)


def fit_meters(session: Session, count: int) -> list[Fitted]:
    """Fit single-phase meters, each behind a connection of its own, asked every second."""
    area_id = make_area(session)
    return [
        _fit(session, area_id, number, port)
        for number, port in enumerate(_free_ports(count), start=1)
    ]


def _fit(session: Session, area_id: int, number: int, port: int) -> Fitted:
    code = f"9901-{number:04d}"
    point_id = add_point(
        session, f"P-{code}", area_id=area_id, box_no="B-9901-01", supply=Supply.SINGLE_220
    )
    terminal_id = add_terminal(
        session,
        f"ZD-{code}",
        profile="demo_single",
        host=HOST,
        port=port,
        unit=1,
        interval_s=INTERVAL_S,
    )
    meter_id = install_meter(
        session,
        f"M-{code}",
        point_id=point_id,
        terminal_id=terminal_id,
        installed_at=datetime(2024, 3, 1, tzinfo=UTC),
    )
    session.execute(
        insert(SimulatedMeter).values(meter_id=meter_id, curve="home", seed=number, peak_w=5000.0)
    )
    return Fitted(f"M-{code}", meter_id, point_id, port)


def _free_ports(count: int) -> Sequence[int]:
    """Find ports nobody listens on, all held until the last is found."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((HOST, 0))
        return [probe.getsockname()[1] for probe in probes]
