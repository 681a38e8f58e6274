"""Where the database is, who may do what in it, and bringing its schema up to date.

Three accounts: the owner makes tables and is used by nothing else; the office (web,
worker) reads and writes; the poller writes readings and little else.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import psycopg
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import Connection, Engine, text

from foundation.db import JOB_SCHEMA, connect, driver_url
from foundation.errors import Refused, Unreachable
from foundation.jobs import QueueSchema
from foundation.postgres import running_port, super_url
from foundation.settings import Secrets, Settings

DATABASE = "gridhall"
OWNER = "gridhall_owner"
SCHEMAS = ("foundation", "metering", "customers", "loadmgmt", "callcenter", "webapp")
DAYS_BACK, DAYS_AHEAD = 10, 7

POLLER_MAY: Mapping[str, str] = {
    "SELECT": "ALL TABLES IN SCHEMA metering",
    "INSERT, UPDATE": "metering.reading, metering.latest, metering.reading_event,"
    " metering.poll_worker, metering.poll_shard, metering.poll_parcel, metering.poll_missed,"
    " metering.write_outcome",
    "INSERT": "metering.reading_batch, metering.rollup_due, foundation.event",
    "UPDATE": "metering.terminal, metering.read_request",
    "DELETE": "metering.gap",
}
POLLER_MAY_NOT = "metering.sort_reading_day(date), metering.forget_reading_day(date)"


class DatabaseMissing(Unreachable):
    """No server runs on the data folder and DATABASE_URL names none."""

    code = "database_missing"


class RolesNeeded(Refused):
    """The account may not create roles; facts: sql, for whoever may."""

    code = "roles_needed"


@dataclass(frozen=True, slots=True)
class Addresses:
    """The three accounts' addresses."""

    owner: str
    office: str
    poller: str


def addresses(settings: Settings) -> Addresses:
    """Find the database.

    Raises:
        DatabaseMissing: the embedded server does not run and no other is named.
    """
    if settings.database_url:
        owner = driver_url(settings.database_url)
        return Addresses(
            owner=owner,
            office=settings.database_url_office or _as_account(settings, owner, "office"),
            poller=settings.database_url_poller or _as_account(settings, owner, "poller"),
        )
    port = running_port(settings.data_dir)
    if port is None:
        raise DatabaseMissing(folder=str(settings.data_dir))
    secrets = Secrets(settings.data_dir / "secrets.env")
    owner = f"postgresql://{OWNER}:{secrets.get('GRIDHALL_DB_OWNER')}@127.0.0.1:{port}/{DATABASE}"
    return Addresses(
        owner=owner,
        office=_as_account(settings, owner, "office"),
        poller=_as_account(settings, owner, "poller"),
    )


def _as_account(settings: Settings, owner: str, account: str) -> str:
    parts = urlsplit(owner)
    name = f"{_database_of(owner)}_{account}"
    word = Secrets(settings.data_dir / "secrets.env").get(f"GRIDHALL_DB_{account.upper()}")
    place = f"{parts.hostname}:{parts.port or 5432}"
    return urlunsplit(parts._replace(netloc=f"{quote(name)}:{word}@{place}"))


def _database_of(url: str) -> str:
    return unquote(urlsplit(url).path.lstrip("/")) or DATABASE


def prepare_embedded(settings: Settings) -> None:
    """Make the owner and the database on a fresh embedded server; safe to repeat."""
    port = running_port(settings.data_dir)
    if port is None:
        raise DatabaseMissing(folder=str(settings.data_dir))
    word = Secrets(settings.data_dir / "secrets.env").get("GRIDHALL_DB_OWNER")
    with psycopg.connect(super_url(settings.data_dir, port), autocommit=True) as connection:
        _ensure_role(connection, OWNER, word, "CREATEROLE")
        known = connection.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)
        ).fetchone()
        if known is None:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(
                    sql.Identifier(DATABASE), sql.Identifier(OWNER)
                )
            )


