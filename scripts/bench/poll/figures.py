"""What every Python client reports: CPU time and memory of its own process."""

import asyncio
import gc
import json
import os
import resource
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

WRONG = "a register does not hold its own number"


def cpu_s() -> float:
    """Give the CPU time of this process so far [s]."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def rss_kib() -> float:
    """Give the memory this process holds [KiB]."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1024


class Figures:
    """Measures connecting and asking apart."""

    def __init__(self, connections: int, requests: int) -> None:
        self._connections, self._requests = connections, requests
        self._first_requests = False
        self._connect_s = self._ask_s = self._rss_kib = 0.0

    @contextmanager
    def connecting(self, *, first_requests: bool = False) -> Iterator[None]:
        """Measure connecting; say if one request per connection is part of it."""
        gc.collect()
        self._first_requests = first_requests
        rss, start = rss_kib(), cpu_s()
        yield
        self._connect_s, self._rss_kib = cpu_s() - start, rss_kib() - rss

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Measure all requests."""
        start = cpu_s()
        yield
        self._ask_s = cpu_s() - start

    def report(self) -> None:
        """Print the figures."""
        per_request = self._ask_s / (self._connections * self._requests)
        per_connect = self._connect_s / self._connections
        if self._first_requests:
            per_connect -= per_request
        print(
            json.dumps(
                {
                    "cpu_us": per_request * 1e6,
                    "connect_us": per_connect * 1e6,
                    "rss_kib": self._rss_kib / self._connections,
                }
            )
        )


Ask = Callable[[int, int, int, int], Awaitable[Figures]]


def run_client(ask: Ask, loop_factory: Callable[[], asyncio.AbstractEventLoop] | None) -> None:
    """Run a client with the last four arguments: port, connections, requests, registers."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, soft))
    numbers = [int(word) for word in sys.argv[-4:]]
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(ask(*numbers)).report()


if __name__ == "__main__":
    raise SystemExit("started by scripts/bench/poll.py")
