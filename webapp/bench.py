"""`gridhall bench`: finds and runs the benchmarks of a checkout; they stand in scripts/bench."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "scripts" / "bench"


@click.command()
@click.argument("name", required=False)
@click.option("--list", "listing", is_flag=True, help="name the benchmarks")
@click.option("--json", "as_json", is_flag=True, help="print one JSON object")
@click.option("--rounds", type=click.IntRange(min=1), help="interleaved rounds")
def bench(*, name: str | None, listing: bool, as_json: bool, rounds: int | None) -> None:
    """Run the benchmark NAME beside its references (docs/benchmarks.md)."""
    known = benchmarks()
    if not known:
        raise click.ClickException(
            "Benchmarks run from a checkout of the source; this installation has none."
        )
    if listing or name is None:
        for one, about in known.items():
            click.echo(f"{one:16} {about}")
        return
    if name not in known:
        raise click.ClickException(f"There is no benchmark {name}; there are: {', '.join(known)}.")
    arguments = ["--json"] if as_json else []
    if rounds is not None:
        arguments += ["--rounds", str(rounds)]
    sys.exit(run(name, arguments))


def benchmarks() -> dict[str, str]:
    """Give every benchmark with the first line of its own description."""
    scripts = sorted(FOLDER.glob("[!_]*.py"))
    return {script.stem: _about(script) for script in scripts}


def run(name: str, arguments: list[str]) -> int:
    """Run a benchmark with this interpreter; give its exit code."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, str(FOLDER / f"{name}.py"), *arguments],
        env=os.environ | {"PYTHONPATH": path},
        check=False,
    ).returncode


def _about(script: Path) -> str:
    described = ast.get_docstring(ast.parse(script.read_text(encoding="utf-8")))
    return (described or "").partition("\n")[0]
