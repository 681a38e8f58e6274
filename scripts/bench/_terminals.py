"""Slow terminals in C for the benchmarks of links: built once, run for the length of a block."""

import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from _report import BUILD

SOURCE = Path(__file__).parent / "links" / "terminals.c"


class NoCompiler(Exception):
    """There is no gcc, and no benchmark without terminals."""


def built() -> Path:
    """Build the terminals unless they are built."""
    compiler = shutil.which("gcc")
    if compiler is None:
        raise NoCompiler
    BUILD.mkdir(parents=True, exist_ok=True)
    program = BUILD / "terminals"
    if not program.exists() or program.stat().st_mtime < SOURCE.stat().st_mtime:
        subprocess.run([compiler, "-O2", "-o", program, SOURCE], check=True)
    return program


@contextmanager
def terminals(least_ms: float, most_ms: float, mute: int = 0) -> Iterator[int]:
    """Run terminals on the last core; give their port.

    Args:
        least_ms: the fastest unit's reply time [ms].
        most_ms: the slowest unit's [ms].
        mute: the unit that never answers; 0 is none.
    """
    cores = sorted(os.sched_getaffinity(0))

    def settle() -> None:
        os.sched_setaffinity(0, {cores[-1]})
        with suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, 0, -10)

    command = [str(built()), str(least_ms), str(most_ms), str(mute)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=settle,  # noqa: PLW1509 - no other thread runs here
    ) as process:
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


def raise_limits() -> None:
    """Allow as many sockets as the system does, and go ahead of other work where we may."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, soft))
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, -10)
