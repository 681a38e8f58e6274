"""The whole office in the foreground: checks, database, schema, demo town, every process.

Every process is a direct child that dies with this one; a child that ends is started
again, the database server too.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from foundation.errors import GridhallError, Refused
from foundation.office import Office
from foundation.postgres import EmbeddedServer, die_with_parent
from foundation.settings import Settings
from webapp import assets, database, wiring
from webapp.auth.demo import PASSWORD, STAFF
from webapp.sentences import sentence

LEAST_DISK_BYTES = 1_000_000_000
READY_S = 90.0
STEADY_S = 30.0  # a child that lived this long is not failing at its start
LOG_LIMIT_BYTES = 50_000_000


class CannotStart(Refused):
    """The office cannot start as things are; facts: why and what it concerns."""

    code = "cannot_start"


@dataclass
class _Child:
    """One process of the office."""

    name: str
    log: Path
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    pause_s: float = 0.5
    ends: list[float] = field(default_factory=list)

    def start(self) -> None:
        """Start it, its log appended."""
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT_BYTES:
            self.log.replace(self.log.with_suffix(".old.log"))
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "webapp", self.name],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - no other thread runs here
            )
        self.started_at = time.monotonic()

    def has_ended(self) -> bool:
        """Whether it ended by itself."""
        return self.process is not None and self.process.poll() is not None

    def stop(self, deadline: float) -> None:
        """Ask it to end, then make it."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def run(settings: Settings, *, demo: bool) -> int:
    """Run the office until Ctrl-C; give the exit code."""
    house = _House(settings, demo=demo)
    try:
        house.open()
        house.keep()
    except GridhallError as error:
        print(f"\nGridhall cannot start: {sentence(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        house.close()
    return 0


class _House:
    def __init__(self, settings: Settings, *, demo: bool) -> None:
        self.settings, self.demo = settings, demo
        self.server: EmbeddedServer | None = None
        self.children: list[_Child] = []
        self.closing = False

    def open(self) -> None:
        """Bring everything up, saying what takes time."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._asked_to_stop)
        check_ground(self.settings)
        self._step("front-end assets", assets.ensure)
        if self.settings.database_url is None:
            self._step("database", self._start_server)
        self._step("schema", lambda: database.upgrade(self.settings))
        if self.demo:
            self._step("demo town (about a minute the first time)", self._make_demo)
        self._step("processes", self._start_children)
        self._greet()

    def _asked_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        if self.closing:
            return
        self.closing = True
        raise KeyboardInterrupt

    def _step(self, what: str, work: Callable[[], object]) -> None:
        print(f"· {what} ", end="", flush=True)
        began = time.monotonic()
        work()
        print(f"{time.monotonic() - began:.1f} s")

    def _start_server(self) -> None:
        self.server = EmbeddedServer(self.settings.data_dir)
        self.server.start()
        database.prepare_embedded(self.settings)

    def _make_demo(self) -> None:
        running = Office(self.settings, database.addresses(self.settings).office, "demo")
        try:
            wiring.build_demo(running)
        finally:
            running.close()

    def _start_children(self) -> None:
        names = ["simulator"] if self.demo else []
        logs = self.settings.data_dir / "log"
        logs.mkdir(parents=True, exist_ok=True)
        if self.demo:
            os.environ["GRIDHALL_DEMO"] = "1"
        for name in (*names, "poller", "worker", "web"):
            child = _Child(name, logs / f"{name}.log")
            child.start()
            self.children.append(child)
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            dead = next((child for child in self.children if child.has_ended()), None)
            if dead is not None:
                raise CannotStart(why="process_ended", process=dead.name, log=str(dead.log))
            if all(_answers(address) for address in self._health_pages()):
                return
            time.sleep(0.1)
        raise CannotStart(why="not_ready", seconds=int(READY_S), log=str(self.children[-1].log))

    def _health_pages(self) -> list[str]:
        ports = [self.settings.worker_metrics_port, self.settings.poller_metrics_port]
        if self.demo:
            ports.append(self.settings.simulator_metrics_port)
        pages = [f"http://127.0.0.1:{port}/readyz" for port in ports if port]
        host = _reachable(self.settings.host)
        return [*pages, f"http://{host}:{self.settings.port}/readyz"]

    def _greet(self) -> None:
        address = f"http://{_reachable(self.settings.host)}:{self.settings.port}/"
        print(f"\nGridhall is open at  {address}")
        if self.demo:
            print(f"\nSign in as (password {PASSWORD}):")
            for username, _, name, pinyin, _, roles in STAFF:
                print(f"  {username:12} {name} {pinyin}, {', '.join(roles)}")
            print(
                "\nLook first: sign in as dispatcher, open the alert console, then on a second\n"
                "terminal:  .venv/bin/gridhall simulate sag M-0501-0001 --to 0.85\n"
                "and watch the alert arrive within a minute."
            )
        print(f"\nLogs: {self.settings.data_dir / 'log'}    Stop: Ctrl-C", flush=True)

    def keep(self) -> None:
        """Start again whatever ends, until asked to stop."""
        while True:
            time.sleep(0.5)
            if self.server is not None and self.server.has_ended():
                print("the database server ended; starting it again", flush=True)
                self.server.start()
            for child in self.children:
                if child.has_ended():
                    self._revive(child)

    def _revive(self, child: _Child) -> None:
        lived = time.monotonic() - child.started_at
        child.pause_s = 0.5 if lived > STEADY_S else min(15.0, child.pause_s * 2)
        if lived < child.pause_s:
            return  # it ends at once, again and again: do not spin
        code = child.process.returncode if child.process else None
        print(f"{child.name} ended ({code}); starting it again", flush=True)
        child.start()

    def close(self) -> None:
        """Stop everything, the database last."""
        self.closing = True
        for child in self.children:
            if child.process is not None and child.process.poll() is None:
                child.process.terminate()
        deadline = time.monotonic() + 12
        for child in reversed(self.children):
            child.stop(deadline)
        if self.server is not None:
            self.server.stop()


def check_ground(settings: Settings) -> None:
    """Refuse early what would fail later.

    Raises:
        CannotStart: port taken, folder not writable, or too little disk.
    """
    folder = settings.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711)
        probe = folder / ".probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise CannotStart(why="not_writable", folder=str(folder), said=error.strerror) from error
    free = shutil.disk_usage(folder).free
    if free < LEAST_DISK_BYTES:
        raise CannotStart(
            why="no_disk",
            folder=str(folder),
            free_mb=free // 1_000_000,
            needed_mb=LEAST_DISK_BYTES // 1_000_000,
        )
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
        except OSError as error:
            raise CannotStart(
                why="port_taken", host=settings.host, port=settings.port, said=error.strerror
            ) from error


def gunicorn_config() -> Path:
    """Find gunicorn's configuration: in the checkout, or where the wheel put it."""
    checkout = Path(__file__).resolve().parent.parent / "deploy" / "gunicorn.conf.py"
    if checkout.exists():
        return checkout
    return Path(sysconfig.get_path("data")) / "share" / "gridhall" / "deploy" / "gunicorn.conf.py"


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in {"0.0.0.0", ""} else host  # noqa: S104 - compared, not bound


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)  # noqa: PLR2004 - HTTP's word for yes
    except (urllib.error.URLError, OSError):
        return False
