"""Lists of devices: which columns they have, and what a row of one says by itself."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any

from foundation.datafiles import build, load_toml
from foundation.sheets import FORMULA, Line
from metering.devices.manners import MOST_DEPTH, is_device, usual
from metering.devices.rules import DAY_S
from metering.devices.types import (
    DeviceRow,
    Framing,
    ImportUnreadable,
    Manner,
    MannerWrong,
    RowProblem,
)
from metering.network.types import Supply

TERMINAL = ("terminal_no", "profile", "host", "port", "unit")
"""Columns of the terminal: all of them or none."""
NEEDED = ("area_no", "point_no", "box_no", "supply", "meter_no")
_NUMBER = re.compile(r"[^\s\x00-\x1f\x7f]{1,40}")
_HOST = re.compile(r"(?=.{1,253}$)[0-9A-Za-z](?:[0-9A-Za-z.:-]*[0-9A-Za-z])?")
LOWEST, HIGHEST = {"ct": 1, "pt": 1, "port": 1, "unit": 0, "depth": 1, "interval_s": 1}, {
    "ct": 20_000, "pt": 20_000, "port": 65_535, "unit": 247, "depth": MOST_DEPTH,
    "interval_s": DAY_S,
}  # fmt: skip
OF_MANNER = ("framing", "depth", "serial_line")


@dataclass(frozen=True, slots=True)
class Listing:
    """What listing.toml says."""

    source: str
    rows: int
    columns: dict[str, tuple[str, ...]]
    framings: dict[str, tuple[str, ...]]
    supplies: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row as it was read: what it says, the row it makes, and what is wrong with it."""

    line: int
    said: dict[str, str]
    row: DeviceRow | None
    problems: tuple[RowProblem, ...]


@cache
def load_listing() -> Listing:
    """Read listing.toml.

    Raises:
        DataFileRefused: it says something unknown or leaves something out.
    """
    file = resources.files("metering.devices") / "listing.toml"
    return build(Listing, load_toml(file), where="listing.toml")


def said_rows(lines: Sequence[Line], listing: Listing) -> list[dict[str, str]]:
    """Give every row under its columns' own names, with its line in the file.

    Raises:
        ImportUnreadable: there is no row under the head, or a column is missing or double.
    """
    if len(lines) < 2:  # noqa: PLR2004 - a head and a row
        raise ImportUnreadable(why="no_rows", what="")
    names = {other: name for name, others in listing.columns.items() for other in (name, *others)}
    heads = [names.get(_plain(cell)) for cell in lines[0].cells]
    missing = [name for name in NEEDED if name not in heads]
    double = sorted({name for name in heads if name and heads.count(name) > 1})
    if missing or double:
        why = "columns" if missing else "double"
        raise ImportUnreadable(why=why, what=", ".join(missing or double))
    rows = []
    for line in lines[1:]:
        said = {name: cell for name, cell in zip(heads, line.cells, strict=False) if name}
        rows.append({name: cell[:200] for name, cell in said.items() if cell}
                    | {"line": str(line.number)})  # fmt: skip
    return rows


def read_row(said: Mapping[str, str], listing: Listing) -> ReadRow:
    """Read one row, and say all that is wrong with it by itself."""
    problems: list[RowProblem] = []
    line = int(said["line"])
    plain = {name: said.get(name, "") for name in listing.columns}
    for name, cell in plain.items():
        if cell.startswith(FORMULA):
            problems.append(RowProblem(name, "formula", {"said": cell.removeprefix(FORMULA)}))
    shown = {name: cell.removeprefix(FORMULA) for name, cell in plain.items()}
    has_terminal = any(plain[name] for name in (*TERMINAL, *OF_MANNER))
    needed = [*NEEDED, *(TERMINAL if has_terminal else ())]
    if is_device(plain["host"]):
        needed.remove("port")
    formulas = {one.column for one in problems}
    problems += [RowProblem(name, "empty", {}) for name in needed if not plain[name]]
    values: dict[str, object] = {}
    for name, cell in plain.items():
        if cell and name not in formulas:
            value, problem = _READERS[name](name, cell, listing)
            values[name] = value
            problems += [problem] if problem else []
    manner, wrong = None, None
    if not problems:
        manner, wrong = _manner(values)
    if problems or wrong:
        return ReadRow(line, shown, None, (*problems, *([wrong] if wrong else [])))
    empty = {"terminal_no": "", "profile": "", "host": "", "port": 0, "unit": 0,
             "interval_s": None, "ct": 1, "pt": 1}  # fmt: skip
    own = {name: value for name, value in values.items() if name not in OF_MANNER}
    row = DeviceRow(line=line, manner=manner, **(empty | own))  # type: ignore[arg-type]
    return ReadRow(line, shown, row, ())


