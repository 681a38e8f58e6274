"""Terminals: the list, silent ones first, and one terminal with its link, curve and registers."""

from datetime import UTC, date, datetime, timedelta

from flask import Blueprint, render_template, request

from foundation import clock
from metering.api.devices import meter_by_no
from metering.api.gaps import missing_runs
from metering.api.imports import profile_cards
from metering.api.polling import missed_by, owner_of
from metering.api.readings import day_curve, events, hourly, latest
from metering.api.requests import newest_raw, newest_request, raw_points
from metering.api.terminals import (
    meters_behind,
    search_terminals,
    terminal_by_no,
    terminal_counts,
)
from metering.api.types import HourlyEnergy, MeterCard, TerminalCard
from webapp.auth.guard import allow
from webapp.auth.permissions import Permission
from webapp.charts import Chart
from webapp.context import show
from webapp.pages.metering.collection import reason
from webapp.pages.metering.curves import CURVES, day_chart, day_of
from webapp.pages.metering.quality import with_quality
from webapp.places import places_of
from webapp.session import db, office, scope

page = Blueprint("terminals", __name__)
PAGE = 50
VIEWS = ("all", "silent", "out")
TABS = ("live", "link", "raw")
BACK = timedelta(days=7)


@page.get("/terminals")
@allow(Permission.SEE_COLLECTION)
def listing() -> str:
    """List terminals, silent ones first."""
    view = request.args.get("view", "all")
    view = view if view in VIEWS else "all"
    search = request.args.get("q", "").strip()
    after = request.args.get("after", "")
    found = search_terminals(
        db(),
        scope(),
        search=search,
        view=view,
        after=(after[0] == "s", after[1:]) if after else None,
        limit=PAGE + 1,
    )
    rows = found[:PAGE]
    last = rows[-1] if len(found) > PAGE else None
    where = places_of(db(), {one.point_id for one in rows})
    return show(
        "metering/terminals.html",
        at="terminals",
        rows=[(one, where.of(one.point_id)) for one in rows],
        view=view,
        views=VIEWS,
        counts=terminal_counts(db()),
        search=search,
        is_first=not after,
        next_after=("s" if _is_silent(last) else "o") + last.terminal_no if last else "",
        reason=reason,
    )


def _is_silent(one: TerminalCard) -> bool:
    return one.in_service and one.silent_since is not None


@page.get("/terminals/<terminal_no>")
@allow(Permission.SEE_COLLECTION)
def detail(terminal_no: str) -> str:
    """Show one terminal, or one part of it: values, curve, registers."""
    terminal = terminal_by_no(db(), terminal_no)
    tab = request.args.get("tab", "live")
    tab = tab if tab in TABS else "live"
    curve = request.args.get("curve", "voltage")
    curve = curve if curve in CURVES else "voltage"
    day = day_of(request.args.get("day", ""))
    part = request.args.get("part", "")
    meter = meter_by_no(db(), terminal.meter_no) if terminal.meter_no else None
    values: dict[str, object] = {
        "terminal": terminal,
        "meter": meter,
        "tab": tab,
        "tabs": TABS,
        "curve": curve,
        "curves": CURVES,
        "day": day,
        "today": clock.business_date(),
        "reason": reason,
    }
    if meter is not None:
        values["latest"] = latest(db(), [meter.meter_id]).get(meter.meter_id)
        values["request_"] = newest_request(db(), meter.meter_id)
    if part == "values" and meter is not None:
        return render_template("metering/terminal/values.html", **values)
    if meter is not None and (part == "curve" or tab == "live"):
        values["chart"] = _curve(meter, curve, day)
    if part == "curve" and meter is not None:
        return render_template("metering/terminal/curve.html", **values)
    if meter is not None and (part == "raw" or tab == "raw"):
        values |= _raw(terminal, meter)
    if part == "raw" and meter is not None:
        return render_template("metering/terminal/raw.html", **values)
    if tab == "link":
        values |= _link(terminal, meter)
    values |= {
        "behind": meters_behind(db(), terminal.terminal_id),
        "owner": owner_of(db(), site=terminal.site, shard=terminal.shard),
        "profile": profile_cards(office().settings.data_dir).get(terminal.profile),
        "place": places_of(db(), {terminal.point_id}).of(terminal.point_id),
    }
    return show(
        "metering/terminal.html",
        at="terminals",
        title=terminal.terminal_no,
        with_charts=True,
        **values,
    )


def _curve(meter: MeterCard, curve: str, day: date) -> Chart:
    """Draw a day with what is known against its points."""
    chart = day_chart(db(), meter, curve, day.isoformat())
    return with_quality(
        chart,
        day_curve(db(), meter.meter_id, day),
        interval_s=meter.interval_s or 0,
        supplied_until=clock.now(),
    )


def _raw(terminal: TerminalCard, meter: MeterCard) -> dict[str, object]:
    """Give the registers of the newest on-demand read."""
    raw = newest_raw(db(), meter.meter_id)
    points = (
        raw_points(
            office().settings.data_dir, terminal.profile, raw.blocks, pt=meter.pt, ct=meter.ct
        )
        if raw
        else []
    )
    return {"raw": raw, "points": points}


def _link(terminal: TerminalCard, meter: MeterCard | None) -> dict[str, object]:
    """Give the last days of the link: days read and missed, slots missed, what it told."""
    now = clock.now()
    first = clock.day_span(clock.business_date() - BACK)[0]
    values: dict[str, object] = {
        "missed": missed_by(db(), terminal.address, since=first.astimezone(UTC).date()),
        "days": [],
        "runs": [],
        "told": [],
    }
    if meter is not None:
        runs = missing_runs(db(), meter.meter_id, first=first, end=now, limit=200)
        hours = hourly(db(), [meter.meter_id], first=first, end=now)
        values |= {
            "days": _days(hours, [(one.first, one.intervals) for one in runs]),
            "runs": runs[:20],
            "told": events(db(), [meter.meter_id], since=now - BACK, limit=50),
        }
    return values


def _days(
    hours: list[HourlyEnergy], missing: list[tuple[datetime, int]]
) -> list[tuple[date, int, int, int, int]]:
    """Give, by office day and newest first: read, of them late, estimated; and missing."""
    found: dict[date, list[int]] = {}
    for one in hours:
        sums = found.setdefault(clock.business_date(one.hour), [0, 0, 0, 0])
        for place, count in enumerate((one.points, one.late, one.estimated)):
            sums[place] += count
    for first, intervals in missing:
        found.setdefault(clock.business_date(first), [0, 0, 0, 0])[3] += intervals
    return [(day, sums[0], sums[1], sums[2], sums[3]) for day, sums in sorted(found.items())][::-1]
