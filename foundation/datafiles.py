"""A room's .toml becomes a checked frozen dataclass; unknown keys and no source are refused."""

import dataclasses
import tomllib
import types
import typing
from collections.abc import Mapping
from decimal import Decimal
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

from foundation.errors import BadData

T = TypeVar("T")


class DataFileRefused(BadData):
    """A data file says something its reader does not know, or leaves out what it needs."""

    code = "data_file_refused"


def load_toml(path: Path | Traversable) -> dict[str, Any]:
    """Read one TOML file, numbers with a point as Decimal.

    Raises:
        DataFileRefused: it is no valid TOML, or names no source.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise DataFileRefused(file=path.name, why=str(error)) from error
    if not str(content.get("source", "")).strip():
        raise DataFileRefused(file=path.name, why="names no source")
    return content


def build(cls: type[T], content: Mapping[str, Any], *, where: str) -> T:
    """Make a dataclass of a table, recursively.

    Args:
        cls: a dataclass whose fields are plain values, enums, dataclasses,
            tuples of those, or dictionaries with string keys.
        content: the table as read.
        where: file and table, for the error.

    Raises:
        DataFileRefused: unknown key, missing key, or a value of another type.
    """
    hints = typing.get_type_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    unknown = sorted(set(content) - set(fields))
    if unknown:
        raise DataFileRefused(file=where, why=f"unknown key {unknown[0]!r}")
    values: dict[str, Any] = {}
    for name, field in fields.items():
        if name in content:
            values[name] = _value(hints[name], content[name], where=f"{where}: {name}")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise DataFileRefused(file=where, why=f"key {name!r} is missing")
    try:
        return cls(**values)
    except (ValueError, TypeError) as error:
        raise DataFileRefused(file=where, why=str(error)) from error


def _value(hint: Any, raw: Any, *, where: str) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in {typing.Union, types.UnionType}:
        inner = [arg for arg in args if arg is not type(None)]
        return _value(inner[0], raw, where=where) if len(inner) == 1 else raw
    if origin is tuple:
        return _items(args[0], raw, where=where)
    if origin is dict:
        return _table(args[1], raw, where=where)
    if origin is typing.Literal:
        if raw not in args:
            raise DataFileRefused(file=where, why=f"{raw!r} is none of {list(args)}")
        return raw
    if hint is typing.Any:
        return raw
    return _plain(hint, raw, where=where)


def _items(hint: Any, raw: Any, *, where: str) -> tuple[Any, ...]:
    if not isinstance(raw, list):
        raise DataFileRefused(file=where, why="a list is expected")
    return tuple(_value(hint, item, where=where) for item in raw)


def _table(hint: Any, raw: Any, *, where: str) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise DataFileRefused(file=where, why="a table is expected")
    return {key: _value(hint, item, where=f"{where}.{key}") for key, item in raw.items()}


def _plain(hint: Any, raw: Any, *, where: str) -> Any:
    if dataclasses.is_dataclass(hint):
        if not isinstance(raw, Mapping):
            raise DataFileRefused(file=where, why="a table is expected")
        return build(typing.cast("type[Any]", hint), raw, where=where)
    if hint is Decimal and isinstance(raw, int) and not isinstance(raw, bool):
        return Decimal(raw)
    if (
        isinstance(hint, type)
        and isinstance(raw, hint)
        and not (isinstance(raw, bool) and hint is not bool)
    ):
        return raw
    try:
        if isinstance(hint, type) and issubclass(hint, str) and hint is not str:
            return hint(raw)
    except ValueError as error:
        raise DataFileRefused(file=where, why=str(error)) from error
    raise DataFileRefused(file=where, why=f"{raw!r} is no {getattr(hint, '__name__', hint)}")
