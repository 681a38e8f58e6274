"""Databases of a test's own, for code that commits: copies of one, made in a third of a second."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cache
from itertools import count
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from foundation.db import unit_of_work
from foundation.postgres import EmbeddedServer, super_url
from foundation.settings import Settings, settings
from webapp import database

BLANK = "blank"
_NUMBERS = count(1)


@contextmanager
def own_database(server: EmbeddedServer, template: str = BLANK) -> Iterator[database.Addresses]:
    """Give the addresses of a copy of a database, dropped afterwards.

    Args:
        server: where it stands, its own accounts made.
        template: what it is a copy of; nobody may be connected to that.
    """
    if template == BLANK:
        _make_blank(server.port)
    name = f"copy_{next(_NUMBERS)}"
    create(server, name, template)
    try:
        yield addresses_at(name)
    finally:
        as_super(server, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


class _GivenUp(Exception):
    pass


@contextmanager
def given_up(engine: Engine) -> Iterator[Session]:
    """Give a unit of work that fails at its end, after all its work was done."""
    with suppress(_GivenUp), unit_of_work(engine) as session:
        yield session
        raise _GivenUp


def create(server: EmbeddedServer, name: str, template: str) -> None:
    """Make a copy of a database."""
    _create(server.port, name, template)


def as_super(server: EmbeddedServer, statement: sql.Composable, name: str = "postgres") -> None:
    """Run one statement as the superuser."""
    with psycopg.connect(
        super_url(settings().data_dir, server.port, name), autocommit=True
    ) as connection:
        connection.execute(statement)


def addresses_at(name: str) -> database.Addresses:
    """Give the three accounts' addresses in another database of the same server."""
    known = database.addresses(settings())
    return database.Addresses(
        *(_moved(url, name) for url in (known.owner, known.office, known.poller))
    )


def settings_at(addresses: database.Addresses) -> Settings:
    """Give settings that name a database."""
    return replace(
        settings(),
        database_url=addresses.owner,
        database_url_office=addresses.office,
        database_url_poller=addresses.poller,
    )


def _moved(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


@cache
def _make_blank(port: int) -> None:
    _create(port, BLANK, "template0")
    database.upgrade(settings_at(addresses_at(BLANK)))


def _create(port: int, name: str, template: str) -> None:
    with psycopg.connect(super_url(settings().data_dir, port), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
                sql.Identifier(name), sql.Identifier(template), sql.Identifier(database.OWNER)
            )
        )
