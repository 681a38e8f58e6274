"""`gridhall`: the one command."""

import os
import sys
from collections.abc import Callable
from contextlib import closing

import click
import psycopg
from sqlalchemy.exc import OperationalError

from foundation import logs
from foundation.db import DatabaseAway
from foundation.errors import GridhallError
from foundation.office import Office
from foundation.settings import Settings, settings
from webapp import database, doctor, office, switch, wiring
from webapp.auth.commands import staff
from webapp.bench import bench
from webapp.sentences import sentence


class _Sentences(click.Group):
    """Turns our errors into one sentence and a non-zero exit."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except GridhallError as error:
            raise click.ClickException(sentence(error)) from error
        except (psycopg.OperationalError, OperationalError) as error:
            raise click.ClickException(sentence(DatabaseAway())) from error


@click.group(cls=_Sentences, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def main(ctx: click.Context) -> None:
    """Gridhall: the customer-service back office of a power utility."""
    ctx.obj = _LazyOffice()


class _LazyOffice:
    """Finds the database only for commands that ask for it."""

    _office: Office | None = None

    def __getattr__(self, name: str) -> object:
        if name == "settings":
            return settings()
        if name == "secret":
            return settings().kept
        if self._office is None:
            self._office = Office(settings(), database.addresses(settings()).office, "command")
        return getattr(self._office, name)


@main.command()
def web() -> None:
    """Run the portal under gunicorn."""
    config = office.gunicorn_config()
    os.execv(  # noqa: S606 - this process becomes gunicorn
        sys.executable,
        [sys.executable, "-m", "gunicorn", "-c", str(config), "webapp.wsgi:application"],
    )


@main.command()
def worker() -> None:
    """Run jobs, the alert scanner, and (in one process) the clock."""
    from webapp.worker import work

    _run("worker", lambda where: where.office, work)


@main.command()
def poller() -> None:
    """Run the poller: it owns the links to the terminals."""
    from webapp.poller import poll

    _run("poller", lambda where: where.poller, poll)


def _run(
    process: str,
    account: Callable[[database.Addresses], str],
    function: Callable[[Office], None],
) -> None:
    logs.start(process, settings().log_level)
    running = Office(settings(), account(database.addresses(settings())), process, pool=8)
    try:
        function(running)
    finally:
        running.close()


@main.command("office")
@click.option("--demo/--no-demo", default=True, help="make the demo town and run its simulator")
def run_office(*, demo: bool) -> None:
    """Run every process of the office in the foreground, embedded database included."""
    sys.exit(office.run(settings(), demo=demo))


@main.group()
def db() -> None:
    """The database's schema."""


@db.command()
def upgrade() -> None:
    """Bring accounts, schema, queue and grants up to date."""
    database.upgrade(settings())
    click.echo("The schema is current.")


@db.command()
def check() -> None:
    """Say whether the schema is current; exits 1 if not."""
    with closing(Office(settings(), database.addresses(settings()).office)) as running:
        current = database.schema_is_current(running.engine)
    if not current:
        raise click.ClickException("The schema is behind: run `gridhall db upgrade`.")
    click.echo("The schema is current.")


@main.command()
@click.pass_obj
def demo(running: Office) -> None:
    """Make the demo town; safe to repeat."""
    wiring.build_demo(running)
    click.echo("The demo town stands.")


@main.command("doctor")
def run_doctor() -> None:
    """Say what is wrong and how to mend it; exits 1 if anything is."""
    sys.exit(doctor.report(settings()))


@main.command("settings")
def list_settings() -> None:
    """List every environment variable with unit and default."""
    for variable in Settings.variables():
        default = f" (default {variable.default})" if variable.default else ""
        unit = f" [{variable.unit}]" if variable.unit else ""
        click.echo(f"{variable.name}{unit}{default}\n    {variable.meaning}")


@main.command()
def jobs() -> None:
    """List what runs by itself, and when."""
    from foundation.jobs import cadence

    for job in wiring.jobs():
        click.echo(f"{cadence(job):>8}  {job.name}\n          {job.why}")


main.add_command(bench)
main.add_command(staff)
for add_commands in wiring.COMMANDS:
    add_commands(main)
switch.add_commands(main)
