"""CPU time of one terminal from the wire to the table: the poller as it runs, and the naive way.

An embedded PostgreSQL in a temporary folder, the real poller, a responder in C on its own core.
See docs/benchmarks.md.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from _database import make_fleet, own_database
from _report import BUILD, Measure, compare, options, publish, say

HERE = Path(__file__).parent
PARTS = HERE / "ingest"
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
SETTLE_S = 6.0


@dataclass(frozen=True, slots=True)
class Figures:
    """One way, one round: CPU time per terminal [us]."""

    poller: float
    database: float
    rate: float = 0.0
    missed: int = 0

    @property
    def both(self) -> float:
        """Add poller and database."""
        return self.poller + self.database


@contextmanager
def responding(ports: int, core: int, *, awake: bool) -> Iterator[tuple[list[int], int]]:
    """Run the responder of `bench poll` on several ports; give them and its process number."""
    compiler = shutil.which("gcc")
    if compiler is None:
        raise SystemExit("this benchmark needs gcc")
    BUILD.mkdir(parents=True, exist_ok=True)
    program = BUILD / "responder"
    source = HERE / "poll" / "responder.c"
    subprocess.run([compiler, "-O2", "-o", str(program), str(source)], check=True)
    with subprocess.Popen(
        [str(program), str(ports), *(["awake"] if awake else [])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=_on_core(core),  # noqa: PLW1509 - no other thread runs here
    ) as process:
        try:
            yield [int(port) for port in process.stdout.readline().split()], process.pid
        finally:
            process.kill()


def _on_core(core: int) -> Callable[[], None]:
    def settle() -> None:
        os.sched_setaffinity(0, {core})
        with suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, 0, -5)

    return settle


def cpu_s(pid: int) -> float:
    """Give the CPU time of a process and of its children that have ended [s]."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) * TICK_S


def server_cpu_s(folder: Path) -> float:
    """Give the CPU time of the whole database server: every backend and helper [s]."""
    found = next(iter(folder.glob("**/postmaster.pid")))
    postmaster = int(found.read_text(encoding="utf-8").split()[0])
    used = cpu_s(postmaster)
    for task in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            stat = (task / "stat").read_text(encoding="ascii").rpartition(")")[2].split()
            if int(stat[1]) == postmaster:
                used += cpu_s(int(task.name))
    return used


def _peak_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(next(line.split()[1] for line in status.splitlines() if "VmHWM" in line))


class Bench:
    """A fleet, its database, and both ways to read it."""

    def __init__(
        self, folder: Path, where: Any, responder: tuple[list[int], int], wanted: Any
    ) -> None:
        from foundation.db import connect

        self.folder, self.where = folder, where
        self.ports, self.responder = responder
        self.terminals, self.interval_s = wanted.terminals, wanted.interval
        self.window_s, self.ready_s = wanted.window, wanted.ready
        self.pollers, self.core = wanted.pollers, min(os.sched_getaffinity(0))
        self.engine = connect(where.owner, pool=2)

    def prepare(self) -> None:
        """Make the fleet, and the profile it is read by."""
        from foundation.db import unit_of_work
        from metering.readings.actions import days_ahead

        (self.folder / "profiles").mkdir()
        shutil.copy(PARTS / "bench_meter.toml", self.folder / "profiles")
        with unit_of_work(self.engine) as session:
            days_ahead(session)
            make_fleet(session, self.terminals, ports=self.ports, interval_s=self.interval_s)

    def value(self, statement: str, **facts: object) -> Any:
        """Ask the database for one value."""
        from sqlalchemy import text

        from foundation.db import unit_of_work

        with unit_of_work(self.engine) as session:
            return session.execute(text(statement), facts).scalar()

    def empty(self) -> None:
        """Begin every round with the same tables."""
        from sqlalchemy import text

        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for table in ("reading", "latest", "reading_batch", "reading_event", "gap"):
                connection.execute(text(f"TRUNCATE metering.{table}"))

    def ours(self) -> Figures:
        """Run the pollers for a while; what they do before they are in step is not counted."""
        self.empty()
        with self._polling() as pollers:
            self._wait_until_all_read()
            time.sleep(SETTLE_S)
            began, stored, missed = time.monotonic(), self._stored(), self._missed()
            used = self._used(pollers)
            time.sleep(self.window_s)
            used = [now - then for now, then in zip(self._used(pollers), used, strict=True)]
            count, missed = self._stored() - stored, self._missed() - missed
            seconds = time.monotonic() - began
            self._say_how(used, seconds, pollers)
        return Figures(used[0] / count * 1e6, used[1] / count * 1e6, count / seconds, missed)

    @contextmanager
    def _polling(self) -> Iterator[list[int]]:
        """Run one poller on its own core, or several wherever there is room."""
        settle = _on_core(self.core) if self.pollers == 1 else None
        command = [sys.executable, "-m", "webapp", "poller"]
        running = [
            subprocess.Popen(command, stdout=sys.stderr, preexec_fn=settle)  # noqa: PLW1509
            for _ in range(self.pollers)
        ]
        try:
            yield [one.pid for one in running]
        finally:
            for one in running:
                one.terminate()
            for one in running:
                one.wait(60)

    def _used(self, pollers: list[int]) -> list[float]:
        """Give the CPU time of pollers, database and responder so far [s]."""
        return [sum(map(cpu_s, pollers)), server_cpu_s(self.folder), cpu_s(self.responder)]

    def _say_how(self, used: list[float], seconds: float, pollers: list[int]) -> None:
        """Say how busy everybody was, and how much memory the pollers took at most."""
        names = ("pollers", "database", "responder")
        shares = ", ".join(
            f"{name} {100 * cpu / seconds:.0f} %" for name, cpu in zip(names, used, strict=True)
        )
        peak_mib = sum(map(_peak_kib, pollers)) // 1024
        self.how = f"Of a core: {shares}; the pollers' memory at most {peak_mib} MiB."

    def naive(self) -> Figures:
        """Read and store once what the naive way can in about the same time."""
        self.empty()
        server = server_cpu_s(self.folder)
        count = min(self.terminals, 10_000)
        done = subprocess.run(
            [sys.executable, str(PARTS / "naive.py"), self.where.owner, str(self.folder),
             str(count), *map(str, self.ports)],
            stdout=subprocess.PIPE,
            preexec_fn=_on_core(self.core),
            check=True,
        )  # fmt: skip
        said = json.loads(done.stdout)
        per = 1e6 / said["terminals"]
        return Figures(said["cpu_s"] * per, (server_cpu_s(self.folder) - server) * per)

    def _missed(self) -> int:
        return int(self.value("SELECT coalesce(sum(slots), 0) FROM metering.poll_missed"))

    def _stored(self) -> int:
        return int(self.value("SELECT count(*) FROM metering.reading"))

    def _wait_until_all_read(self) -> None:
        give_up = time.monotonic() + self.ready_s
        while time.monotonic() < give_up:
            if self.value("SELECT count(*) FROM metering.latest") >= self.terminals:
                return
            time.sleep(0.5)
        raise SystemExit("the poller did not read the whole fleet")


