"""The simulated phone switch, as commands and for the page that stands for a telephone.

It is a switch like any other: it knows the shared secret and posts signed events to the
door over HTTP.
"""

import time

import click
from sqlalchemy.orm import Session

from callcenter.api.calls import seats
from callcenter.api.telephony import SimulatedSwitch, ready_extension
from callcenter.api.types import CallReason, EventKind
from customers.api.archive import contacts_at
from foundation.actor import Scope
from foundation.db import unit_of_work
from foundation.errors import NotFound
from foundation.office import Office
from foundation.settings import Settings
from metering.api.devices import search_meters
from metering.api.network import area_by_no
from webapp.auth.accounts import person_of

_MOST = 5000  # points of one transformer area


def switch_of(settings: Settings) -> SimulatedSwitch:
    """Give a switch that tells this office of its calls."""
    host = "127.0.0.1" if settings.host in {"0.0.0.0", ""} else settings.host  # noqa: S104
    return SimulatedSwitch(f"http://{host}:{settings.port}", settings.switch_secret())


def extension_of(session: Session, word: str) -> str:
    """Give the extension somebody means by a sign-in name, a staff number or the extension.

    Raises:
        NotFound: nobody sits there.
    """
    known = seats(session)
    person = person_of(session, word)
    for one in known:
        if one.extension and (one.extension == word or one.person_id == person):
            return one.extension
    raise NotFound(what="extension", id=word)


def numbers_of(session: Session, area_no: str, count: int) -> list[str]:
    """Give telephone numbers of customers of a transformer area, from the first again if few.

    Raises:
        NotFound: no such area, or nobody there has a telephone.
    """
    area = area_by_no(session, area_no)
    meters = search_meters(session, Scope.everything(), area_id=area.area_id, limit=_MOST)
    contacts = contacts_at(session, [one.point_id for one in meters])
    phones = sorted({one.phone for one in contacts.values() if one.phone})
    if not phones:
        raise NotFound(what="area", id=area_no)
    return [phones[index % len(phones)] for index in range(count)]


def add_commands(main: click.Group) -> None:
    """Add the switch's orders to `gridhall simulate`."""
    simulate = main.commands["simulate"]
    if isinstance(simulate, click.Group):
        for command in (call, phone, storm):
            simulate.add_command(command)


@click.command()
@click.option("--from", "caller", help="number that calls; withheld if not given")
@click.option("--to", help="agent: sign-in name or extension; who is ready longest if not given")
@click.option(
    "--reason",
    type=click.Choice([one.value for one in CallReason]),
    default=CallReason.NONE.value,
    help="what the caller chose before the queue",
)
@click.option("--answer-after", type=float, help="answered by itself after so long [s]")
@click.option("--talk", type=float, help="hung up so long after the answer [s]")
@click.pass_obj
def call(
    office: Office,
    *,
    caller: str | None,
    to: str | None,
    reason: str,
    answer_after: float | None,
    talk: float | None,
) -> None:
    """Let a call ring at an agent; without anybody ready it waits."""
    with unit_of_work(office.engine) as session:
        extension = extension_of(session, to) if to else ready_extension(session)
    line, why = switch_of(office.settings), CallReason(reason)
    number = line.new_call()
    line.tell(number, EventKind.QUEUE, caller=caller, reason=why)
    if extension:
        line.tell(number, EventKind.RING, caller=caller, extension=extension, reason=why)
    click.echo(number)
    if answer_after is not None and extension:
        time.sleep(answer_after)
        line.tell(number, EventKind.ANSWER, extension=extension)
        if talk is not None:
            time.sleep(talk)
            line.tell(number, EventKind.HANGUP, extension=extension)


@click.command()
@click.argument("event", type=click.Choice([one.value for one in EventKind]))
@click.argument("number")
@click.option("--to", help="agent: sign-in name or extension")
@click.pass_obj
def phone(office: Office, event: str, number: str, *, to: str | None) -> None:
    """Tell EVENT of the call NUMBER: answer, hold, resume, hangup ..."""
    with unit_of_work(office.engine) as session:
        extension = extension_of(session, to) if to else ""
    told = switch_of(office.settings).tell(number, EventKind(event), extension=extension)
    click.echo(f"{told.status} {told.answer.get('state', told.answer.get('code', ''))}")


@click.command()
@click.argument("area_no")
@click.option("--calls", type=click.IntRange(1, 5000), default=50, help="how many")
@click.pass_obj
def storm(office: Office, area_no: str, *, calls: int) -> None:
    """Let many customers of a transformer area call at once about a fault."""
    with unit_of_work(office.engine) as session:
        numbers = numbers_of(session, area_no, calls)
    told = switch_of(office.settings).storm(numbers)
    click.echo(f"{sum(one.taken for one in told)} of {len(told)} calls taken")
