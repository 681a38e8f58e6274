"""Meters: the list, and one meter with its live values, curves and past."""

from dataclasses import dataclass
from datetime import timedelta

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from callcenter.api.tickets import tickets_at
from customers.api.archive import points_of_search
from foundation import clock
from loadmgmt.api.alerts import alerts_at
from metering.api.devices import meter_by_no, meter_cards, search_meters
from metering.api.readings import daily, latest
from metering.api.requests import ask, newest_request, write_cards
from metering.api.types import LatestReading, MeterCard
from webapp.auth.guard import allow
from webapp.auth.permissions import Permission, may
from webapp.context import show
from webapp.navigation import own_address
from webapp.pages.metering.curves import CURVES, band_of, day_chart, day_of
from webapp.places import Place, places_of
from webapp.session import actor, db, scope

page = Blueprint("meters", __name__)
PAGE = 50
TABS = ("live", "curves", "daily", "events")
HISTORY = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list."""

    meter: MeterCard
    place: Place
    latest: LatestReading | None


@page.get("/meters")
@allow(Permission.SEE_METERS)
def listing() -> str:
    """List meters: by number, or those of a customer, an account or an address."""
    search = request.args.get("q", "").strip()
    after = request.args.get("after", "")
    meters = _found(search, after)
    where = places_of(db(), {meter.point_id for meter in meters})
    newest = latest(db(), {meter.meter_id for meter in meters})
    rows = [Row(m, where.of(m.point_id), newest.get(m.meter_id)) for m in meters[:PAGE]]
    return show(
        "metering/meters.html",
        at="meters",
        rows=rows,
        search=search,
        next_after=meters[PAGE - 1].meter_no if len(meters) > PAGE else "",
        is_first=not after,
    )


def _found(search: str, after: str) -> list[MeterCard]:
    meters = search_meters(db(), scope(), search=search, after_no=after, limit=PAGE + 1)
    if search and not meters and not after:
        cards = meter_cards(db(), points_of_search(db(), search, limit=PAGE))
        return sorted(cards.values(), key=lambda card: card.meter_no)
    return meters


@page.get("/meters/<meter_no>")
@allow(Permission.SEE_METERS)
def detail(meter_no: str) -> str:
    """Show one meter, or one part of it: values, curve."""
    meter = meter_by_no(db(), meter_no)
    tab = request.args.get("tab", "live")
    tab = tab if tab in TABS else "live"
    curve = request.args.get("curve", "voltage")
    curve = curve if curve in CURVES else "voltage"
    day = day_of(request.args.get("day", ""))
    part = request.args.get("part", "")
    values = {
        "meter": meter,
        "tab": tab,
        "tabs": TABS,
        "curve": curve,
        "curves": CURVES,
        "day": day,
        "today": clock.business_date(),
        "latest": latest(db(), [meter.meter_id]).get(meter.meter_id),
        "request_": newest_request(db(), meter.meter_id),
        "band": band_of(meter),
    }
    if part == "values":
        return render_template("metering/meter/values.html", **values)
    if part == "curve" or tab in {"live", "curves"}:
        values["chart"] = day_chart(db(), meter, curve, day.isoformat())
    if part == "curve":
        return render_template("metering/meter/curve.html", **values)
    values |= _around(meter)
    today = clock.business_date()
    if tab == "daily":
        values["days"] = daily(db(), meter.meter_id, first=today - HISTORY, last=today)
    return show(
        "metering/meter.html", at="meters", title=meter.meter_no, with_charts=True, **values
    )


def _around(meter: MeterCard) -> dict[str, object]:
    """Give what stands around the meter: place, neighbours, alerts, tickets."""
    box = [
        card
        for card in search_meters(db(), scope(), area_id=meter.area_id, limit=200)
        if card.box_no == meter.box_no
    ]
    neighbours = latest(db(), {card.meter_id for card in box})
    sees = may(actor(), Permission.SEE_COMMANDS)
    return {
        "place": places_of(db(), {meter.point_id}).of(meter.point_id),
        "box": [(card, neighbours.get(card.meter_id)) for card in box],
        "alerts": alerts_at(db(), [meter.point_id], since=clock.now() - HISTORY),
        "tickets": tickets_at(db(), [meter.point_id]),
        "commands": write_cards(db(), meter_id=meter.meter_id, limit=5) if sees else None,
    }


@page.post("/meters/<meter_no>/read")
@allow(Permission.READ_METER)
def read_now(meter_no: str) -> Response:
    """Ask the meter to be read now (召测)."""
    meter = meter_by_no(db(), meter_no)
    ask(db(), actor(), meter.meter_id)
    back = own_address(request.form.get("back", ""))
    return redirect(back or url_for("meters.detail", meter_no=meter_no))
