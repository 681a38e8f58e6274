"""What every benchmark says: measures of us beside a reference, as JSON or as a table."""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build" / "bench"
LOAD_BEFORE = os.getloadavg()[0]


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure, with what it is held against.

    Attributes:
        reference: None where there is none, or where it could not be run here.
        reference_name: None where there is none at all.
        target: most `ratio` may be; of a measure that knows no reference, most `ours` may be.
    """

    name: str
    unit: str
    ours: float | None
    reference: float | None = None
    reference_name: str | None = None
    ratio: float | None = None
    target: float | None = None

    @property
    def holds(self) -> bool | None:
        """Whether the target is kept; None without one, or where nothing could be compared."""
        judged = self.ours if self.reference_name is None else self.ratio
        return None if self.target is None or judged is None else judged <= self.target

    def as_dict(self) -> dict[str, object]:
        """Give it as it stands in the JSON."""
        return {
            "name": self.name,
            "ours": _short(self.ours),
            "reference": _short(self.reference),
            "reference_name": self.reference_name,
            "ratio": _short(self.ratio),
            "unit": self.unit,
            "target": self.target,
            "holds": self.holds,
        }


def compare(
    name: str,
    unit: str,
    ours: Sequence[float],
    reference: Sequence[float],
    *,
    reference_name: str,
    target: float | None = None,
) -> Measure:
    """Make a measure of interleaved rounds: medians, and the median of each round's own ratio.

    Args:
        name: of the measure.
        unit: of its figures.
        ours: one figure a round; empty where we could not be run so.
        reference: one figure a round, same order; empty where it could not be run.
        reference_name: what it is, with its version.
        target: most the ratio may be.
    """
    ratios = [mine / theirs for mine, theirs in zip(ours, reference, strict=False)]
    return Measure(
        name,
        unit,
        statistics.median(ours) if ours else None,
        statistics.median(reference) if reference else None,
        reference_name,
        statistics.median(ratios) if ratios else None,
        target,
    )


def options(doc: str, *, rounds: int) -> argparse.ArgumentParser:
    """Give a parser with what every benchmark takes: --json and --rounds."""
    parser = argparse.ArgumentParser(description=doc.split("\n", 1)[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=rounds, help="interleaved rounds")
    return parser


def say(text: str) -> None:
    """Tell a waiting person how far it is; never part of the result."""
    print(text, file=sys.stderr, flush=True)


def publish(
    bench: str, measures: Sequence[Measure], *, notes: Sequence[str], as_json: bool
) -> None:
    """Print the result."""
    if as_json:
        result = {
            "bench": bench,
            "commit": commit(),
            "machine": machine(),
            "measures": [one.as_dict() for one in measures],
            "notes": list(notes),
        }
        print(json.dumps(result, ensure_ascii=False, indent=1))
        return
    facts = ", ".join(f"{name} {value}" for name, value in machine().items())
    print(f"{bench} at {commit() or 'an unknown commit'}\n{facts}\n")
    _print_table([_HEAD, *(_row(one) for one in measures)])
    for note in notes:
        print(f"\n{note}")


def commit() -> str | None:
    """Name the commit that is checked out, "-dirty" added where files differ from it."""
    git = shutil.which("git")
    if git is None:
        return None
    asked = subprocess.run(
        [git, "--no-optional-locks", "describe", "--always", "--dirty", "--exclude=*"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout.strip() or None


def machine() -> dict[str, object]:
    """Describe the machine, and how busy it was before we began."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(memory / 1e9, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load_before": round(LOAD_BEFORE, 2),
    }


_HEAD = ("measure", "ours", "reference", "", "ratio", "unit", "target", "holds")


def _row(one: Measure) -> tuple[str, ...]:
    of = "ours" if one.reference_name is None else "ratio"
    return (
        one.name,
        _text(one.ours),
        _text(one.reference),
        one.reference_name or "",
        _text(one.ratio),
        one.unit,
        "" if one.target is None else f"{of} <= {_text(one.target)}",
        {True: "yes", False: "NO", None: ""}[one.holds],
    )


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


def _short(value: float | None) -> float | None:
    """Round to what a benchmark can know: four digits, and three places."""
    return None if value is None else round(float(f"{value:.4g}"), 3)


def _text(value: float | None) -> str:
    short = _short(value)
    return "" if short is None else f"{short:g}"
