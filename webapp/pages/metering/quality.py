"""What is known against the points of a curve, as shaded spans and as words in its table."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from foundation import clock
from metering.api.types import CurvePoint, Quality
from webapp.charts import Chart, Json, wall_ms
from webapp.context import t

QUARTER = timedelta(minutes=15)
KINDS: tuple[tuple[str, Quality], ...] = (
    ("estimated", Quality.ESTIMATED),
    ("filled", Quality.BACKFILLED),
    ("doubtful", Quality.SUSPECT | Quality.RESET | Quality.PARTIAL | Quality.CLOCK_BAD),
    ("late", Quality.LATE),
)
"""Kinds of points that look different, the gravest first; a point is of the first that fits."""


def kind_of(quality: Quality) -> str:
    """Name what a point looks like; empty for a good one, or one read by hand."""
    return next((name for name, bits in KINDS if quality & bits), "")


def with_quality(
    chart: Chart, points: Sequence[CurvePoint], *, interval_s: int, supplied_until: datetime
) -> Chart:
    """Shade what is doubtful, late, backfilled, estimated or missing, and say so in the table.

    Args:
        chart: a day of 96 points, drawn as usual.
        points: the same points.
        interval_s: how often the meter is to be read [s]; a quarter hour in which no interval
            begins is not missing.
        supplied_until: nothing later is missing yet.
    """
    known = [one for one in points if one.start + QUARTER <= supplied_until]
    kinds = {one.start: _kind(one, interval_s) for one in known}
    zones = [
        *_listed(chart.spec),
        *(
            {
                "tone": kind,
                "from": wall_ms(first, clock.office_zone()),
                "to": wall_ms(last + QUARTER, clock.office_zone()),
                "text": t(f"quality.{kind}"),
            }
            for kind, first, last in _runs(kinds)
        ),
    ]
    words = {
        f"{(at + QUARTER).astimezone(clock.office_zone()):%H:%M}": t(f"quality.{kind}")
        for at, kind in kinds.items()
        if kind
    }
    rows = tuple((*row, words.get(row[0], "")) for row in chart.rows)
    return replace(
        chart,
        spec={**chart.spec, "zones": zones},
        head=(*chart.head, t("quality.head")),
        rows=rows,
    )


def _kind(one: CurvePoint, interval_s: int) -> str:
    values = (one.u_a, one.u_b, one.u_c, one.i_a, one.p)
    if all(value is None for value in values):
        begins = interval_s <= QUARTER.seconds or int(one.start.timestamp()) % interval_s == 0
        return "missing" if begins and interval_s else ""
    return kind_of(Quality(one.quality))


def _runs(kinds: dict[datetime, str]) -> list[tuple[str, datetime, datetime]]:
    runs: list[tuple[str, datetime, datetime]] = []
    for at, kind in sorted(kinds.items()):
        if not kind:
            continue
        if runs and runs[-1][0] == kind and runs[-1][2] + QUARTER == at:
            runs[-1] = (kind, runs[-1][1], at)
        else:
            runs.append((kind, at, at))
    return runs


def _listed(spec: Json) -> list[object]:
    zones = spec.get("zones", [])
    return list(zones) if isinstance(zones, list) else []
