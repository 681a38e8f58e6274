"""Series become chart JSON, a table of the same figures and one sentence; all pure.

A browser script draws the JSON, everybody else reads the table. Times are sent as the office's
wall clock in milliseconds, so that a chart shows the same hours on every computer.
"""

import math
from calendar import timegm
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from webapp.format import MISSING, Plain, Translate, dur, exact, num, volt

Point: TypeAlias = tuple[datetime | str, Plain | None]
Span: TypeAlias = tuple[datetime, datetime]
Reading: TypeAlias = tuple[datetime, float | None]
Role = Literal["main", "plain", "previous", "forecast"]
Json: TypeAlias = Mapping[str, object]

DEAD_SHARE = 0.1  # below a tenth of nominal there is no voltage, only induction and noise
AXIS_BEYOND = 10 / 220  # the axis shows at least 10 V beyond the limits of a 220 V supply
GAP_STEPS = 1.5  # two readings further apart than this many steps have something missing between
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Band:
    """Permitted voltage [V], with the deviation in words ("+7%")."""

    low: float
    high: float
    low_text: str
    high_text: str


@dataclass(frozen=True, slots=True)
class Line:
    """One series of a line chart; colour is a token such as "c1"."""

    name: str
    points: Sequence[Point]
    role: Role = "main"
    color: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """What a page needs: JSON to draw, the same figures as a table, one sentence about them."""

    spec: Json
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    summary: str


def wall_ms(at: datetime, zone: ZoneInfo) -> int:
    """Give an instant as charts take it: the office's wall clock as if at Greenwich [ms]."""
    return timegm(at.astimezone(zone).timetuple()) * 1000


class _Time:
    """The time axis: which span, in whose clock."""

    def __init__(self, span: Span, zone: ZoneInfo) -> None:
        self.span, self.zone = span, zone
        self.length = span[1] - span[0]

    def wall(self, at: datetime) -> int:
        return wall_ms(at, self.zone)

    def label(self, at: datetime) -> str:
        return format(at.astimezone(self.zone), "%H:%M" if self.length <= DAY else "%m-%d %H:%M")

    def shaded(self, tone: str, span: Span, text: str = "") -> Json:
        return {"tone": tone, "from": self.wall(span[0]), "to": self.wall(span[1]), "text": text}

    def now(self, now: datetime | None) -> Json | None:
        if now is None or not self.span[0] <= now <= self.span[1]:
            return None
        return {"at": self.wall(now), "text": f"{now.astimezone(self.zone):%H:%M}"}

    def axis(self) -> Json:
        hours = 3 if self.length <= DAY else 6 if self.length <= 2 * DAY else 24
        return {
            "min": self.wall(self.span[0]),
            "max": self.wall(self.span[1]),
            "step": hours * 3_600_000,
            "label": "day" if self.length > 2 * DAY else "time",
        }


def voltage_chart(
    phases: Mapping[str, Sequence[Point]],
    *,
    band: Band,
    nominal: float,
    span: Span,
    zone: ZoneInfo,
    t: Translate,
    now: datetime | None = None,
    outages: Sequence[Span] = (),
    step: timedelta | None = None,
) -> Chart:
    """Draw the voltage of one meter in its permitted band.

    Args:
        phases: phase letter to (time, volts [V] or None); times aware or ISO with offset.
        band: permitted voltage.
        nominal: nominal voltage [V]; from 1,000 V on the chart is in kV.
        span: what the time axis shows, in UTC.
        zone: the office's time zone.
        t: gives texts.
        now: newest instant, drawn as a line.
        outages: known spans without power.
        step: time between readings; None finds it in the readings.
    """
    series = {phase: _readings(points) for phase, points in phases.items()}
    band = replace(band, low=round(float(band.low), 4), high=round(float(band.high), 4))
    step, time = step or _step(series.values()), _Time(span, zone)
    scale, unit, decimals = (1000, "kV", 2) if nominal >= 1000 else (1, "V", 1)  # noqa: PLR2004
    dead = _dead_spans(series, DEAD_SHARE * nominal, step)
    outside = _outside_spans(series, band, DEAD_SHARE * nominal, step)
    dark = _merged([*outages, *dead.get("", [])])
    names = {phase: _phase(phase, series, t) for phase in series}
    drawn = [
        _drawn(names[phase], f"ph{phase}" if len(series) > 1 else "c1", readings, step, time,
               scale=scale, above=DEAD_SHARE * nominal, role="plain" if len(series) > 1 else "main")
        for phase, readings in series.items()
    ]  # fmt: skip
    zones = [time.shaded("outage", item, t("chart.outage")) for item in dark]
    for phase, items in dead.items():
        text = t("chart.phase_out", phase=names.get(phase, ""))
        zones += [time.shaded("outage", item, text) for item in items if phase]
    zones += [time.shaded("major", item) for item in outside]
    spec = {
        "unit": unit,
        "decimals": decimals,
        "x": time.axis(),
        "y": _voltage_axis(series, band, nominal, scale),
        "series": drawn,
        "band": {
            "low": band.low / scale,
            "high": band.high / scale,
            "lowText": f"{band.low_text}  {num(band.low / scale, decimals)}",
            "highText": f"{band.high_text}  {num(band.high / scale, decimals)}",
            "name": t("chart.band"),
        },
        "zones": zones,
        "now": time.now(now),
    }
    head = [t("chart.series", name=name, unit=unit) for name in names.values()]
    rows = _rows(series.values(), time, scale=scale, decimals=decimals)
    summary = _voltage_summary(
        series, t, time, band=band, dead=DEAD_SHARE * nominal,
        outside=_total(outside), dark=_total(dark),
    )  # fmt: skip
    return Chart(spec, (t("chart.time"), *head), rows, summary)