def against_each_other(rows: Sequence[ReadRow]) -> list[ReadRow]:
    """Find rows that say the same of two things: one meter, point, terminal or address twice."""
    kept: list[ReadRow] = []
    seen: dict[tuple[str, object], int] = {}
    manners: dict[tuple[str, int], tuple[Manner, int]] = {}
    for one in rows:
        if one.row is not None and one.row.manner is not None:
            manners.setdefault((one.row.host, one.row.port), (one.row.manner, one.row.line))
    for one in rows:
        if one.row is None:
            kept.append(one)
            continue
        row, problems = one.row, []
        manner, of_line = manners.get((row.host, row.port), (None, 0))
        if row.manner is None:
            row = replace(row, manner=manner, inherits=manner is not None)
        elif manner is not None and row.manner != manner:
            told = {"said": str(manner), "line": str(of_line)}
            problems.append(RowProblem("framing", "manner_twice", told))
        keys: list[tuple[str, object, str]] = [
            ("meter_no", row.meter_no, row.meter_no),
            ("point_no", row.point_no, row.point_no),
        ]
        if row.terminal_no:
            address = (row.host, row.port, row.unit)
            keys += [
                ("terminal_no", row.terminal_no, row.terminal_no),
                ("unit", address, f"{row.host}:{row.port} · {row.unit}"),
            ]
        for column, key, shown in keys:
            before = seen.setdefault((column, key), row.line)
            if before != row.line:
                code = "address_twice" if column == "unit" else "twice"
                problems.append(RowProblem(column, code, {"said": shown, "line": str(before)}))
        kept.append(replace(one, row=None if problems else row, problems=tuple(problems)))
    return kept


def _plain(cell: str) -> str:
    return re.sub(r"[\s*_]+", lambda m: "_" if "_" in m.group() else " ", cell).strip().lower()


Reader = Callable[[str, str, Listing], tuple[object, RowProblem | None]]


def _number(name: str, cell: str, _: Listing) -> tuple[object, RowProblem | None]:
    fits = _NUMBER.fullmatch(cell)
    return cell, None if fits else RowProblem(name, "number_form", {"said": cell})


def _host(name: str, cell: str, _: Listing) -> tuple[object, RowProblem | None]:
    fits = _HOST.fullmatch(cell) or is_device(cell)
    return cell, None if fits else RowProblem(name, "host", {"said": cell})


def _manner(values: Mapping[str, Any]) -> tuple[Manner | None, RowProblem | None]:
    """Give how a row wants its connection talked to; None if it does not say."""
    host = values.get("host", "")
    if is_device(host) and "port" in values:  # else one line would be two connections
        return None, RowProblem("port", "port_of_serial", {"said": str(values["port"])})
    if not any(name in values for name in OF_MANNER) and not is_device(host):
        return None, None
    framing = values.get("framing", Framing.SERIAL if is_device(host) else Framing.MBAP)
    try:
        said = Manner(framing, values.get("depth", 1), values.get("serial_line", ""))
        return usual(host, said), None
    except MannerWrong as wrong:
        why = str(wrong.facts["why"])
        column = {"device": "host", "line": "serial_line"}.get(why, why)
        return None, RowProblem(column, f"manner_{why}", {"said": str(wrong.facts["said"])})


def _whole(name: str, cell: str, _: Listing) -> tuple[object, RowProblem | None]:
    low, high = LOWEST[name], HIGHEST[name]
    value = int(cell) if re.fullmatch(r"[0-9]{1,9}", cell) else None
    if value is None or not low <= value <= high:
        return 0, RowProblem(name, "range", {"said": cell, "low": str(low), "high": str(high)})
    if name == "interval_s" and DAY_S % value:
        return 0, RowProblem(name, "interval", {"said": cell})
    return value, None


def _framing(name: str, cell: str, listing: Listing) -> tuple[object, RowProblem | None]:
    for word in Framing:
        if cell.lower() in {word.value, *listing.framings.get(word.value, ())}:
            return word, None
    return None, RowProblem(name, "framing", {"said": cell})


def _line(_name: str, cell: str, _: Listing) -> tuple[object, RowProblem | None]:
    return cell, None  # judged with the rest of its connection


def _supply(name: str, cell: str, listing: Listing) -> tuple[object, RowProblem | None]:
    wanted = cell.replace(" ", "").lower()
    for word in Supply:
        others = (one.replace(" ", "") for one in listing.supplies.get(word.value, ()))
        if wanted in {word.value, *others}:
            return word, None
    return None, RowProblem(name, "supply", {"said": cell})


_READERS: dict[str, Reader] = {
    **dict.fromkeys(("area_no", "point_no", "box_no", "meter_no", "terminal_no", "profile"),
                    _number),
    **dict.fromkeys(("ct", "pt", "port", "unit", "depth", "interval_s"), _whole),
    "host": _host,
    "framing": _framing,
    "serial_line": _line,
    "supply": _supply,
}  # fmt: skip
