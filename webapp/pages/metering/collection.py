"""Collection: how well areas are read, what the pollers do, what is missing, asking again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from werkzeug.wrappers import Response

from foundation import clock
from foundation.settings import settings
from loadmgmt.api.alerts import dark_spans
from loadmgmt.api.outages import outage_spans
from metering.api.devices import fleet_health
from metering.api.gaps import (
    Window,
    area_hours,
    ask_backfill,
    checked_to,
    missing_meters,
    open_gaps,
)
from metering.api.imports import profile_cards
from metering.api.network import area_places, tree
from metering.api.polling import missed_slots, pollers, slots_missed
from metering.api.types import AreaHour, MissingMeter, PollerRow, TreeNode
from webapp.auth.guard import allow
from webapp.auth.permissions import Permission
from webapp.context import has_text, show, t
from webapp.format import pct
from webapp.navigation import own_address
from webapp.pages.metering.heat import MOST_ROWS, heat_chart, rows_of
from webapp.session import actor, db, office, scope

page = Blueprint("collection", __name__)
PAGE = 50
MOST_ASKED = 1000


@dataclass(frozen=True, slots=True)
class Totals:
    """The day in figures; share is None where nothing was to be read yet."""

    expected: int
    missing: int
    share: float | None


@page.get("/collection")
@allow(Permission.SEE_COLLECTION)
def overview() -> str:
    """Show how the areas were read on a day, and how the pollers stand."""
    day = _day()
    start, end = clock.day_span(day)
    nodes = tree(db())
    feeder = _id_of(request.args.get("feeder", ""))
    hours = area_hours(
        db(),
        scope(),
        start=start,
        end=end,
        dark=[
            *dark_spans(db(), first=start, end=end),
            *outage_spans(db(), first=start, end=end),
        ],
        feeder_id=feeder,
    )
    areas = area_places(db(), {one.area_id for one in hours})
    rows = rows_of(hours, areas, start=start, end=end, day=day.isoformat())
    totals = _totals(hours)
    living = [one for one in pollers(db()) if one.is_live]
    values: dict[str, Any] = {
        "day": day,
        "today": clock.business_date(),
        "oldest": clock.business_date() - timedelta(days=settings().gap_days - 1),
        "feeder": feeder,
        "feeders": _nodes(nodes, "feeder"),
        "rows": rows[:MOST_ROWS],
        "areas": len(rows),
        "shown": min(len(rows), MOST_ROWS),
        "chart": heat_chart(rows[:MOST_ROWS], summary=_summary(totals, rows, day)),
        "totals": totals,
        "judged": checked_to(db()),
        "fleet": fleet_health(db()),
        "gaps": open_gaps(db()),
        "slots": slots_missed(db(), since=_utc_today()),
        "pollers": pollers(db()),
        "living": living,
        "spool": _spool(living),
        "connections": missed_slots(db(), since=_utc_today() - timedelta(days=1), limit=8),
    }
    if request.args.get("part") == "day":
        return render_template("metering/collection/day.html", **values)
    return show("metering/collection.html", at="collection", with_charts=True, **values)


@page.get("/collection/missing")
@allow(Permission.SEE_COLLECTION)
def missing() -> str:
    """List the meters that lack intervals, those that lack most first."""
    day, hour = _day(), _hour()
    nodes = tree(db())
    window = _window(day, hour, nodes)
    found = missing_meters(db(), scope(), window, after=_after(), limit=PAGE + 1)
    rows = found[:PAGE]
    last = rows[-1] if len(found) > PAGE else None
    return show(
        "metering/missing.html",
        at="collection",
        title=t("missing.title"),
        rows=rows,
        day=day,
        hour=hour,
        today=clock.business_date(),
        oldest=clock.business_date() - timedelta(days=settings().gap_days - 1),
        feeders=_nodes(nodes, "feeder"),
        areas=_areas(nodes),
        feeder=window.feeder_id,
        area=request.args.get("area", "") if window.area_id is not None else "",
        next_after=f"{last.intervals}-{last.meter_id}" if last else "",
        is_first=not request.args.get("after"),
        here_url=_here(),
        memory={
            name: card.memory for name, card in profile_cards(office().settings.data_dir).items()
        },
        why=why_text,
    )


@page.post("/collection/missing/backfill")
@allow(Permission.ASK_BACKFILL)
def backfill() -> Response:
    """Ask for what the chosen meters lack to be read again."""
    day, hour = _day(), _hour()
    chosen = [int(one) for one in request.form.getlist("ids") if one.isdecimal()][:MOST_ASKED]
    window = _window(day, hour, [])
    asked = ask_backfill(db(), actor(), chosen, first=window.first, end=window.end)
    if asked:
        flash(t("missing.asked", n=asked), "ok")
    else:
        flash(t("missing.none_left" if chosen else "missing.none_chosen"), "warning")
    return redirect(own_address(request.form.get("back", "")) or "/collection/missing")


def why_text(row: MissingMeter) -> str:
    """Say why a meter lacks its newest interval, as far as it is known."""
    code = row.why
    if code is None and row.silent_since is not None and row.silent_since <= row.last:
        code = row.last_error
    return reason(code)


def reason(code: str | None) -> str:
    """Say a stored reason."""
    if code is None:
        return t("missing.why_unknown")
    for key in (f"link.{code}", f"why.{code}"):
        if has_text(key):
            return t(key)
    if code.startswith("exception_"):
        return t("link.exception_other", code=code[-2:].upper())
    return code


def _totals(hours: Sequence[AreaHour]) -> Totals:
    expected = sum(one.expected for one in hours)
    lacking = sum(one.missing for one in hours)
    return Totals(expected, lacking, (expected - lacking) / expected if expected else None)


def _summary(totals: Totals, rows: Sequence[object], day: date) -> str:
    if totals.share is None:
        return t("collection.summary_none", day=day.isoformat())
    return t(
        "collection.summary",
        day=day.isoformat(),
        areas=len(rows),
        share=pct(totals.share, 2),
        missing=totals.missing,
    )


def _spool(living: Sequence[PollerRow]) -> int | None:
    """Add up what living pollers hold unstored [byte]; None if nobody lives to say."""
    return sum(one.spool_bytes for one in living) if living else None


def _day() -> date:
    today = clock.business_date()
    try:
        return min(today, date.fromisoformat(request.values.get("day", "")))
    except ValueError:
        return today


def _hour() -> int | None:
    said = request.values.get("hour", "")
    return int(said) if said.isdecimal() and int(said) < 24 else None  # noqa: PLR2004


def _utc_today() -> date:
    return clock.now().astimezone(UTC).date()


def _window(day: date, hour: int | None, nodes: Sequence[TreeNode]) -> Window:
    first, end = clock.day_span(day)
    if hour is not None:
        first = first + timedelta(hours=hour)
        end = first + timedelta(hours=1)
    area_no = request.args.get("area", "")
    area = next((key for key, number, _ in _areas(nodes) if number == area_no), None)
    return Window(first, end, _id_of(request.args.get("feeder", "")), area)


def _areas(nodes: Sequence[TreeNode]) -> list[tuple[int, str, str]]:
    """Give areas as row, number, name; the tree writes the number last."""
    return [(key, name.rsplit(" ", 1)[-1], name) for key, name in _nodes(nodes, "area")]


def _nodes(nodes: Sequence[TreeNode], kind: str) -> list[tuple[int, str]]:
    return [(int(one.key[1:]), one.name) for one in nodes if one.kind == kind]


def _id_of(said: str) -> int | None:
    return int(said) if said.isdecimal() and len(said) < 10 else None  # noqa: PLR2004


def _after() -> tuple[int, int] | None:
    first, _, second = request.args.get("after", "").partition("-")
    one, two = _id_of(first), _id_of(second)
    return None if one is None or two is None else (one, two)


def _here() -> str:
    kept = {
        name: value
        for name in ("day", "hour", "feeder", "area")
        if (value := request.args.get(name, ""))
    }
    return "/collection/missing?" + "&".join(f"{name}={value}" for name, value in kept.items())