def line_chart(
    lines: Sequence[Line],
    *,
    unit: str,
    span: Span,
    zone: ZoneInfo,
    t: Translate,
    decimals: int = 1,
    now: datetime | None = None,
    limits: Sequence[tuple[float, str]] = (),
    from_zero: bool = True,
    show_missing: bool = False,
    step: timedelta | None = None,
) -> Chart:
    """Draw one or more series over time, at most five, the main one first.

    Span, zone, t, now and step are as for voltage_chart. Limits are (value, words) of dashed
    lines across the chart. The value axis starts at zero (energy, counts) unless from_zero is
    off (load); show_missing draws the gaps of the first series as grey columns.
    """
    series = [_readings(line.points) for line in lines]
    step, time = step or _step(series), _Time(span, zone)
    drawn = [
        _drawn(line.name, line.color or f"c{place}", readings, step, time, role=line.role)
        for place, (line, readings) in enumerate(zip(lines, series, strict=True), start=1)
    ]
    gaps = _gaps(series[0], step) if show_missing and series else []
    spec = {
        "unit": unit,
        "decimals": decimals,
        "x": time.axis(),
        "y": {"zero": from_zero},
        "series": drawn,
        "zones": [time.shaded("missing", gap, t("chart.missing")) for gap in gaps],
        "lines": [{"at": at, "text": text} for at, text in limits],
        "now": time.now(now),
    }
    names = [t("chart.series", name=line.name, unit=unit) for line in lines]
    rows = _rows(series, time, scale=1, decimals=decimals)
    summary = _line_summary(lines, series, t, time, unit=unit, decimals=decimals)
    return Chart(spec, (t("chart.time"), *names), rows, summary)


def _readings(points: Iterable[Point]) -> list[Reading]:
    readings: list[Reading] = []
    for at, value in points:
        instant = datetime.fromisoformat(at) if isinstance(at, str) else at
        number = exact(value)
        readings.append((instant, None if number is None else float(number)))
    return sorted(readings, key=lambda reading: reading[0])


def _step(series: Iterable[Sequence[Reading]]) -> timedelta:
    pairs = [pair for readings in series for pair in pairwise(readings)]
    steps = [(b - a).total_seconds() for (a, _), (b, _) in pairs if b > a]
    return timedelta(seconds=median(steps)) if steps else timedelta(minutes=15)


def _drawn(
    name: str,
    color: str,
    readings: Sequence[Reading],
    step: timedelta,
    time: _Time,
    *,
    role: Role = "main",
    scale: float = 1,
    above: float = -math.inf,
) -> Json:
    """Write one series; what is missing or dead is a null, so that no line crosses it."""
    points: list[tuple[int, float | None]] = []
    before: datetime | None = None
    for at, value in readings:
        if before is not None and at - before > step * GAP_STEPS:
            points.append((time.wall(before + step / 2), None))
        points.append(
            (time.wall(at), None if value is None or value < above else round(value / scale, 4))
        )
        before = at
    return {"name": name, "color": color, "role": role, "points": points}


def _gaps(readings: Sequence[Reading], step: timedelta) -> list[Span]:
    known = [at for at, value in readings if value is not None]
    return [(a, b) for a, b in pairwise(known) if b - a > step * GAP_STEPS]