def measures(ours: Sequence[Figures], naive: Sequence[Figures]) -> list[Measure]:
    """Put both ways side by side."""
    name = f"naive: pymodbus {version('pymodbus')}, one conversion a field, ORM"

    def of(figure: str, some: Sequence[Figures]) -> list[float]:
        return [getattr(one, figure) for one in some]

    def own(name: str, figure: str, target: float) -> Measure:
        middle = compare(name, "us", of(figure, ours), [], reference_name="").ours
        return Measure(name, "us", middle, target=target)

    return [
        own("cpu_per_terminal_poller", "poller", 50.0),
        own("cpu_per_terminal_database", "database", 30.0),
        Measure("slots_missed", "1", sum(one.missed for one in ours), target=0),
        compare(
            "cpu_per_terminal", "us", of("both", ours), of("both", naive),
            reference_name=name, target=0.2,
        ),
        compare(
            "cpu_per_terminal_poller_vs_naive", "us", of("poller", ours), of("poller", naive),
            reference_name=name,
        ),
        compare(
            "cpu_per_terminal_database_vs_naive", "us", of("database", ours),
            of("database", naive), reference_name=name,
        ),
    ]  # fmt: skip


def main() -> None:
    """Run both ways in turn, round after round."""
    parser = options(__doc__ or "", rounds=3)
    parser.add_argument("--terminals", type=int, default=33_333)
    parser.add_argument("--connections", type=int, default=200)
    parser.add_argument("--interval", type=int, default=4, help="seconds between two polls")
    parser.add_argument("--window", type=float, default=16.0, help="seconds that are measured")
    parser.add_argument(
        "--ready", type=float, default=180.0, help="longest wait for the whole fleet to be read [s]"
    )
    parser.add_argument(
        "--pollers", type=int, default=1, help="one keeps to its own core; more share them all"
    )
    parser.add_argument(
        "--awake", action="store_true", help="the responder never sleeps: sending wakes no core"
    )
    wanted = parser.parse_args()
    ours, naive = [], []
    with tempfile.TemporaryDirectory(prefix="gridhall-bench-") as folder:
        Path(folder).chmod(0o755)
        with (
            own_database(Path(folder)) as where,
            responding(
                wanted.connections, max(os.sched_getaffinity(0)), awake=wanted.awake
            ) as responder,
        ):
            bench = Bench(Path(folder), where, responder, wanted)
            bench.prepare()
            for number in range(1, wanted.rounds + 1):
                say(f"round {number} of {wanted.rounds}")
                ours.append(bench.ours())
                say(f"  ours  {ours[-1]}")
                naive.append(bench.naive())
                say(f"  naive {naive[-1]}")
            bench.engine.dispose()
    rate = sum(one.rate for one in ours) / len(ours)
    loop = "uvloop" if find_spec("uvloop") else "asyncio"
    note = (
        f"Ours: {wanted.pollers} x gridhall poller, {wanted.terminals} terminals behind"
        f" {wanted.connections} connections, every {wanted.interval} s, on {loop}:"
        f" {rate:.0f} readings a second for {wanted.window:.0f} s."
    )
    publish("ingest", measures(ours, naive), notes=[note, bench.how], as_json=wanted.json)


if __name__ == "__main__":
    main()
