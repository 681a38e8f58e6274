"""How soon an alert stands, on a real office in small; and what judging costs a reading.

An embedded PostgreSQL in a temporary folder, the real simulator, poller and worker. See
docs/benchmarks.md.
"""

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from _report import Measure, compare, options, publish, say

HERE = Path(__file__).parent / "alert-latency"
NAIVE = "naive: scalar rules + ORM per reading"


@contextmanager
def database_in(folder: Path) -> Iterator[None]:
    """Run a server of our own for the length of a block; its settings go to child processes."""
    os.environ.pop("DATABASE_URL", None)
    ports = {f"GRIDHALL_{name}_METRICS_PORT": "0" for name in ("WORKER", "POLLER", "SIMULATOR")}
    os.environ.update(
        ports,
        GRIDHALL_DATA_DIR=str(folder),
        GRIDHALL_SIMULATOR_PORT=str(_free_port()),
        GRIDHALL_LOG_LEVEL="WARNING",
    )
    from foundation.postgres import EmbeddedServer
    from foundation.settings import settings
    from webapp import database

    server = EmbeddedServer(folder)
    say("a database of its own")
    server.start()
    try:
        database.prepare_embedded(settings())
        database.upgrade(settings())
        yield
    finally:
        server.stop()
        shutil.rmtree(server.home.parent, ignore_errors=True)


def told(script: str, *arguments: object) -> dict[str, Any]:
    """Run one part in a process of its own; give what it printed."""
    done = subprocess.run(
        [sys.executable, str(HERE / script), *map(str, arguments)],
        stdout=subprocess.PIPE,
        check=True,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def latencies(sags: Sequence[dict[str, float]]) -> list[Measure]:
    """Make measures of the time line of every sag."""

    def spans(start: str | None, end: str) -> list[float]:
        return [1000 * (one[end] - (one[start] if start else 0.0)) for one in sags]

    def both(name: str, values: list[float], target: float | None = None) -> list[Measure]:
        p95 = statistics.quantiles(values, n=20, method="inclusive")[-1]
        return [
            Measure(f"{name}_ms", "ms", statistics.median(values), target=target),
            Measure(f"{name}_p95_ms", "ms", p95, target=target),
        ]

    return [
        *both("reading_to_alert", spans("stored", "signalled"), target=1000.0),
        *both("register_to_stored", spans("poll_due", "stored")),
        *both("register_to_signal", spans("poll_due", "signalled")),
        *both("register_to_signal_with_poll_wait", spans(None, "signalled")),
    ]


def costs(judged: dict[str, Any]) -> list[Measure]:
    """Make measures of the rounds of judging."""

    def per_reading(way: str, *parts: str) -> list[float]:
        return [
            1e6 * sum(one[way][part] for part in parts) / judged["meters"]
            for one in judged["rounds"]
        ]

    return [
        compare(
            name,
            "us",
            per_reading("ours", *parts),
            per_reading("naive", *parts),
            reference_name=NAIVE,
            target=target,
        )
        for name, parts, target in (
            ("judge_cpu_per_reading", ("client_s",), 0.2),
            ("judge_cpu_per_reading_with_database", ("client_s", "backend_s"), None),
        )
    ]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main() -> None:
    """Run both parts on one database."""
    parser = options(__doc__ or "", rounds=7)
    parser.add_argument("--sags", type=int, default=20, help="alerts timed")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gridhall-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the server runs as another user where we are root
        with database_in(folder):
            say(f"{wanted.sags} sags, one after another")
            timed = told("latency.py", wanted.sags)
            say(f"{wanted.rounds} rounds of judging")
            judged = told("judging.py", wanted.rounds)
    note = (
        f"{timed['meters']} meters asked every {timed['interval_s']} s,"
        f" {len(timed['sags'])} sags; {judged['meters']} readings judged a round,"
        f" {judged['rounds'][0]['findings']} findings among them."
    )
    measures = [*latencies(timed["sags"]), *costs(judged)]
    publish("alert-latency", measures, notes=[note], as_json=wanted.json)


if __name__ == "__main__":
    main()