def _ensure_role(
    connection: "psycopg.Connection[object]", name: str, word: str, rights: str = ""
) -> None:
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone()
    verb = "ALTER" if known else "CREATE"
    connection.execute(
        sql.SQL("{} ROLE {} LOGIN " + rights + " PASSWORD {}").format(
            sql.SQL(verb), sql.Identifier(name), sql.Literal(word)
        )
    )


def upgrade(settings: Settings) -> None:
    """Bring roles, schema, queue, grants and partitions up to date; safe to repeat.

    Raises:
        RolesNeeded: the account may not create the two roles; the facts hold the SQL.
    """
    where = addresses(settings)
    _ensure_accounts(where)
    engine = connect(where.owner, pool=2, application="gridhall-upgrade")
    try:
        with engine.begin() as connection:
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SET LOCAL lock_timeout = '10s'"))
            _migrate(connection)
            QueueSchema(connection).upgrade()
            _grant(connection, where)
            _make_days(connection)
    finally:
        engine.dispose()


def _ensure_accounts(where: Addresses) -> None:
    with psycopg.connect(where.owner, autocommit=True) as connection:
        for url in (where.office, where.poller):
            parts = urlsplit(url)
            name, word = unquote(parts.username or ""), unquote(parts.password or "")
            if _signs_in(url):
                continue
            try:
                _ensure_role(connection, name, word)
            except psycopg.errors.InsufficientPrivilege as error:
                raise RolesNeeded(sql=_roles_sql(where)) from error


def _signs_in(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _roles_sql(where: Addresses) -> str:
    lines = []
    for url in (where.office, where.poller):
        parts = urlsplit(url)
        lines.append(f"CREATE ROLE \"{parts.username}\" LOGIN PASSWORD '{parts.password}';")
    return "\n".join(lines)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(resources.files("webapp") / "migrations"))
    return config


def _migrate(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _grant(connection: Connection, where: Addresses) -> None:
    """Say again what each account may do; new tables are covered by the next upgrade."""
    office, poller = (
        f'"{unquote(urlsplit(u).username or "")}"' for u in (where.office, where.poller)
    )
    schemas = ", ".join((*SCHEMAS, JOB_SCHEMA))
    audit = "foundation.audit_entry, foundation.audit_seal, foundation.audit_sealed"
    queue = f"{JOB_SCHEMA}.procrastinate_jobs, {JOB_SCHEMA}.procrastinate_events"
    numbered = f"metering, foundation, {JOB_SCHEMA}"
    statements = [
        f"GRANT USAGE ON SCHEMA {schemas} TO {office}, {poller}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schemas} TO {office}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schemas} TO {office}",
        f"REVOKE UPDATE, DELETE, TRUNCATE ON {audit} FROM {office}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {numbered} TO {poller}",
        f"GRANT SELECT, INSERT ON {queue} TO {poller}",
        f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {JOB_SCHEMA}, metering TO {office}, {poller}",
        f"GRANT SELECT (id) ON foundation.event TO {poller}",
        *(f"GRANT {what} ON {tables} TO {poller}" for what, tables in POLLER_MAY.items()),
        f"REVOKE EXECUTE ON FUNCTION {POLLER_MAY_NOT} FROM {poller}",
    ]
    for statement in statements:
        connection.execute(text(statement))


def _make_days(connection: Connection) -> None:
    today = datetime.now(UTC).date()
    connection.execute(
        text("SELECT metering.ensure_reading_days(:first, :last)"),
        {"first": today - timedelta(days=DAYS_BACK), "last": today + timedelta(days=DAYS_AHEAD)},
    )


def schema_is_current(engine: Engine) -> bool:
    """Whether the database stands at the newest migration."""
    with engine.connect() as connection:
        now = MigrationContext.configure(
            connection, opts={"version_table_schema": "webapp"}
        ).get_current_revision()
    return now == ScriptDirectory.from_config(_config()).get_current_head()


@contextmanager
def engine_for(url: str, *, pool: int, application: str) -> Iterator[Engine]:
    """Open an engine for the length of a block."""
    engine = connect(url, pool=pool, application=application)
    try:
        yield engine
    finally:
        engine.dispose()
