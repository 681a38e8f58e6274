"""Doors: each gives exactly what it lists, sorted, little enough to know by heart."""

import ast
import inspect
from datetime import timedelta
from enum import Enum
from pathlib import Path

import pytest

from tests.structure.source import MIDDLE, ROOMS, in_rooms, module, text, tree

MOST = 20
DOORS = [
    one
    for one in in_rooms()
    if one.parts[1] == "api" and one.name != "__init__.py" and one.parts[0] in MIDDLE
]
TYPES = [one for one in DOORS if one.stem == "types"]


def given(path: Path) -> list[str]:
    return list(getattr(module(path), "__all__", ()))


def in_order(name: str) -> tuple[int, str]:
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def test_every_middle_room_has_a_door_for_its_types() -> None:
    assert {one.parts[0] for one in TYPES} == set(MIDDLE)


@pytest.mark.parametrize("path", DOORS, ids=str)
def test_a_door_gives_exactly_what_it_lists_in_order(path: Path) -> None:
    names = [name for name in vars(module(path)) if not name.startswith("__")]
    assert sorted(names, key=in_order) == given(path)


@pytest.mark.parametrize("path", DOORS, ids=str)
def test_a_door_holds_no_logic(path: Path) -> None:
    docstring, *rest = tree(path).body
    assert isinstance(docstring, ast.Expr)
    assert all(isinstance(one, ast.ImportFrom | ast.Assign) for one in rest)


@pytest.mark.parametrize("path", DOORS, ids=str)
def test_a_door_gives_few_enough_functions_to_know_them(path: Path) -> None:
    functions = [n for n in given(path) if inspect.isfunction(getattr(module(path), n))]
    assert len(functions) <= MOST
    assert path in TYPES or len(given(path)) <= MOST


def is_frozen(thing: object) -> bool:
    parameters = getattr(thing, "__dataclass_params__", None)
    return parameters is not None and parameters.frozen and not inspect.isclass(thing)


@pytest.mark.parametrize("path", TYPES, ids=str)
def test_the_door_of_types_gives_plain_values_alone(path: Path) -> None:
    for name in given(path):
        thing = getattr(module(path), name)
        simple = str | int | float | frozenset | tuple | timedelta
        plain = isinstance(thing, simple) or is_frozen(thing)
        is_type = inspect.isclass(thing) and (
            issubclass(thing, Enum | Exception | tuple) or hasattr(thing, "__dataclass_fields__")
        )
        assert plain or is_type, name


def test_a_room_commits_nowhere_but_on_the_floor() -> None:
    found = [str(one) for one in in_rooms() if ".commit(" in text(one)]
    assert found == ["foundation/db.py"]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_what_it_is(room: str) -> None:
    assert module(Path(room) / "__init__.py").__doc__
