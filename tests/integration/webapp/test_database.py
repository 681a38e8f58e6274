"""Accounts and schema: each account may do its own work and no more; upgrading twice is safe."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text

from foundation.db import connect
from foundation.postgres import EmbeddedServer
from foundation.settings import Settings, settings
from tests.factories.databases import as_super, create, own_database, settings_at
from webapp import database
from webapp.database import DatabaseMissing, RolesNeeded


@pytest.fixture(scope="module")
def own(server: EmbeddedServer) -> Iterator[database.Addresses]:
    """Give a database of the module's own."""
    with own_database(server) as addresses:
        yield addresses


def try_as(url: str, statement: str) -> str:
    """Run a statement and take it back; give `ok` or what refused it."""
    with psycopg.connect(url) as connection:
        try:
            connection.execute(statement)
        except psycopg.Error as error:
            return type(error).__name__
        finally:
            connection.rollback()
    return "ok"


OFFICE_MAY_NOT = (
    "CREATE TABLE foundation.mine (n int)",
    "ALTER TABLE callcenter.ticket ADD COLUMN mine text",
    "DROP TABLE callcenter.ticket",
    "TRUNCATE callcenter.ticket CASCADE",
    "UPDATE foundation.audit_entry SET act = 'x'",
    "DELETE FROM foundation.audit_entry",
    "TRUNCATE foundation.audit_entry CASCADE",
    "UPDATE webapp.alembic_version SET version_num = 'x'; DROP SCHEMA webapp",
    "CREATE ROLE mine",
)
EVENT = """INSERT INTO foundation.event (at, name, actor_name, payload)
 VALUES (now(), 'x', 'x', '{}') RETURNING id"""
DEFER = """SELECT procrastinate_defer_jobs_v1(ARRAY[
 ROW('q', 'n', 0, NULL, NULL, '{}'::jsonb, NULL)::procrastinate_job_to_defer_v1])"""
ASK = """INSERT INTO metering.read_request (meter_id, state, asked_by, asked_at, expires_at)
 VALUES (1, 'asked', 'x', now(), now())"""
POLLER_MAY = (
    "SELECT count(*) FROM metering.reading",
    "SELECT count(*) FROM metering.meter",
    EVENT,
    "UPDATE metering.terminal SET failed_rounds = 0",
    "UPDATE metering.read_request SET state = 'answered'",
    DEFER,
)
POLLER_MAY_NOT = (
    "SELECT * FROM customers.customer",
    "SELECT * FROM webapp.account",
    "SELECT * FROM foundation.person",
    "SELECT * FROM foundation.audit_entry",
    "SELECT payload FROM foundation.event",
    "UPDATE metering.meter SET ct = 1",
    ASK,
    "DELETE FROM metering.reading",
    "UPDATE foundation.event SET name = 'x'",
    "DELETE FROM procrastinate_jobs",
    "UPDATE loadmgmt.alert SET state = 'open'",
)


@pytest.mark.parametrize("statement", OFFICE_MAY_NOT)
def test_the_office_cannot_change_the_schema_or_the_past(
    own: database.Addresses, statement: str
) -> None:
    assert try_as(own.office, statement) == "InsufficientPrivilege"


@pytest.mark.parametrize("statement", POLLER_MAY)
def test_the_poller_may_do_its_work(own: database.Addresses, statement: str) -> None:
    url = f"{own.poller}?options=-csearch_path%3Djobs%2Cpublic"
    assert try_as(url, statement) == "ok"


@pytest.mark.parametrize("statement", POLLER_MAY_NOT)
def test_the_poller_may_do_nothing_else(own: database.Addresses, statement: str) -> None:
    url = f"{own.poller}?options=-csearch_path%3Djobs%2Cpublic"
    assert try_as(url, statement) == "InsufficientPrivilege"


def test_upgrading_twice_changes_nothing(own: database.Addresses) -> None:
    def tables() -> set[str]:
        engine = connect(own.owner, pool=1)
        with engine.connect() as connection:
            assert database.schema_is_current(engine)
            rows = connection.execute(
                text(
                    "SELECT schemaname || '.' || tablename FROM pg_tables"
                    " WHERE tablename !~ '_[0-9]{6,8}$'"  # partitions come with the days
                )
            ).scalars()
            found = set(rows)
        engine.dispose()
        return found

    before = tables()
    database.upgrade(settings_at(own))
    assert tables() == before


def test_making_the_embedded_database_twice_is_safe(server: EmbeddedServer) -> None:
    assert server.port
    database.prepare_embedded(settings())
    assert database.addresses(settings()).office.startswith("postgresql://gridhall_office:")


def test_without_a_server_the_database_is_missing(tmp_path: Path) -> None:
    nowhere = Settings.from_env({"GRIDHALL_DATA_DIR": str(tmp_path)})
    for ask in (database.addresses, database.prepare_embedded):
        with pytest.raises(DatabaseMissing) as missing:
            ask(nowhere)
        assert missing.value.facts == {"folder": str(tmp_path)}


def test_accounts_of_a_named_server_are_called_after_its_database(tmp_path: Path) -> None:
    there = Settings.from_env(
        {"GRIDHALL_DATA_DIR": str(tmp_path), "DATABASE_URL": "postgres://boss:x@db.example/power"}
    )
    found = database.addresses(there)
    assert found.owner == "postgres://boss:x@db.example/power"
    assert found.office.startswith("postgres://power_office:")
    assert found.office.endswith("@db.example:5432/power")
    named = replace(there, database_url_office="postgresql://o@h/d", database_url_poller="p")
    assert (database.addresses(named).office, database.addresses(named).poller) == (
        "postgresql://o@h/d",
        "p",
    )


@pytest.fixture
def humble(server: EmbeddedServer) -> Iterator[Settings]:
    """Give settings of a database whose owner may make no roles."""
    run = sql.SQL
    as_super(server, run("CREATE ROLE humble LOGIN PASSWORD 'humble'"))
    create(server, "humble", "template0")
    as_super(server, run("ALTER DATABASE humble OWNER TO humble"))
    yield replace(
        settings(), database_url=f"postgresql://humble:humble@127.0.0.1:{server.port}/humble"
    )
    as_super(server, run("DROP DATABASE humble WITH (FORCE)"))
    for role in ("humble", "humble_office", "humble_poller"):
        as_super(server, run("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))


def test_who_may_make_no_roles_is_given_the_sql_for_somebody_who_may(
    server: EmbeddedServer, humble: Settings
) -> None:
    with pytest.raises(RolesNeeded) as needed:
        database.upgrade(humble)
    statements = str(needed.value.facts["sql"]).splitlines()
    assert [line.split('"')[1] for line in statements] == ["humble_office", "humble_poller"]
    for line in statements:
        as_super(server, sql.SQL(line))
    database.upgrade(humble)
    engine = connect(database.addresses(humble).office, pool=1)
    assert database.schema_is_current(engine)
    engine.dispose()


def test_an_engine_is_given_back_after_its_block(own: database.Addresses) -> None:
    with database.engine_for(own.office, pool=1, application="a-test") as engine:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        assert engine.pool.checkedin() == 1
    assert engine.pool.checkedin() == 0
