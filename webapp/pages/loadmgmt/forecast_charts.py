"""The charts of the forecast page: a day, its errors, and how the models did over time."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from foundation.clock import day_span
from loadmgmt.api.types import QUARTER, DayError, PlanAndActual, Vintage
from webapp.charts import Chart, Line, Span, line_chart
from webapp.format import MISSING, Translate, kw, num, pct

MEGA = 1000.0
"""From here on a chart is in megawatts [kW]."""
OTHERS = ("c8", "c4", "c3")
"""Colours of the models beside the one that is shown."""
_Values = Sequence[float | None]


def load_chart(
    plan: PlanAndActual, model: str, *, zone: ZoneInfo, t: Translate, now: datetime | None
) -> Chart:
    """Draw what was measured, the forecast with its interval, other models, the day before.

    Args:
        plan: of one day.
        model: the forecast shown with its interval.
        zone: the office's.
        t: gives texts.
        now: drawn as a line.
    """
    shown = plan.plans.get(model)
    scale, unit = (MEGA, "MW") if _highest(plan) >= MEGA else (1.0, "kW")
    others = [one for name, one in plan.plans.items() if name != model]
    lines = [Line(t("forecast.actual"), _points(plan, plan.actual, scale), color="actual")]
    if shown is not None:
        lines += _forecast_lines(plan, shown, scale, t)
    lines += [
        Line(t(f"forecast.model.{one.model}"), _points(plan, one.kw, scale), "plain", color)
        for one, color in zip(others, OTHERS, strict=False)
    ]
    lines.append(Line(t("forecast.yesterday"), _points(plan, plan.yesterday, scale), "previous"))
    chart = line_chart(
        lines,
        unit=unit,
        decimals=2 if scale > 1 else 1,
        span=day_span(plan.day),
        zone=zone,
        t=t,
        now=now,
        from_zero=False,
        step=QUARTER,
    )
    chart = replace(chart, summary=_said(plan, shown, zone, t))
    if shown is None:
        return chart
    spec = dict(chart.spec) | _interval(chart.spec, shown, t)
    spec["peak"] = _peak(spec, plan, shown, t)
    head = (*chart.head, t("chart.series", name=t("forecast.error"), unit="%"))
    rows = tuple(
        (*row, MISSING if off is None else num(off, 1, sign=True))
        for row, off in zip(chart.rows, _off(plan, shown), strict=True)
    )
    return replace(chart, spec=spec, head=head, rows=rows)


def _highest(plan: PlanAndActual) -> float:
    values = [v for v in (*plan.actual, *plan.yesterday) if v is not None]
    values += [value for one in plan.plans.values() for value in one.kw]
    return max(values, default=0.0)


def _points(
    plan: PlanAndActual, values: _Values, scale: float
) -> list[tuple[datetime | str, float | None]]:
    """Label each quarter hour with its end, as the trade does."""
    return [
        (start + QUARTER, None if value is None else value / scale)
        for start, value in zip(plan.starts, values, strict=True)
    ]


def _forecast_lines(plan: PlanAndActual, one: Vintage, scale: float, t: Translate) -> list[Line]:
    level = pct(one.level, 0)
    return [
        Line(t("forecast.forecast"), _points(plan, one.kw, scale), "forecast"),
        Line(t("forecast.low", level=level), _points(plan, one.low_kw, scale), "plain"),
        Line(t("forecast.high", level=level), _points(plan, one.high_kw, scale), "plain"),
    ]


def _interval(spec: Mapping[str, Any], shown: Vintage, t: Translate) -> dict[str, Any]:
    """Move the two edges from the lines to a band of their own; the table keeps them."""
    actual, forecast, low, high, *rest = spec["series"]
    return {
        "series": [actual, forecast, *rest],
        "interval": {
            "name": t("forecast.interval", level=pct(shown.level, 0)),
            "low": low["points"],
            "high": high["points"],
        },
    }


def _peak(spec: Mapping[str, Any], plan: PlanAndActual, one: Vintage, t: Translate) -> Any:
    place = peak_of(one.kw)
    at, value = spec["series"][1]["points"][place]
    text = t("forecast.peak_mark", load=kw(one.kw[place] * 1000))
    return {"at": at, "value": value, "text": text, "left": place > len(plan.starts) * 0.8}


def peak_of(values: Sequence[float | None]) -> int:
    """Give the place of the highest value; 0 where there is none."""
    known = [(value, -place) for place, value in enumerate(values) if value is not None]
    return -max(known)[1] if known else 0


def reach_of(low_kw: float, high_kw: float) -> str:
    """Write an interval in one unit: 4.79–5.81 MW."""
    scale, unit, decimals = (MEGA, "MW", 2) if high_kw >= MEGA else (1.0, "kW", 1)
    low, high = (num(max(0.0, value) / scale, decimals) for value in (low_kw, high_kw))
    return f"{low}–{high} {unit}"


def _said(plan: PlanAndActual, shown: Vintage | None, zone: ZoneInfo, t: Translate) -> str:
    known = [value for value in plan.actual if value is not None]
    parts = []
    if shown is not None:
        place = peak_of(shown.kw)
        parts.append(
            t(
                "forecast.said.forecast",
                model=t(f"forecast.model.{shown.model}"),
                load=kw(shown.kw[place] * 1000),
                at=clock_of(plan.starts[place] + QUARTER, zone, plan.day),
                low=kw(shown.low_kw[place] * 1000),
                high=kw(shown.high_kw[place] * 1000),
                level=pct(shown.level, 0),
            )
        )
    if known:
        parts.append(t("forecast.said.actual", n=len(known), load=kw(max(known) * 1000)))
    return "".join(parts) or t("chart.line.empty")


def clock_of(at: datetime, zone: ZoneInfo, day: date) -> str:
    """Write the end of a quarter hour; that of the last is 24:00."""
    local = at.astimezone(zone)
    return f"{local:%H:%M}" if local.date() == day else "24:00"


def error_chart(
    plan: PlanAndActual, model: str, *, target: float, zone: ZoneInfo, t: Translate
) -> Chart | None:
    """Draw how far the actual load was from the forecast, as bars [%]; None without either."""
    shown = plan.plans.get(model)
    if shown is None or not any(value is not None for value in plan.actual):
        return None
    off = _off(plan, shown)
    chart = line_chart(
        [Line(t("forecast.error"), _points(plan, off, 1.0))],
        unit="%",
        span=day_span(plan.day),
        zone=zone,
        t=t,
        step=QUARTER,
    )
    known = [abs(value) for value in off if value is not None]
    reach = math.ceil(round(max([target * 100 * 4 / 3, *known]), 6))
    spec = dict(chart.spec) | {
        "bars": {"limit": target * 100},
        "y": {"zero": True, "min": -reach, "max": reach, "step": reach},
    }
    return replace(chart, spec=spec)


def _off(plan: PlanAndActual, one: Vintage) -> list[float | None]:
    """Give how far each actual load is above the forecast [%]."""
    return [
        None if actual is None or not forecast else (actual / forecast - 1) * 100
        for actual, forecast in zip(plan.actual, one.kw, strict=True)
    ]


def trend_chart(
    errors: Sequence[DayError],
    models: Sequence[str],
    *,
    days: Span,
    target: float,
    zone: ZoneInfo,
    t: Translate,
) -> Chart:
    """Draw the error of each model by day [%], the day's value at its noon."""
    lines = [
        Line(
            t(f"forecast.model.{model}"),
            [
                (_noon(one.day), None if one.errors.wape is None else one.errors.wape * 100)
                for one in errors
                if one.model == model
            ],
            "main" if place == 0 else "plain",
            "c1" if place == 0 else OTHERS[(place - 1) % len(OTHERS)],
        )
        for place, model in enumerate(models)
    ]
    chart = line_chart(
        lines,
        unit="%",
        decimals=2,
        span=days,
        zone=zone,
        t=t,
        limits=[(target * 100, t("forecast.target_line", target=pct(target, 0)))],
        step=timedelta(days=1),
    )
    return replace(chart, spec=dict(chart.spec) | {"dots": True})


def _noon(day: date) -> datetime:
    return day_span(day)[0] + timedelta(hours=12)