def _dead_spans(
    series: Mapping[str, Sequence[Reading]], below: float, step: timedelta
) -> dict[str, list[Span]]:
    """Find where phases carry no voltage; the key "" is all of them together."""
    times: dict[datetime, dict[str, bool]] = {}
    for phase, readings in series.items():
        for at, value in readings:
            if value is not None:
                times.setdefault(at, {})[phase] = value < below
    ordered = sorted(times.items())
    spans = {"": _runs([(at, all(known.values())) for at, known in ordered], step)}
    for phase in series if len(series) > 1 else ():
        alone = [(at, known.get(phase, False) and not all(known.values())) for at, known in ordered]
        spans[phase] = _runs(alone, step)
    return spans


def _outside_spans(
    series: Mapping[str, Sequence[Reading]], band: Band, dead: float, step: timedelta
) -> list[Span]:
    spans: list[Span] = []
    for readings in series.values():
        known = [(at, value) for at, value in readings if value is not None]
        flags = [(at, v >= dead and not band.low <= v <= band.high) for at, v in known]
        spans += _runs(flags, step)
    return _merged(spans)


def _runs(flags: Sequence[tuple[datetime, bool]], step: timedelta) -> list[Span]:
    """Join neighbouring true readings; a reading speaks for the step that ends with it."""
    runs: list[Span] = []
    for at, flag in flags:
        if flag and runs and at - step <= runs[-1][1]:
            runs[-1] = (runs[-1][0], at)
        elif flag:
            runs.append((at - step, at))
    return runs


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _total(spans: Iterable[Span]) -> timedelta:
    return sum((end - start for start, end in spans), timedelta())


def _voltage_axis(
    series: Mapping[str, Sequence[Reading]], band: Band, nominal: float, scale: float
) -> Json:
    beyond = AXIS_BEYOND * nominal
    values = [v for readings in series.values() for _, v in readings if v is not None]
    values = [value for value in values if value >= DEAD_SHARE * nominal]
    low = min([band.low - beyond, *values]) / scale
    high = max([band.high + beyond, *values]) / scale
    step = _nice((high - low) / 6)
    half = step / 2
    return {
        "min": round(math.floor(low / half) * half, 6),
        "max": round(math.ceil(high / half) * half, 6),
        "step": step,
        "zero": False,
    }


def _phase(phase: str, among: Iterable[str], t: Translate) -> str:
    """Name a phase; a single-phase supply has voltage, not a phase A."""
    return t(f"phase.{phase}") if len(list(among)) > 1 else t("chart.voltage.name")


def _nice(rough: float) -> float:
    """Round a step up to 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)


def _rows(
    series: Iterable[Sequence[Reading]], time: _Time, *, scale: float, decimals: int
) -> tuple[tuple[str, ...], ...]:
    columns = [dict(readings) for readings in series]
    rows = []
    for at in sorted({at for column in columns for at in column}):
        values = (column.get(at) for column in columns)
        written = (MISSING if v is None else num(v / scale, decimals) for v in values)
        rows.append((time.label(at), *written))
    return tuple(rows)


def _voltage_summary(
    series: Mapping[str, Sequence[Reading]],
    t: Translate,
    time: _Time,
    *,
    band: Band,
    dead: float,
    outside: timedelta,
    dark: timedelta,
) -> str:
    known = [(v, at, ph) for ph, items in series.items() for at, v in items if v is not None]
    if not known:
        return t("chart.voltage.empty")
    alive = [item for item in known if item[0] >= dead] or known
    low, high = min(alive), max(alive)
    times = [at for _, at, _ in known]

    def where(item: tuple[float, datetime, str]) -> str:
        return f"{_phase(item[2], series, t)} {time.label(item[1])}"

    return t(
        "chart.voltage.summary",
        from_=time.label(min(times)), to=time.label(max(times)),
        low=volt(low[0]), low_at=where(low), high=volt(high[0]), high_at=where(high),
        band_low=volt(band.low), band_high=volt(band.high),
        outside=dur(outside, t), dark=dur(dark, t),
    )  # fmt: skip


def _line_summary(
    lines: Sequence[Line],
    series: Sequence[Sequence[Reading]],
    t: Translate,
    time: _Time,
    *,
    unit: str,
    decimals: int,
) -> str:
    known = [(v, at) for at, v in series[0] if v is not None] if series else []
    if not known:
        return t("chart.line.empty")

    def written(value: float) -> str:
        return f"{num(value, decimals)} {unit}".strip()

    low, high, last = min(known), max(known), max(known, key=lambda item: item[1])
    first = min(at for _, at in known)
    return t(
        "chart.line.summary",
        name=lines[0].name,
        from_=time.label(first), to=time.label(last[1]),
        low=written(low[0]), low_at=time.label(low[1]),
        high=written(high[0]), high_at=time.label(high[1]),
        last=written(last[0]), last_at=time.label(last[1]),
    )  # fmt: skip
