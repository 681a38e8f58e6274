"""Files: short, well named, without the traces of any machine."""

import ast
from pathlib import Path

import pytest

from tests.structure.source import files, in_rooms, text, tree

LONGEST, LONGEST_TEST, LONGEST_FUNCTION = 400, 600, 50
FORBIDDEN = {"utils", "helpers", "common", "misc", "manager", "base"}
SHEET = Path("webapp/static/css/base.css")  # what a page looks like before anything else
FLOOR_MOST = 4500
FLOOR = {
    "README.md", "__init__.py", "actor.py", "attachments.py", "audit.py", "clock.py",
    "datafiles.py", "db.py", "errors.py", "events.py", "flow/__init__.py", "flow/calendar.py",
    "flow/clocks.py", "flow/definition.py", "flow/engine.py", "flow/forms.py", "flow/hands.py",
    "flow/limits.py", "flow/models.py", "holidays.toml", "housekeeping.py", "jobs.py", "logs.py",
    "metrics.py", "numbering.py", "office.py", "outbox.py", "overrides.py", "postgres.py",
    "setting_words.py",
    "settings.py", "sheets.py", "staff/__init__.py", "staff/actions.py", "staff/models.py",
    "staff/queries.py", "staff/types.py", "units.py", "worktime.py",
}  # fmt: skip
MACHINES = tuple(f"/{name}/" for name in ("root", "home", "work", "Users"))
REGISTRIES = ("py" + "pi.org", "npm" + "js", "registry" + ".", "files.python" + "hosted")
PYTHON = [one for one in files() if one.suffix == ".py" and "versions" not in one.parts]


def test_a_file_is_short_enough_to_be_read_at_once() -> None:
    long = [
        f"{path}: {lines}"
        for path in PYTHON
        if (lines := text(path).count("\n"))
        > (LONGEST_TEST if path.parts[0] == "tests" else LONGEST)
    ]
    assert long == []


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a function's body, what is said about it left out."""
    first = function.body[0]
    lines = (function.end_lineno or 0) - first.lineno + 1
    if ast.get_docstring(function, clean=False) is not None:
        lines -= (first.end_lineno or 0) - first.lineno + 1
    return lines


def test_a_function_is_short_enough_to_be_seen_at_once() -> None:
    long = [
        f"{path}: {node.name}"
        for path in PYTHON
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if length(node) > LONGEST_FUNCTION
    ]
    assert long == []


def test_no_file_is_named_after_nothing() -> None:
    assert [one for one in files() if one.stem in FORBIDDEN and one != SHEET] == []


def test_no_folder_is_named_after_nothing() -> None:
    assert [one for one in files() if FORBIDDEN & set(one.parts[:-1])] == []


def test_the_floor_holds_what_is_listed_here_and_no_more() -> None:
    found = [one for one in files() if one.parts[0] == "foundation"]
    assert {str(one.relative_to("foundation")) for one in found} == FLOOR


def test_the_floor_stays_small() -> None:
    lines = sum(text(one).count("\n") for one in in_rooms() if one.parts[0] == "foundation")
    assert lines <= FLOOR_MOST


@pytest.mark.parametrize("trace", [*MACHINES, *REGISTRIES])
def test_nothing_says_where_it_was_written_or_fetched_from(trace: str) -> None:
    assert [str(one) for one in files() if trace in text(one)] == []


def test_every_module_says_what_it_is() -> None:
    silent = [str(one) for one in in_rooms() if not ast.get_docstring(tree(one))]
    assert silent == []
