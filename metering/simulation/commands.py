"""Orders to the simulator, as an operator types them: `gridhall simulate`."""

from datetime import datetime, tzinfo
from typing import Any

import click

from foundation.office import Office
from metering.modbus.simulated_faults import FaultKind
from metering.simulation.actions import order_simulator

FAULTS: dict[FaultKind, str] = {
    FaultKind.SAG: "Lower the voltage, or raise it with --to above 1.",
    FaultKind.PHASE_LOSS: "Take a phase away: no voltage, no current.",
    FaultKind.CT_BYPASS: "Lead a phase's current past the meter: theft.",
    FaultKind.COVER_OPEN: "Open the meter's cover, where the terminal has a contact for it.",
    FaultKind.OUTAGE: "Take the supply away; terminals go on answering unless --dark.",
    FaultKind.RELAY_OPEN: "Open the meter's relay, as a command would.",
    FaultKind.CLOCK_DRIFT: "Put the terminal's clock ahead, at once or by and by.",
    FaultKind.REGISTER_RESET: "Set the energy registers to zero.",
    FaultKind.SILENCE: "Answer nothing.",
    FaultKind.SLOW: "Answer late.",
    FaultKind.TRICKLE: "Answer byte by byte.",
    FaultKind.HANG_UP: "Hang up when asked.",
    FaultKind.ONE_CONNECTION: "Take one connection only.",
    FaultKind.EXCEPTION: "Answer with a Modbus exception.",
    FaultKind.TRUNCATED: "Break the answer off in the middle.",
    FaultKind.DUPLICATE: "Answer twice.",
    FaultKind.CRC_ERROR: "Spoil the checksum of RTU frames.",
    FaultKind.WRONG_TRANSACTION: "Answer with another transaction's number.",
    FaultKind.WRONG_UNIT: "Answer in another unit's name.",
    FaultKind.WRONG_FUNCTION: "Answer with another function.",
    FaultKind.WRONG_COUNT: "Answer with another number of registers.",
    FaultKind.HUGE_LENGTH: "Announce a longer answer than there can be.",
}
"""What each fault does, in one line."""

PHASES = click.option(
    "--phases", help="of a, b, c; a sag takes all if not given, the others the first"
)
OWN_OPTIONS = {
    FaultKind.SAG: (
        PHASES,
        click.option("--to", type=float, help="share of nominal voltage that remains, e.g. 0.85"),
    ),
    FaultKind.PHASE_LOSS: (PHASES,),
    FaultKind.CT_BYPASS: (PHASES,),
    FaultKind.OUTAGE: (click.option("--dark", is_flag=True, help="terminals fall silent too"),),
    FaultKind.SLOW: (
        click.option("--seconds", type=float, required=True, help="delay of each answer [s]"),
    ),
    FaultKind.TRICKLE: (click.option("--seconds", type=float, help="between two bytes [s]"),),
    FaultKind.CLOCK_DRIFT: (
        click.option("--seconds", type=float, help="how far ahead [s]"),
        click.option("--ppm", type=float, help="how fast it runs ahead [1e-6]"),
    ),
    FaultKind.EXCEPTION: (click.option("--code", type=int, help="exception code, 1 to 255"),),
}
SAID = ("phases", "to", "seconds", "ppm", "code", "dark")
"""What is said of a fault that stands, if it has it."""
TARGET = click.argument("target")
FOR = click.option("--for", "duration_s", type=float, help="how long [s]; else until cleared")


@click.group()
def simulate() -> None:
    """Give orders to what the demo town simulates: terminals' faults, telephone calls.

    TARGET is a meter (M-0501-0001), a transformer area (TG-0503), or all.
    """


def _fault(kind: FaultKind) -> click.Command:
    """Make the command of one fault."""

    @click.command(kind.value, help=FAULTS[kind])
    @TARGET
    @FOR
    @click.pass_obj
    def strike(office: Office, /, **facts: Any) -> None:
        facts["dark"] = facts.get("dark") or None
        said = order_simulator(office, kind.value, **facts)
        until = _time(said["until"], office.settings.time_zone) if said["until"] else "cleared"
        skipped = f", {said['skipped']} cannot have it" if said["skipped"] else ""
        click.echo(
            f"order {said['order_no']}: {kind.value} at {_meters(said['meters'])}{skipped};"
            f" until {until}"
        )

    for option in OWN_OPTIONS.get(kind, ()):
        strike = option(strike)
    return strike


for _kind in FaultKind:
    simulate.add_command(_fault(_kind))


@simulate.command()
@TARGET
@click.pass_obj
def clear(office: Office, /, target: str) -> None:
    """End every fault of a target."""
    click.echo(f"faults ended: {order_simulator(office, 'clear', target=target)['ended']}")


@simulate.command("list")
@click.pass_obj
def list_faults(office: Office, /) -> None:
    """List the faults that stand."""
    zone = office.settings.time_zone
    for one in order_simulator(office, "list")["faults"]:
        until = f" until {_time(one['until'], zone)}" if one["until"] else ""
        how = "".join(f" {name} {one[name]}" for name in SAID if one.get(name))
        click.echo(
            f"order {one['order_no']}: {one['kind']}{how} at {one['target']}"
            f" ({_meters(len(one['meters']))}), since {_time(one['since'], zone)}{until}"
        )


@simulate.command()
@click.pass_obj
def status(office: Office, /) -> None:
    """Say what the simulator holds and has answered."""
    said = order_simulator(office, "status")
    said["since"] = _time(said["since"], office.settings.time_zone)
    for name, value in said.items():
        click.echo(f"{name.replace('_', ' ')}: {value}")


@simulate.command("reload")
@click.pass_obj
def reload_fleet(office: Office, /) -> None:
    """Take over terminals that came or went since it was started."""
    for name, value in order_simulator(office, "reload").items():
        click.echo(f"{name}: {value}")


def _meters(number: int) -> str:
    return "1 meter" if number == 1 else f"{number} meters"


def _time(at_s: float, zone: tzinfo) -> str:
    return f"{datetime.fromtimestamp(at_s, zone):%Y-%m-%d %H:%M:%S}"
