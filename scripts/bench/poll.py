"""CPU time one Modbus TCP read costs: our link, libmodbus, pymodbus and bare epoll in C.

A responder of ours answers on its own core; every client runs in a process of its own on
another, holds 200 connections and reads 60 holding registers a request. See docs/benchmarks.md.
"""

import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from _report import BUILD, Measure, compare, options, publish, say

HERE = Path(__file__).parent / "poll"
REGISTERS = 60
THREADS = 16
LIBMODBUS, EPOLL, PYMODBUS = "libmodbus", "epoll", "pymodbus"

Figures = dict[str, float]


class Bench:
    """What can be run on this machine, and on which core."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        cores = sorted(os.sched_getaffinity(0))
        self.client_core, self.responder_core = cores[0], cores[1 if len(cores) > 1 else 0]
        if len(cores) == 1:
            self.notes.append("One core only: the responder shared it with the client.")
        built = self._built("responder")
        self.judges = built is not None
        self.responder = [built] if built else [sys.executable, str(HERE / "responder.py")]
        self.clients = self._clients()

    def _clients(self) -> dict[str, list[str]]:
        """Give the command of every client there is, ours before its references."""
        ours, found = [sys.executable, str(HERE / "ours.py")], {}
        found["asyncio"] = [*ours, "asyncio"]
        found["awaited"] = [*ours, "asyncio", "awaited"]
        if find_spec("uvloop"):
            found["uvloop"] = [*ours, "uvloop"]
        else:
            self.notes.append("uvloop is not installed (extra `uvloop`): not measured with it.")
        flags = _flags_of_libmodbus()
        libmodbus = self._built("libmodbus_client", flags) if flags else None
        if libmodbus:
            found[LIBMODBUS] = [libmodbus]
        elif self._compiler:
            self.notes.append(
                "libmodbus is missing (Debian: libmodbus-dev, pkg-config): no reference."
            )
        found[PYMODBUS] = [sys.executable, str(HERE / "pymodbus_async.py")]
        epoll = self._built("epoll_client")
        if epoll:
            found[EPOLL] = [epoll]
        else:
            self.notes.append(
                "There is no C compiler (gcc): no reference in C; the responder is Python, is then"
                " the slower side, and no target is judged."
            )
        return found

    @property
    def _compiler(self) -> str | None:
        return shutil.which("gcc")

    def _built(self, name: str, flags: Sequence[str] = ()) -> str | None:
        """Build a C program of ours unless it is built; None where it cannot be."""
        if self._compiler is None:
            return None
        BUILD.mkdir(parents=True, exist_ok=True)
        program, sources = BUILD / name, [HERE / f"{name}.c", HERE / "figures.h"]
        newest = max(source.stat().st_mtime for source in sources)
        if not program.exists() or program.stat().st_mtime < newest:
            command = [self._compiler, "-O2", "-o", str(program), str(sources[0]), *flags]
            built = subprocess.run(command, capture_output=True, text=True, check=False)
            if built.returncode:
                self.notes.append(f"{name}.c did not build: {built.stderr.strip()[:300]}")
                return None
        return str(program)

    @contextmanager
    def answering(self) -> Iterator[int]:
        """Run the responder for the length of a block; give its port."""
        with subprocess.Popen(
            self.responder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            preexec_fn=_on_core(self.responder_core),  # noqa: PLW1509 - no other thread runs here
        ) as process:
            try:
                yield int(process.stdout.readline())
            finally:
                process.kill()

    def run(self, client: str, port: int, connections: int, requests: int) -> Figures:
        """Run one client once, alone on its core; give what it says of itself."""
        numbers = [port, connections, requests, REGISTERS]
        if client == LIBMODBUS:
            numbers.append(THREADS)
        done = subprocess.run(
            [*self.clients[client], *map(str, numbers)],
            stdout=subprocess.PIPE,
            preexec_fn=_on_core(self.client_core),
            text=True,
            check=True,
        )
        figures: Figures = json.loads(done.stdout)
        return figures


def _on_core(core: int) -> Callable[[], None]:
    """Give what puts a fresh process on a core, ahead of other work where that is allowed."""

    def settle() -> None:
        os.sched_setaffinity(0, {core})
        with suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, 0, -10)

    return settle


def _flags_of_libmodbus() -> list[str]:
    finder = shutil.which("pkg-config")
    if finder is None:
        return []
    asked = subprocess.run(
        [finder, "--cflags", "--libs", "libmodbus"], capture_output=True, text=True, check=False
    )
    return [*asked.stdout.split(), "-lpthread"] if asked.returncode == 0 else []


def _version_of_libmodbus() -> str:
    finder = shutil.which("pkg-config")
    if finder is None:
        return ""
    asked = subprocess.run(
        [finder, "--modversion", "libmodbus"], capture_output=True, text=True, check=False
    )
    return f" {asked.stdout.strip()}" if asked.returncode == 0 else ""


def measures(rounds: dict[str, list[Figures]], *, judged: bool) -> list[Measure]:
    """Put what the clients said side by side."""

    def said(client: str, figure: str) -> list[float]:
        return [one[figure] for one in rounds[client]]

    def cpu(
        name: str, ours: str, theirs: str, reference_name: str, target: float | None = None
    ) -> Measure:
        return compare(
            name,
            "us",
            said(ours, "cpu_us"),
            said(theirs, "cpu_us"),
            reference_name=reference_name,
            target=target if judged else None,
        )

    libmodbus = f"libmodbus{_version_of_libmodbus()}, {THREADS} threads"
    pymodbus = f"pymodbus {version('pymodbus')} async, as shipped"
    return [
        cpu("cpu_per_request", "asyncio", LIBMODBUS, libmodbus, 1.0),
        cpu("cpu_per_request_uvloop", "uvloop", LIBMODBUS, libmodbus, 0.75),
        cpu("cpu_per_request_vs_pymodbus", "asyncio", PYMODBUS, pymodbus, 0.25),
        cpu("cpu_per_request_vs_epoll", "asyncio", EPOLL, "bare epoll in C, one thread"),
        cpu("cpu_per_request_awaited", "awaited", LIBMODBUS, libmodbus),
        *(
            compare(
                name,
                unit,
                said("asyncio", figure),
                said(PYMODBUS, figure),
                reference_name=pymodbus,
            )
            for name, unit, figure in (
                ("connect_cpu", "us", "connect_us"),
                ("rss_per_connection", "KiB", "rss_kib"),
            )
        ),
    ]


def main() -> None:
    """Run the clients in turn, round after round."""
    parser = options(__doc__ or "", rounds=15)
    parser.add_argument("--connections", type=int, default=200)
    parser.add_argument("--requests", type=int, default=60, help="per connection and round")
    wanted = parser.parse_args()
    bench = Bench()
    rounds: dict[str, list[Figures]] = defaultdict(list)
    with bench.answering() as port:
        for number in range(1, wanted.rounds + 1):
            say(f"round {number} of {wanted.rounds}")
            for client in bench.clients:
                rounds[client].append(bench.run(client, port, wanted.connections, wanted.requests))
    found = measures(rounds, judged=bench.judges)
    publish("poll", found, notes=bench.notes, as_json=wanted.json)


if __name__ == "__main__":
    main()
