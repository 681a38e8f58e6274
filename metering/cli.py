"""What an operator may type about meters."""

import time
from collections.abc import Sequence
from typing import get_args

import click

from foundation import logs, metrics
from foundation.actor import Actor
from foundation.db import unit_of_work
from foundation.office import Office
from metering.devices.queries import meter_by_no
from metering.modbus.frames import check_frames, read_frames
from metering.modbus.link import Framing as AnyFraming
from metering.modbus.link import TlsFiles
from metering.modbus.place import Place
from metering.modbus.probe import OVER_TCP, probe
from metering.modbus.profile import office_profiles
from metering.modbus.simulated_fleet import FleetWanted, fleet_of
from metering.modbus.simulated_unit import Framing, SimulatedUnit
from metering.modbus.simulator import Simulator, run
from metering.readings.queries import latest
from metering.requests.actions import ask
from metering.requests.queries import newest_request
from metering.requests.types import RequestState
from metering.simulation.actions import TOKEN
from metering.simulation.commands import simulate
from metering.simulation.queries import simulated_fleet


def add_commands(group: click.Group) -> None:
    """Add this room's commands."""
    for command in (simulator, simulate, profiles, poll):
        group.add_command(command)


@click.command()
@click.option("--profile", "names", multiple=True, help="alone: stand units of this model up")
@click.option("--units", type=click.IntRange(1, 100_000), default=1, help="alone: how many")
@click.option("--ports", type=click.IntRange(1, 1000), default=1, help="alone: behind how many")
@click.option("--port", type=int, default=1502, help="alone: the first port")
@click.option("--host", default="127.0.0.1", help="alone: where to listen")
@click.option(
    "--framing", type=click.Choice(get_args(Framing)), default="mbap",
    help="alone: Modbus TCP, or RTU frames over TCP",
)  # fmt: skip
@click.pass_obj
def simulator(
    office: Office,
    names: tuple[str, ...],
    *,
    units: int,
    ports: int,
    port: int,
    host: str,
    framing: Framing,
) -> None:
    """Run the terminal simulator: real Modbus, measured curves, faults on order.

    Without --profile it stands up the demo town's meters from the database. With it it runs
    alone, needs no database, and serves to try any master against it.
    """
    logs.start("simulator", office.settings.log_level)
    office.settings.data_dir.mkdir(parents=True, exist_ok=True)

    def town() -> list[SimulatedUnit]:
        with unit_of_work(office.engine) as session:
            return simulated_fleet(session)

    wanted = FleetWanted(names, units, ports, host, port, framing)

    def ready(running: Simulator, control_port: int) -> None:
        metrics.serve(
            office.settings.simulator_metrics_port,
            lambda: {"ready": True, "terminals": len(running.terminals)},
        )
        if names:
            last = port + ports - 1
            click.echo(
                f"{len(running.terminals)} units, {framing}, {host}:{port}"
                + (f" to {last}" if ports > 1 else "")
                + f"; orders: gridhall simulate FAULT S1 (control port {control_port})"
            )

    run(
        (lambda: fleet_of(wanted)) if names else town,
        zone=office.settings.time_zone,
        token=office.secret(TOKEN),
        control_port=office.settings.simulator_port,
        state_file=None if names else office.settings.data_dir / "simulator.json",
        profiles=office_profiles(office.settings.data_dir),
        ready=ready,
    )


@click.group()
def profiles() -> None:
    """Terminal profiles."""


@profiles.command("check")
@click.pass_obj
def check_profiles(office: Office) -> None:
    """Hold every profile, packaged and the office's own, against its recorded frames."""
    own = office.settings.data_dir / "profiles"
    for name, profile in sorted(office_profiles(office.settings.data_dir).items()):
        folder = own if (own / f"{name}.toml").is_file() else None
        facts = f"{len(profile.points)} points, confidence {profile.confidence}"
        if folder and not (own / f"{name}.frames.toml").is_file():
            click.echo(f"{name}: {facts}, no frames beside it")
            continue
        frames = read_frames(name, folder)
        check_frames(profile, frames)
        kind = "captured" if frames.is_captured else "constructed"
        reads = len(frames.exchanges) + len(frames.also)
        click.echo(f"{name}: {facts}, {reads} {kind} reads agree")


@profiles.command("probe")
@click.argument("host")
@click.argument("name")
@click.option("--port", type=int, default=502)
@click.option("--unit", type=int, default=1, help="unit id")
@click.option("--timeout", "timeout_s", type=float, default=2.0, help="for each request [s]")
@click.option("--tls", "is_tls", is_flag=True, help="inside TLS, with GRIDHALL_METER_TLS_CA")
@click.option("--line", default="", help="HOST is a serial device, set like this: 9600-8E1")
@click.pass_obj
def probe_device(
    office: Office,
    host: str,
    name: str,
    *,
    port: int,
    unit: int,
    timeout_s: float,
    is_tls: bool,
    line: str,
) -> None:
    """Read a live device at HOST with the profile NAME: framing, offset, word order, values."""
    profile = office_profiles(office.settings.data_dir).get(name)
    if profile is None:
        raise click.ClickException(f"There is no profile {name}.")
    tls = TlsFiles.of(office.settings)
    framings: Sequence[AnyFraming] = ("serial",) if line else ("tls",) if is_tls else OVER_TCP
    seen = probe(Place(host, port, unit, timeout_s, line, tls), profile, framings=framings)
    for tried in seen.tried:
        said = "speaks it" if tried.speaks else f"no ({tried.error})"
        click.echo(f"framing {tried.framing}: {said}")
    for one in seen.identity:
        click.echo(f"{one.what}: {one.said}{'' if one.fits in {None, True} else '  OTHER MODEL'}")
    for fit in seen.fits[:3]:
        click.echo(f"offset {fit.shift:+d}, order {fit.order or 'as it is'}: fit {fit.score:.0%}")
    for point in seen.fits[0].points if seen.fits else ():
        raw = "-" if point.raw is None else point.raw.hex(" ", 2)
        mark = {True: "plausible", False: "IMPLAUSIBLE", None: ""}[point.holds]
        value = "unknown" if point.value is None else point.value
        about = point.point
        click.echo(f"  {about.address:#06x} {raw:20} {about.quantity:14} {value!s:>14} {mark}")


@click.command()
@click.argument("meter_no")
@click.pass_obj
def poll(office: Office, meter_no: str) -> None:
    """Ask a meter to be read now and print what it says."""
    with unit_of_work(office.engine) as session:
        meter = meter_by_no(session, meter_no)
        request_id = ask(session, Actor.system("command line"), meter.meter_id)
    give_up = time.monotonic() + 12
    while time.monotonic() < give_up:
        with unit_of_work(office.engine) as session:
            request = newest_request(session, meter.meter_id)
            if request and request.id >= request_id and request.state is not RequestState.ASKED:
                break
        time.sleep(0.1)
    if request is None or request.state is not RequestState.ANSWERED:
        state = request.error if request and request.error else "no answer"
        raise click.ClickException(f"{meter_no}: {state}")
    with unit_of_work(office.engine) as session:
        newest = latest(session, [meter.meter_id])[meter.meter_id]
    click.echo(f"{meter_no} at {newest.read_at.astimezone(office.settings.time_zone):%H:%M:%S}")
    for name in ("u_a", "u_b", "u_c", "i_a", "i_b", "i_c", "p", "q", "pf", "f", "wh_import"):
        value = getattr(newest, name)
        click.echo(f"  {name:10} {'unknown' if value is None else value}")
