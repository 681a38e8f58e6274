"""How transformer areas were read, as a heat map: rows of areas, columns of hours."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from foundation import clock
from metering.api.types import AreaHour, AreaPlace
from webapp.charts import Chart
from webapp.context import t
from webapp.format import MISSING, num, pct

CLASSES = ((0.995, "h3"), (0.99, "h2"), (0.98, "h1"), (0.95, "minor"), (0.0, "crit"))
"""Least share of a class, and its colour (ui.md: collection heat-map)."""
MOST_ROWS = 30
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Cell:
    """One hour of one area, in words and with where it leads.

    Attributes:
        share: read of expected; None if nothing was expected with power, or nothing is known.
        is_dark: no power the whole hour: left out of the rate.
    """

    hour: datetime
    share: float | None
    is_dark: bool
    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Row:
    """One area with its hours and its day."""

    area: AreaPlace
    share: float | None
    missing: int
    cells: tuple[Cell, ...]


def rows_of(
    hours: Sequence[AreaHour],
    areas: Mapping[int, AreaPlace],
    *,
    start: datetime,
    end: datetime,
    day: str,
) -> list[Row]:
    """Make rows of areas, the worst first, then those without power.

    An hour nothing is known of is an empty cell.

    Args:
        hours: as metering counted them.
        areas: their places.
        start: first hour.
        end: of the last.
        day: ISO date, for links.
    """
    by_area: dict[int, dict[datetime, AreaHour]] = defaultdict(dict)
    for one in hours:
        by_area[one.area_id][one.hour] = one
    steps = [start + HOUR * n for n in range(int((end - start) / HOUR))]
    rows = []
    for area_id, known in by_area.items():
        if area_id not in areas:
            continue
        expected = sum(one.expected for one in known.values())
        missing = sum(one.missing for one in known.values())
        cells = tuple(_cell(areas[area_id], at, known.get(at), day) for at in steps)
        share = (expected - missing) / expected if expected else None
        rows.append(Row(areas[area_id], share, missing, cells))
    return sorted(rows, key=_rank)


def _rank(row: Row) -> tuple[bool, bool, float, str]:
    """Put areas that are read badly first, then those without power, then the rest."""
    share = 1.0 if row.share is None else row.share
    is_dark = any(cell.is_dark for cell in row.cells)
    return share >= CLASSES[0][0], not is_dark, share, row.area.area_no


def heat_chart(rows: Sequence[Row], *, summary: str) -> Chart:
    """Draw the map; the same figures are a table."""
    shown = list(reversed(rows))  # a chart's rows begin at the bottom
    columns = [f"{n}" for n in range(len(rows[0].cells))] if rows else []
    cells, dark = [], []
    for y, row in enumerate(shown):
        for x, cell in enumerate(row.cells):
            said = {"at": [x, y], "text": cell.text, "href": cell.href}
            if cell.is_dark:
                dark.append(said)
            elif cell.share is not None:
                cells.append(said | {"share": round(100 * cell.share, 2)})
    names = ("≥ 99.5%", "99–99.5%", "98–99%", "95–98%", "< 95%")
    spec = {
        "kind": "heat",
        "columns": columns,
        "rows": [row.area.area_name for row in shown],
        "cells": cells,
        "dark": dark,
        "darkName": t("collection.dark"),
        "classes": [
            {"least": 100 * least, "color": color, "name": name}
            for (least, color), name in zip(CLASSES, names, strict=True)
        ],
    }
    return Chart(spec, (), (), summary)


def _cell(area: AreaPlace, at: datetime, known: AreaHour | None, day: str) -> Cell:
    local = at.astimezone(clock.office_zone())
    href = f"/collection/missing?day={day}&hour={local.hour}&area={area.area_no}"
    where = f"{area.area_name} {local:%H:00}"
    if known is None:
        return Cell(at, None, is_dark=False, text=MISSING, href=href)
    if known.share is None:
        return Cell(at, None, True, t("collection.cell_dark", where=where), href)
    key = "collection.cell_partly" if known.dark else "collection.cell"
    text = t(
        key,
        where=where,
        share=pct(known.share, 2),
        missing=num(known.missing),
        expected=num(known.expected),
    )
    return Cell(at, known.share, is_dark=False, text=text, href=href)
