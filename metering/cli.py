"""What an operator may type about meters."""

import time
from typing import Any

import click

from foundation import logs, metrics
from foundation.actor import Actor
from foundation.db import unit_of_work
from foundation.office import Office
from metering.devices.queries import meter_by_no
from metering.modbus.profile import office_profiles
from metering.modbus.simulated_faults import FaultKind
from metering.modbus.simulated_unit import SimulatedUnit
from metering.modbus.simulator import Simulator, run
from metering.readings.queries import latest
from metering.requests.actions import ask
from metering.requests.queries import newest_request
from metering.requests.types import RequestState
from metering.simulation.actions import TOKEN, order_simulator
from metering.simulation.queries import simulated_fleet

ORDERS = [*(kind.value for kind in FaultKind), "clear", "list", "status", "reload"]


def add_commands(group: click.Group) -> None:
    """Add this room's commands."""
    for command in (simulator, simulate, profiles, poll):
        group.add_command(command)


@click.command()
@click.pass_obj
def simulator(office: Office) -> None:
    """Run the terminal simulator: real Modbus TCP, faults on order."""
    logs.start("simulator", office.settings.log_level)
    office.settings.data_dir.mkdir(parents=True, exist_ok=True)

    def fleet() -> list[SimulatedUnit]:
        with unit_of_work(office.engine) as session:
            return simulated_fleet(session)

    def ready(running: Simulator, _: int) -> None:
        metrics.serve(
            office.settings.simulator_metrics_port,
            lambda: {"ready": True, "terminals": len(running.terminals)},
        )

    run(
        fleet,
        zone=office.settings.time_zone,
        token=office.secret(TOKEN),
        control_port=office.settings.simulator_port,
        state_file=office.settings.data_dir / "simulator.json",
        ready=ready,
    )


@click.group()
def simulate() -> None:
    """Give orders to what the demo town simulates: terminals' faults, telephone calls."""


def _order(word: str) -> click.Command:
    """Make the command of one order to the terminal simulator."""

    @click.command(word, help=f"Order {word} at TARGET: a meter, a transformer area, or all.")
    @click.argument("target", default="")
    @click.option(
        "--phases",
        help="of a, b, c; a sag takes all if not given, phase_loss and ct_bypass the first",
    )
    @click.option("--to", type=float, help="sag: share of nominal voltage that remains, e.g. 0.85")
    @click.option("--seconds", type=float, help="slow: delay of each answer [s]")
    @click.option("--code", type=int, help="exception: code 1 to 255")
    @click.option("--dark", is_flag=True, help="outage: terminals fall silent too")
    @click.option(
        "--for", "duration_s", type=float, help="how long [s]; until cleared if not given"
    )
    @click.pass_obj
    def give(office: Office, /, **facts: Any) -> None:
        facts["dark"] = facts["dark"] or None
        answer = order_simulator(office, word, **facts)
        if not answer.pop("ok"):
            said = ", ".join(f"{k}={v}" for k, v in answer.get("facts", {}).items())
            raise click.ClickException(f"the simulator refused: {answer['error']} ({said})")
        for name, value in answer.items():
            click.echo(f"{name}: {value}")

    return give


for _word in ORDERS:
    simulate.add_command(_order(_word))


@click.group()
def profiles() -> None:
    """Terminal profiles."""


@profiles.command("check")
@click.pass_obj
def check_profiles(office: Office) -> None:
    """Load every profile, packaged and the office's own, and say what is wrong."""
    for name, profile in sorted(office_profiles(office.settings.data_dir).items()):
        click.echo(f"{name}: {len(profile.points)} points, confidence {profile.confidence}")


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
