"""The house read as text: its files, its modules, and what they say."""

import ast
import importlib
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("foundation", "metering", "customers", "loadmgmt", "callcenter", "webapp")
MIDDLE = ROOMS[1:-1]


@cache
def files() -> list[Path]:
    """List every file of the repository that is or will be kept, by its path from the root."""
    said = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip
    found = {Path(name) for name in said.split("\0") if name}
    return sorted(one for one in found if (ROOT / one).is_file())


def in_rooms(suffix: str = ".py") -> list[Path]:
    """List the files of the rooms."""
    return [one for one in files() if one.parts[0] in ROOMS and one.suffix == suffix]


@cache
def text(path: Path) -> str:
    """Give a file's text; nothing for one that is no text."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


@cache
def tree(path: Path) -> ast.Module:
    """Give a module as it is parsed."""
    return ast.parse(text(path), str(path))


def name_of(path: Path) -> str:
    """Give the name a file is imported by."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def module(path: Path) -> ModuleType:
    """Import a file of a room."""
    return importlib.import_module(name_of(path))


def modules() -> Iterator[ModuleType]:
    """Import every module of every room, but for what runs when it is imported."""
    runs = {"webapp.__main__", "webapp.wsgi", "webapp.migrations.env"}
    for path in in_rooms():
        if name_of(path) not in runs and "versions" not in path.parts:
            yield module(path)


def names_called(node: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Give the last name of every call below a node."""
    for one in ast.walk(node):
        if isinstance(one, ast.Call):
            if isinstance(one.func, ast.Attribute):
                yield one.func.attr, one
            elif isinstance(one.func, ast.Name):
                yield one.func.id, one
