"""A whole office as processes, quick: terminals are asked every two seconds."""

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from foundation.db import connect, unit_of_work
from foundation.settings import Settings
from tests.factories.ports import free_ports
from webapp import database

ROOT = Path(__file__).resolve().parents[2]
CLOSING_S = 20
PATIENCE_MS = 45_000  # a page may wait for a core; what is wrong stays wrong for so long
BROWSER_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class RunningOffice:
    """The office under test, seen from outside."""

    def __init__(self, folder: Path) -> None:
        web, simulator, worker_m, poller_m, simulator_m = free_ports(5)
        self.folder = folder
        self.url = f"http://127.0.0.1:{web}"
        self.env = os.environ | {
            "GRIDHALL_DATA_DIR": str(folder),
            "GRIDHALL_PORT": str(web),
            "GRIDHALL_SIMULATOR_PORT": str(simulator),
            "GRIDHALL_WORKER_METRICS_PORT": str(worker_m),
            "GRIDHALL_POLLER_METRICS_PORT": str(poller_m),
            "GRIDHALL_SIMULATOR_METRICS_PORT": str(simulator_m),
            "GRIDHALL_DEMO_PORT": str(20_000 + os.getpid() % 10_000),
            "GRIDHALL_DEMO_INTERVAL": "2",
            "GRIDHALL_READ_TIMEOUT": "1",
            "GRIDHALL_LEADER_TIMEOUT": "3",
        }
        self.process: subprocess.Popen[bytes] | None = None
        self._engine: Engine | None = None
        self._victims: Iterator[str] | None = None

    def start(self) -> None:
        """Start it and wait until it greets."""
        log = (self.folder / "office.out").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "webapp", "office"],
            cwd=ROOT,
            env=self.env,
            stdout=log,
            stderr=log,
        )
        log.close()
        self.wait(self.is_ready, "the office to open", seconds=120)

    def stop(self, how: int = signal.SIGINT) -> None:
        """Stop it as Ctrl-C does."""
        if self._engine is not None:
            self._engine.dispose()
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(40)

    def is_ready(self) -> bool:
        assert self.process is None or self.process.poll() is None, self.output()
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def output(self) -> str:
        return (self.folder / "office.out").read_text(encoding="utf-8")

    def wait(self, until: Callable[[], Any], what: str, *, seconds: float = 60) -> Any:
        """Wait until something holds; say what was waited for if it does not."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = until()
            if found:
                return found
            time.sleep(0.1)
        pytest.fail(f"waited {seconds} s for {what}\n{self.output()[-2000:]}")

    @property
    def engine(self) -> Engine:
        """Give an engine on its database, as the owner."""
        if self._engine is None:
            where = database.addresses(Settings.from_env(self.env))
            self._engine = connect(where.owner, pool=2)
        return self._engine

    def value(self, sql: str, **facts: object) -> Any:
        """Ask the database for one value; None while it is away."""
        try:
            with unit_of_work(self.engine) as session:
                return session.execute(text(sql), facts).scalar()
        except Exception:  # noqa: BLE001 - it may be dead on purpose
            return None

    def command(self, *words: str) -> str:
        """Run a gridhall command."""
        return subprocess.run(
            [sys.executable, "-m", "webapp", *words],
            cwd=ROOT,
            env=self.env,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def child(self, name: str) -> int | None:
        """Give the process number of a child, if it runs."""
        assert self.process is not None
        listed = subprocess.run(
            ["ps", "-ww", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True
        ).stdout
        for line in listed.splitlines():
            pid, parent, command = line.split(None, 2)
            wanted = "gunicorn" in command if name == "web" else f" {name}" in command
            if name == "postgres":
                wanted = "/postgres" in command.split()[0]
            if parent == str(self.process.pid) and wanted:
                return int(pid)
        return None

    def kill(self, name: str) -> None:
        """Kill a child as nothing can be prepared for."""
        # Not yet there is possible: an orphan of a killed web master still answers for a moment.
        os.kill(self.wait(lambda: self.child(name), f"a process {name}"), signal.SIGKILL)

    @contextmanager
    def under_fire(self) -> Iterator[None]:
        """Let `between_steps` kill a process each time, one after the other."""
        self._victims = cycle(("web", "worker", "poller", "postgres", "simulator"))
        try:
            yield
        finally:
            self._victims = None

    def between_steps(self) -> None:
        """Come between two steps of a journey: under fire a process is killed, and comes back."""
        if self._victims is None:
            return
        victim = next(self._victims)
        old = self.wait(lambda: self.child(victim), f"a process {victim}")
        os.kill(old, signal.SIGKILL)
        self.wait(lambda: self.child(victim) not in (None, old), f"another {victim}")
        self.wait(self.is_whole, f"the office to be whole again without {victim}")

    def is_whole(self) -> bool:
        """Whether the office and its simulator answer."""
        try:
            self.command("simulate", "status")
        except subprocess.CalledProcessError:
            return False
        return self.is_ready()


@pytest.fixture(scope="session")
def town() -> Iterator[RunningOffice]:
    """Give the running office with its demo town."""
    with tempfile.TemporaryDirectory(prefix="gridhall-town-") as folder:
        Path(folder).chmod(0o755)
        running = RunningOffice(Path(folder))
        running.start()
        try:
            yield running
        finally:
            running.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Give a headless Chromium of the machine."""
    import shutil

    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_MS)
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if (found := shutil.which(name))), None)
    if path is None:
        pytest.fail("the browser tests need Chromium on the PATH")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=list(BROWSER_FLAGS))
        yield running
        running.close()


@contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """Give up after a while: a busy Chromium now and then never answers that it has closed."""

    def give_up(_signal: int, _frame: object) -> None:
        raise TimeoutError(f"{seconds} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def stood_there(page: Any) -> str:
    """Say what the page showed when something failed on it."""
    try:
        with at_most(CLOSING_S):
            return f"at {page.url}:\n{page.locator('body').inner_text(timeout=2_000)[:1500]}"
    except Exception as error:  # noqa: BLE001 - what failed first is what counts
        return f"and the page could not be read: {error}"


@contextmanager
def signed_in(
    browser: Any, town: RunningOffice, username: str, *, phone: bool = False, lang: str = "zh-CN"
) -> Iterator[Any]:
    """Open a page with somebody signed in; errors of scripts fail the test."""
    size = {"width": 390, "height": 844} if phone else {"width": 1440, "height": 900}
    context = browser.new_context(viewport=size, locale=lang, timezone_id="Asia/Shanghai")
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    try:
        page.goto(f"{town.url}/login")
        page.fill("#f-username", username)
        page.fill("#f-password", "gridhall-demo")
        # a click does not wait for the page it leads to, and going elsewhere would take it back
        with page.expect_navigation(url=lambda url: "/login" not in url):
            page.get_by_role("button", name="登录", exact=True).click()
        if page.locator("html").get_attribute("lang") != lang:
            with page.expect_navigation():
                page.locator("form[action='/me/language'] button").first.click()
        assert page.locator("html").get_attribute("lang") == lang
        yield page
        assert not errors, errors
    except Exception as error:
        error.add_note(stood_there(page))
        raise
    finally:
        with suppress(TimeoutError), at_most(CLOSING_S):
            context.close()
