"""The audit: append only for everybody, sealed in a chain that shows tampering."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from foundation import clock
from foundation.actor import Actor
from foundation.audit import Act, AuditSeal, AuditSealed, entries, first_broken_seal, record, seal
from foundation.db import connect, reading_only, unit_of_work
from foundation.housekeeping import seal_audit
from foundation.postgres import EmbeddedServer
from tests.factories.databases import as_super, own_database
from webapp import database

DONE = Act.of("test.done", "what")
ACTOR = Actor(id=7, name="试验员")
SOON = timedelta(minutes=3)


def write(session: Session, count: int = 1, *, who: Actor = ACTOR) -> None:
    for number in range(count):
        record(session, who, DONE, subject=("thing", f"T-{number}"), what={"n": number})


def test_an_entry_says_who_did_what_to_which_record(session: Session) -> None:
    write(session)
    (row,) = entries(session, act="test.done", limit=1)
    assert (row.actor_name, row.act, row.subject_type, row.subject_no) == (
        "试验员",
        "test.done",
        "thing",
        "T-0",
    )
    assert row.facts == {"what": {"n": 0}}


@pytest.mark.parametrize("facts", [{}, {"what": 1, "more": 2}, {"other": 1}])
def test_an_act_records_exactly_its_declared_facts(
    session: Session, facts: dict[str, object]
) -> None:
    with pytest.raises(ValueError, match="differ from their declaration"):
        record(session, ACTOR, DONE, subject=("thing", 1), **facts)


def test_facts_that_are_no_plain_values_are_kept_as_their_words(session: Session) -> None:
    record(session, ACTOR, DONE, subject=("thing", 1), what=clock.business_date())
    assert entries(session, limit=1)[0].facts == {"what": clock.business_date().isoformat()}


def test_entries_are_listed_newest_first_and_filtered_by_how_a_field_starts(
    session: Session,
) -> None:
    write(session, 3)
    write(session, 1, who=Actor.system("scanner"))
    mine = entries(session, actor_name="试验", act="test.", subject_no="t-")
    assert [row.subject_no for row in mine] == ["T-2", "T-1", "T-0"]
    assert [row.subject_no for row in entries(session, actor_name="SCAN")] == ["T-0"]
    older = entries(session, actor_name="试验", before_id=mine[0].id, limit=1)
    assert [row.subject_no for row in older] == ["T-1"]
    assert entries(session, actor_name="试%") == []


def test_what_has_not_settled_is_not_sealed_yet(session: Session) -> None:
    write(session, 2)
    assert seal(session) == 0
    with clock.frozen(clock.now() + SOON):
        assert seal(session) == 2
        assert seal(session) == 0


def test_the_job_seals(session: Session) -> None:
    write(session)
    with clock.frozen(clock.now() + SOON):
        seal_audit(session, ACTOR)
    assert session.scalar(select(func.count()).select_from(AuditSealed)) == 1


def test_seals_fit_as_long_as_nobody_touches_the_entries(session: Session) -> None:
    assert first_broken_seal(session) is None
    for _ in range(3):
        write(session, 2)
        with clock.frozen(clock.now() + SOON):
            seal(session)
    assert first_broken_seal(session) is None
    digests = session.scalars(select(AuditSeal.digest)).all()
    assert len(set(digests)) == 3


@pytest.fixture
def sealed(server: EmbeddedServer) -> Iterator[tuple[database.Addresses, Engine]]:
    """Give a database with two seals over two entries each."""
    with own_database(server) as addresses:
        engine = connect(addresses.office, pool=1)
        for later in (SOON, 2 * SOON):
            with unit_of_work(engine) as session:
                write(session, 2)
            with clock.frozen(clock.now() + later), unit_of_work(engine) as session:
                assert seal(session) == 2
        yield addresses, engine
        engine.dispose()


TAMPERING = {
    "an altered fact": "UPDATE foundation.audit_entry SET facts = '{\"what\": 9}' WHERE id = {id}",
    "another actor": "UPDATE foundation.audit_entry SET actor_name = '甲' WHERE id = {id}",
    "another time": "UPDATE foundation.audit_entry SET at = at + interval '1 s' WHERE id = {id}",
    "a removed entry": "DELETE FROM foundation.audit_sealed WHERE entry_id = {id}",
}


@pytest.mark.parametrize("how", TAMPERING)
def test_a_superuser_who_tampers_is_found_out(
    sealed: tuple[database.Addresses, Engine], server: EmbeddedServer, how: str
) -> None:
    addresses, engine = sealed
    name = addresses.office.rsplit("/", 1)[1]
    with reading_only(engine) as session:
        assert first_broken_seal(session) is None
        entry, second = session.execute(
            select(AuditSealed.entry_id, AuditSealed.seal_id).order_by(AuditSealed.entry_id.desc())
        ).first() or (0, 0)
    quiet = "SET session_replication_role = replica; "  # what only a superuser may
    as_super(server, sql.SQL(quiet + TAMPERING[how].replace("{id}", str(entry))), name)
    with reading_only(engine) as session:
        assert first_broken_seal(session) == second


@pytest.mark.parametrize("account", ["office", "owner"])
@pytest.mark.parametrize("table", ["audit_entry", "audit_seal", "audit_sealed"])
@pytest.mark.parametrize(
    "change", ["DELETE FROM {}", "UPDATE {} SET {} = {}", "TRUNCATE {} CASCADE"]
)
def test_neither_the_office_nor_the_owner_can_change_or_remove_an_entry(
    sealed_once: database.Addresses, account: str, table: str, change: str
) -> None:
    column = "seal_id" if table == "audit_sealed" else "at"
    said = change.replace("{}", f"foundation.{table}", 1).replace("{}", column)
    with (
        psycopg.connect(getattr(sealed_once, account), autocommit=True) as connection,
        pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.RaiseException)),
    ):
        connection.execute(said)


@pytest.fixture(scope="module")
def sealed_once(own: database.Addresses, own_engine: Engine) -> database.Addresses:
    """Give a database with a seal, which nobody manages to change."""
    with unit_of_work(own_engine) as session:
        write(session)
    with clock.frozen(clock.now() + SOON), unit_of_work(own_engine) as session:
        seal(session)
    return own


def test_the_poller_cannot_even_read_the_audit(sealed_once: database.Addresses) -> None:
    with (
        psycopg.connect(sealed_once.poller, autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("SELECT * FROM foundation.audit_entry")


def test_two_sealers_at_once_seal_each_entry_once(own_engine: Engine) -> None:
    with unit_of_work(own_engine) as session:
        write(session, 20)
    sealed_counts: list[int] = []

    def work() -> None:
        with unit_of_work(own_engine) as session:
            sealed_counts.append(seal(session))

    with clock.frozen(clock.now() + SOON):
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    with reading_only(own_engine) as session:
        assert first_broken_seal(session) is None
        unsealed = session.execute(
            text(
                "SELECT count(*) FROM foundation.audit_entry e"
                " LEFT JOIN foundation.audit_sealed s ON s.entry_id = e.id WHERE s.entry_id IS NULL"
            )
        ).scalar_one()
    assert (sorted(sealed_counts)[:2], unsealed) == ([0, 0], 0)
