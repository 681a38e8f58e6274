"""The doctor and the commands: what is wrong, in a sentence, with a way to mend it."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from psycopg import sql
from sqlalchemy import text

from foundation import clock
from foundation.audit import Act, record, seal
from foundation.db import connect, unit_of_work
from foundation.postgres import EmbeddedServer
from foundation.settings import Settings
from tests.factories.certificates import authority_in
from tests.factories.databases import as_super, own_database, settings_at
from tests.factories.foundation import SYSTEM
from tests.factories.ports import free_ports
from webapp import doctor, wiring
from webapp.cli import main

IN_THE_CALENDAR = datetime(2026, 6, 18, 2, tzinfo=UTC)
AFTER_THE_CALENDAR = datetime(2126, 6, 18, 2, tzinfo=UTC)


@pytest.fixture
def quiet(server: EmbeddedServer) -> Iterator[Settings]:
    """Give settings of an office whose processes all have no health page to ask."""
    with own_database(server) as addresses:
        (port,) = free_ports(1)
        yield replace(
            settings_at(addresses), port=port, worker_metrics_port=0, poller_metrics_port=0
        )


def wrong(found: list[doctor.Found]) -> list[str]:
    return [one.what for one in found if not one.well]


def test_a_sound_office_lacks_nothing_but_its_processes(quiet: Settings) -> None:
    with clock.frozen(IN_THE_CALENDAR):
        found = list(doctor.examine(quiet))
    assert wrong(found) == [f"web answers on port {quiet.port}"]
    assert all(one.mend for one in found if not one.well)


def test_a_year_without_a_calendar_of_holidays_is_told(quiet: Settings) -> None:
    with clock.frozen(AFTER_THE_CALENDAR):
        assert "holiday calendar covers this year" in wrong(list(doctor.examine(quiet)))


def test_a_report_says_what_is_wrong_and_how_to_mend_it(
    quiet: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor.report(quiet) == 1
    said = capsys.readouterr().out
    assert "ok    database answers" in said
    assert "WRONG web answers" in said
    assert "→ start it" in said


def test_tampering_with_the_audit_is_found(server: EmbeddedServer, quiet: Settings) -> None:
    engine = connect(quiet.database_url_office or "", pool=1)
    act = Act.of("test.done")
    with unit_of_work(engine) as session:
        record(session, SYSTEM, act, subject=("thing", 1))
    with clock.frozen(clock.now() + timedelta(minutes=3)), unit_of_work(engine) as session:
        seal(session)
    engine.dispose()
    name = (quiet.database_url or "").rsplit("/", 1)[1]
    as_super(
        server,
        sql.SQL("SET session_replication_role = replica;"
                " UPDATE foundation.audit_entry SET actor_name = '甲'"),
        name,
    )  # fmt: skip
    assert "audit seals fit" in wrong(list(doctor.examine(quiet)))


def test_a_schema_that_is_behind_is_found_and_nothing_more_is_asked(quiet: Settings) -> None:
    engine = connect(quiet.database_url or "", pool=1)
    with engine.begin() as connection:
        connection.execute(text("UPDATE webapp.alembic_version SET version_num = '0000'"))
    engine.dispose()
    found = list(doctor.examine(quiet))
    assert "schema is current" in wrong(found)
    assert not any("jobs that gave up" in one.what for one in found)


def test_certificates_that_cannot_be_used_are_said(quiet: Settings, tmp_path: Path) -> None:
    files = authority_in(tmp_path)
    good = replace(quiet, meter_tls_ca=files.authority, meter_tls_cert=files.certificate)
    assert not [one for one in wrong(list(doctor.examine(good))) if "certificates" in one]
    bad = replace(good, meter_tls_ca=tmp_path / "none.pem")
    (told,) = [one for one in doctor.examine(bad) if "certificates" in one.what]
    assert not told.well
    assert "GRIDHALL_METER_TLS_CA" in told.mend
    assert "none.pem" in told.mend


def test_a_database_that_is_away_is_said_with_a_sentence(tmp_path: Path) -> None:
    nowhere = Settings.from_env(
        {"GRIDHALL_DATA_DIR": str(tmp_path), "GRIDHALL_WORKER_METRICS_PORT": "0",
         "GRIDHALL_POLLER_METRICS_PORT": "0"}
    )  # fmt: skip
    found = {one.what: one for one in doctor.examine(nowhere)}
    assert not found["database answers"].well
    assert "DATABASE_URL" in found["database answers"].mend


def run(*words: str) -> Result:
    return CliRunner().invoke(main, words, catch_exceptions=False)


def test_settings_are_listed_with_their_meaning() -> None:
    said = run("settings").output
    for variable in Settings.variables():
        assert variable.name in said
        assert variable.meaning in said


def test_jobs_are_listed_with_their_cadence() -> None:
    said = run("jobs").output
    for job in wiring.jobs():
        assert job.name in said
        assert job.why in said
    assert "03:10  foundation.forget_old" in said


def test_the_schema_is_checked_and_brought_forward(server: EmbeddedServer) -> None:
    assert server.port
    assert run("db", "check").output == "The schema is current.\n"
    assert run("db", "upgrade").output == "The schema is current.\n"


def test_a_port_for_orders_that_is_in_use_is_said(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "webapp", "simulator", "--profile", "demo_single",
             "--port", str(free_ports(1)[0])],
            env=os.environ | {"GRIDHALL_SIMULATOR_PORT": port, "GRIDHALL_DATA_DIR": str(tmp_path)},
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
    assert done.returncode == 1
    assert f"Port {port}, on which the simulator takes orders, is in use." in done.stderr


def test_every_command_says_what_it_does() -> None:
    for words in ([], ["db"], ["db", "upgrade"], ["office"], ["simulate"]):
        result = run(*words, "--help")
        assert result.exit_code == 0
        assert len(result.output.splitlines()) > 3


def test_an_error_of_ours_is_one_sentence_and_no_trace(server: EmbeddedServer) -> None:
    assert server.port
    result = CliRunner().invoke(main, ["simulate", "sag", "M-0"])
    assert result.exit_code != 0
    assert "Traceback" not in result.output


def test_the_doctor_is_a_command(server: EmbeddedServer) -> None:
    assert server.port
    said = run("doctor").output
    assert "ok    database answers" in said
    assert "ok    schema is current" in said
