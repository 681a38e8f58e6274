"""A file of measured loads, line by line."""

import csv
import math
from collections.abc import Iterable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from loadmgmt.forecast.types import QUARTER, LoadFileRefused, NewLoad


def read_loads(lines: Iterable[str], zone: ZoneInfo, *, file: str = "") -> list[NewLoad]:
    """Read rows of `time` and `kw`; an empty load is unknown.

    Args:
        lines: of the file, its head first; lines that begin with # are left out.
        zone: of times without an offset.
        file: its name, for the error.

    Raises:
        LoadFileRefused: a column is missing, a field cannot be read, or a time begins no
            quarter hour.
    """
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    if not {"time", "kw"} <= set(rows.fieldnames or []):
        raise LoadFileRefused(file=file, line=1, why="columns time and kw are needed")
    found = []
    for row in rows:
        try:
            found.append(_row(row, zone))
        except (ValueError, AttributeError) as error:
            raise LoadFileRefused(file=file, line=rows.line_num, why=str(error)) from error
    return found


def _row(row: dict[str, str], zone: ZoneInfo) -> NewLoad:
    at = datetime.fromisoformat(row["time"].strip())
    at = (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    if at.timestamp() % QUARTER.total_seconds():
        raise ValueError(f"{row['time']} begins no quarter hour")
    said = row["kw"].strip()
    kw = float(said) if said else None
    if kw is not None and not math.isfinite(kw):
        raise ValueError(f"{said} is no load")
    return NewLoad(at, kw)
