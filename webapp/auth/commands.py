"""`gridhall staff`: people from the command line, for the first administrator above all."""

import click

from foundation.actor import Actor, Role
from foundation.db import unit_of_work
from foundation.office import Office
from foundation.staff.actions import add_person, add_unit
from webapp.auth.accounts import LEAST_PASSWORD, set_password


@click.group()
def staff() -> None:
    """People who work here."""


@staff.command("add")
@click.argument("username")
@click.option("--name", required=True, help="the person's name")
@click.option("--pinyin", required=True, help="shown beside the name on English pages")
@click.option("--staff-no", required=True, help="工号")
@click.option("--unit", required=True, help="department; made if there is none of this name")
@click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice([role.value for role in Role]),
)
@click.password_option(help=f"at least {LEAST_PASSWORD} characters; asked for if not given")
@click.pass_obj
def add(
    office: Office,
    username: str,
    *,
    name: str,
    pinyin: str,
    staff_no: str,
    unit: str,
    roles: tuple[str, ...],
    password: str,
) -> None:
    """Add a person who signs in as USERNAME; all of it or nothing."""
    actor = Actor.system("command line")
    with unit_of_work(office.engine) as session:
        unit_id = add_unit(session, name_zh=unit, name_en=unit)
        person_id = add_person(
            session,
            actor,
            staff_no=staff_no,
            name=name,
            pinyin=pinyin,
            unit_id=unit_id,
            roles=[Role(role) for role in roles],
        )
        set_password(session, actor, person_id, username=username, password=password)
    click.echo(f"{name} may sign in as {username}.")
