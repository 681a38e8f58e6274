"""The database session: base class, column types, engine, and the only commit.

Tables land in the PostgreSQL schema of their room; the account differs by process.
"""

import hashlib
import hmac
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, TypeAlias, TypeVar

import psycopg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import (
    BigInteger,
    Dialect,
    Engine,
    Enum,
    Executable,
    Identity,
    LargeBinary,
    MetaData,
    Select,
    String,
    create_engine,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column
from sqlalchemy.types import DateTime, TypeDecorator

from foundation.errors import BadData, Unreachable
from foundation.settings import settings

JOB_SCHEMA = "jobs"
T = TypeVar("T")
Query: TypeAlias = Select[*tuple[Any, ...]]
"""A SELECT of any columns."""

_NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class DatabaseAway(Unreachable):
    """The database does not answer."""

    code = "database_away"


AWAY = (Unreachable, OperationalError, PoolTimeout, psycopg.OperationalError)
"""What long-lived processes take for the database being away for a moment, and try again after.
Anything else that a statement raises is a defect, and must not be tried for ever in silence."""


class SealBroken(BadData):
    """A sealed column cannot be opened: another key sealed it, or it was altered."""

    code = "seal_broken"


class UtcTime(TypeDecorator[datetime]):
    """An instant; naive datetimes are refused, aware ones come back in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse what has no zone."""
        if value is not None and value.tzinfo is None:
            raise BadData(field="datetime", expected="a time zone")
        return value

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Give UTC."""
        return None if value is None else value.astimezone(UTC)


class Sealed(TypeDecorator[str]):
    """Text encrypted with AES-256-GCM; search goes by a `keyed_hash` column beside it."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """Seal."""
        return None if value is None else seal(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> str | None:
        """Open."""
        return None if value is None else unseal(bytes(value))


def seal(value: str) -> bytes:
    """Encrypt a text; the same text is never sealed the same twice."""
    nonce = os.urandom(12)
    return b"\x01" + nonce + AESGCM(_seal_key()).encrypt(nonce, value.encode(), None)


def unseal(raw: bytes) -> str:
    """Open what was sealed.

    Raises:
        SealBroken: another key sealed it, or it was altered.
    """
    try:
        return AESGCM(_seal_key()).decrypt(raw[1:13], raw[13:], None).decode()
    except InvalidTag as error:
        raise SealBroken from error


def keyed_hash(value: str) -> bytes:
    """Give the search key of a sealed value: HMAC-SHA-256 over its digits and letters."""
    plain = "".join(sign for sign in value if sign.isalnum()).upper()
    return hmac.new(_seal_key(), b"search:" + plain.encode(), hashlib.sha256).digest()


def _seal_key() -> bytes:
    return settings().sealing_key()


utc = Annotated[datetime, mapped_column(UtcTime())]
pk = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
sealed = Annotated[str, mapped_column(Sealed())]


class Base(DeclarativeBase):
    """Base of every table; its schema is the room its module stands in."""

    metadata = MetaData(naming_convention=_NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: String(),
        StrEnum: Enum(
            StrEnum,
            native_enum=False,
            create_constraint=False,
            length=40,
            values_callable=lambda words: [word.value for word in words],
        ),
        dict[str, Any]: JSONB(),
        list[Any]: JSONB(),
    }

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Put the table into the schema of its room."""
        args = cls.__dict__.get("__table_args__", ())
        items, options = (
            (args[:-1], args[-1]) if args and isinstance(args[-1], dict) else (args, {})
        )
        cls.__table_args__ = (*items, {"schema": cls.__module__.split(".")[0], **options})
        super().__init_subclass__(**kwargs)


def connect(url: str, *, pool: int = 10, application: str = "gridhall") -> Engine:
    """Make an engine on a PostgreSQL address.

    Every connection speaks UTC and finds the job queue's functions; a hanging
    statement ends after 60 s rather than holding a thread for ever.
    """
    return create_engine(
        sqlalchemy_url(url),
        pool_size=pool,
        max_overflow=pool,
        pool_pre_ping=True,
        pool_timeout=10,
        connect_args={
            "application_name": application,
            "connect_timeout": 5,
            "options": f"-c timezone=UTC -c search_path={JOB_SCHEMA},public"
            " -c statement_timeout=60s",
        },
    )


def sqlalchemy_url(url: str) -> str:
    """Name the driver in a plain postgresql:// address."""
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url[len(prefix) :]
    return url


def driver_url(url: str) -> str:
    """Give the address as the driver itself reads it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


@contextmanager
def unit_of_work(engine: Engine) -> Iterator[Session]:
    """One transaction: committed when the block ends, rolled back when it raises.

    This is the only place that commits.

    Raises:
        DatabaseAway: the server cannot be reached.
    """
    session = Session(engine, expire_on_commit=False)
    try:
        yield session
        session.commit()
    except OperationalError as error:
        session.rollback()
        if error.connection_invalidated or "connection" in str(error.orig).lower():
            raise DatabaseAway from error
        raise
    except BaseException:
        session.rollback()
        raise
    finally:
        session.close()


@contextmanager
def reading_only(engine: Engine) -> Iterator[Session]:
    """A transaction that cannot write."""
    with unit_of_work(engine) as session:
        session.execute(text("SET TRANSACTION READ ONLY"))
        yield session


def rows_as(
    make: Callable[..., T],
    session: Session,
    statement: Executable,
    parameters: Mapping[str, Any] | None = None,
) -> list[T]:
    """Run a statement and make one value of each row, columns in the order of the fields."""
    return [make(*row) for row in session.execute(statement, parameters)]


def is_away(engine: Engine) -> bool:
    """Whether the database does not answer right now."""
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except OperationalError:
        return True
    return False
