"""Column types, transactions and accounts."""

from datetime import UTC, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Engine, text
from sqlalchemy.exc import InternalError, OperationalError, StatementError
from sqlalchemy.orm import Mapped, Session, mapped_column

from foundation import db
from foundation.db import (
    Base,
    DatabaseAway,
    SealBroken,
    Sealed,
    UtcTime,
    driver_url,
    is_away,
    keyed_hash,
    reading_only,
    rows_as,
    sqlalchemy_url,
    unit_of_work,
)
from foundation.errors import BadData
from foundation.overrides import Override
from foundation.settings import settings
from tests.factories.databases import given_up

MADE = "CREATE TEMP TABLE one_of_each (id int, at timestamptz, phone bytea, mood text)"
NOBODY_THERE = "postgresql://nobody:x@127.0.0.1:1/none"


class Mood(StrEnum):
    GLAD = "gl-ad"


class OneOfEach(Base):
    """A table with one column of each of our types; made and dropped within a test."""

    __tablename__ = "one_of_each"
    __table_args__ = ({"schema": "pg_temp"},)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[db.utc | None]
    phone: Mapped[db.sealed | None]
    mood: Mapped[Mood | None]


Base.metadata.remove(OneOfEach.__table__)  # migrations are compared with what the office declares


@pytest.fixture
def table(session: Session) -> Session:
    """Make the table for this session alone."""
    session.execute(text(MADE))
    return session


def kept(session: Session, **values: object) -> OneOfEach:
    session.add(OneOfEach(id=1, **values))
    session.flush()
    session.expire_all()
    return session.get_one(OneOfEach, 1)


def raw(session: Session, column: str) -> object:
    return session.execute(text(f"SELECT {column} FROM one_of_each")).scalar_one()


def test_an_instant_comes_back_in_utc_whatever_zone_it_was_said_in(table: Session) -> None:
    noon = datetime(2026, 6, 18, 12, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
    found = kept(table, at=noon).at
    assert found == noon
    assert found is not None
    assert found.tzinfo is UTC


def test_an_instant_without_a_zone_is_refused(table: Session) -> None:
    table.add(OneOfEach(id=1, at=datetime(2026, 6, 18, 12, 0)))  # noqa: DTZ001 - the point
    with pytest.raises((StatementError, BadData), match="time zone"):
        table.flush()


def test_a_word_is_stored_by_its_value(table: Session) -> None:
    assert kept(table, mood=Mood.GLAD).mood is Mood.GLAD
    assert raw(table, "mood") == "gl-ad"


def test_a_sealed_column_is_unreadable_at_rest_and_opens_with_the_key(table: Session) -> None:
    assert kept(table, phone="13800138000").phone == "13800138000"
    stored = raw(table, "phone")
    assert isinstance(stored, bytes)
    assert b"13800138000" not in stored
    assert stored[0] == 1


def test_sealing_twice_gives_two_different_texts() -> None:
    one, other = (Sealed().process_bind_param("甲", None) for _ in range(2))  # type: ignore[arg-type]
    assert one != other


def test_what_is_empty_stays_empty(table: Session) -> None:
    found = kept(table, phone=None, at=None)
    assert (found.phone, found.at) == (None, None)


def test_another_key_does_not_open_a_seal() -> None:
    foreign = b"\x01" + bytes(12) + AESGCM(bytes(32)).encrypt(bytes(12), b"secret", None)
    with pytest.raises(SealBroken):
        Sealed().process_result_value(foreign, None)  # type: ignore[arg-type]


def test_an_altered_seal_does_not_open() -> None:
    stored = bytearray(Sealed().process_bind_param("13800138000", None) or b"")  # type: ignore[arg-type]
    stored[-1] ^= 1
    with pytest.raises(SealBroken):
        Sealed().process_result_value(bytes(stored), None)  # type: ignore[arg-type]


def test_a_sealed_value_is_found_however_it_is_written() -> None:
    assert keyed_hash("138-0013 8000") == keyed_hash("13800138000")
    assert keyed_hash("11010119900307x") == keyed_hash("11010119900307X")
    assert keyed_hash("13800138000") != keyed_hash("13800138001")
    assert len(settings().sealing_key()) == 32


def test_a_table_lands_in_the_schema_of_its_room() -> None:
    assert Override.__table__.schema == "foundation"


def test_work_is_committed_when_its_block_ends_and_gone_when_it_raises(own_engine: Engine) -> None:
    insert = text("INSERT INTO foundation.clock_tick (name, slot_at) VALUES (:name, now())")
    with unit_of_work(own_engine) as session:
        session.execute(insert, {"name": "kept"})
    with given_up(own_engine) as session:
        session.execute(insert, {"name": "gone"})
    with reading_only(own_engine) as session:
        names = session.execute(text("SELECT name FROM foundation.clock_tick")).scalars().all()
    assert names == ["kept"]


def test_a_reading_transaction_cannot_write(own_engine: Engine) -> None:
    with (
        pytest.raises(InternalError, match="read-only transaction"),
        reading_only(own_engine) as session,
    ):
        session.execute(text("DELETE FROM foundation.clock_tick"))


def test_a_server_that_cannot_be_reached_is_said_as_such() -> None:
    engine = db.connect(NOBODY_THERE)
    with pytest.raises(DatabaseAway), unit_of_work(engine) as session:
        session.execute(text("SELECT 1"))
    assert is_away(engine)


def test_a_statement_that_takes_too_long_is_no_lost_connection(own_engine: Engine) -> None:
    slow = text("SET LOCAL statement_timeout = '10ms'; SELECT pg_sleep(1)")
    with pytest.raises(OperationalError, match="timeout"), unit_of_work(own_engine) as session:
        session.execute(slow)
    assert not is_away(own_engine)


def test_a_connection_ended_by_the_server_is_said_as_such(own_engine: Engine) -> None:
    with pytest.raises(DatabaseAway), unit_of_work(own_engine) as session:
        session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))


def test_every_connection_speaks_utc_and_ends_hanging_statements(own_engine: Engine) -> None:
    with own_engine.connect() as connection:
        zone = connection.execute(text("SHOW timezone")).scalar_one()
        limit = connection.execute(text("SHOW statement_timeout")).scalar_one()
    assert (zone, limit) == ("UTC", "1min")


def test_an_address_names_its_driver_and_can_be_said_without_it() -> None:
    for plain in ("postgresql://a:b@h:1/d", "postgres://a:b@h:1/d"):
        assert sqlalchemy_url(plain) == "postgresql+psycopg://a:b@h:1/d"
    assert sqlalchemy_url("postgresql+psycopg://h/d") == "postgresql+psycopg://h/d"
    assert driver_url("postgresql+psycopg://h/d") == "postgresql://h/d"


def test_rows_become_values_in_the_order_of_the_columns(session: Session) -> None:
    assert rows_as(complex, session, text("SELECT :re, :im"), {"re": 1.0, "im": 2.0}) == [1 + 2j]


def test_an_instant_without_a_zone_is_refused_by_the_type_itself() -> None:
    with pytest.raises(BadData):
        UtcTime().process_bind_param(datetime(2026, 6, 18), None)  # type: ignore[arg-type]  # noqa: DTZ001
