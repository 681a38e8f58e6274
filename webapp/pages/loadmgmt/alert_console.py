"""The alert console (告警台): notice, judge, act."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from callcenter.api.tickets import kind_for, open_ticket, priority_for
from callcenter.api.types import NewTicket, TicketSource
from foundation import clock
from loadmgmt.api.alerts import (
    VIEWS,
    acknowledge,
    alert_card,
    alert_cards,
    alert_counts,
    alert_history,
    call_false,
    close_alert,
    counts_by_area,
    same_kind_nearby,
    suppress,
    without_power,
)
from loadmgmt.api.types import AlertCard, AlertKind, AlertPast
from metering.api.devices import fleet_health
from metering.api.network import tree
from metering.api.readings import latest, newest_at
from metering.api.requests import ask, newest_request
from metering.api.types import LatestReading, ReadRequestCard, TreeNode
from webapp.auth.guard import allow
from webapp.auth.permissions import Permission
from webapp.context import show, t
from webapp.pages.metering.curves import CURVES, day_chart
from webapp.places import Place, Places, places_of
from webapp.session import actor, db, scope

page = Blueprint("alerts", __name__)
SUPPRESS_MINUTES = (30, 120, 480)
PARTS = frozenset({"counts", "tree", "rows", "panel", "curve", "dialogs"})


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    card: AlertCard
    place: Place


@dataclass(frozen=True, slots=True)
class Branch:
    """One node of the network tree with what is wrong below it."""

    node: TreeNode
    depth: int
    alerts: int
    worst: str


@dataclass(frozen=True, slots=True)
class Selected:
    """Everything the action panel shows about one alert."""

    card: AlertCard
    place: Place
    latest: LatestReading | None
    request: ReadRequestCard | None
    history: list[AlertPast]
    nearby: int


@page.get("/alerts")
@allow(Permission.SEE_ALERTS)
def console() -> str:
    """Show the console, or one of its parts: counts, tree, rows, panel."""
    part = request.args.get("part", "")
    part = part if part in PARTS else ""
    values: dict[str, Any] = {"filters": _filters(), "views": VIEWS}
    if part in {"", "counts"}:
        values |= _counts()
    if part in {"", "tree"}:
        values |= {"branches": _branches()}
    if part in {"", "rows"}:
        values |= {"rows": _rows()}
    if part in {"", "panel", "curve", "dialogs"}:
        values |= _panel()
    if part:
        return render_template(f"loadmgmt/alert_console/{part}.html", **values)
    return show("loadmgmt/alert_console.html", at="alerts", with_charts=True, **values)


def _filters() -> dict[str, str]:
    """Give the address' own state: view, place in the tree, selected alert, curve, day."""
    names = ("view", "node", "id", "curve", "day")
    chosen = {name: request.args.get(name, "") for name in names}
    chosen["view"] = chosen["view"] if chosen["view"] in VIEWS else "standing"
    chosen["curve"] = chosen["curve"] if chosen["curve"] in CURVES else ""
    return chosen


def _counts() -> dict[str, object]:
    terminals, answering = fleet_health(db())
    areas, points = without_power(db())
    return {
        "counts": alert_counts(db(), scope()),
        "terminals": terminals,
        "answering": answering,
        "areas_out": areas,
        "points_out": points,
        "newest": newest_at(db()),
    }


def _branches() -> list[Branch]:
    """Give the tree, depth first, with counts summed upwards."""
    nodes = tree(db())
    by_area = counts_by_area(db(), scope())
    order = ("crit", "major", "minor", "info")
    alerts: dict[str, int] = {}
    worst: dict[str, str] = {}
    parents = {node.key: node.parent for node in nodes}
    for area_id, (count, severity) in by_area.items():
        key: str | None = f"a{area_id}"
        while key is not None:
            alerts[key] = alerts.get(key, 0) + count
            known = worst.get(key, "info")
            worst[key] = min(known, severity.value, key=order.index)
            key = parents.get(key)
    children: dict[str | None, list[TreeNode]] = {}
    for node in nodes:
        children.setdefault(node.parent, []).append(node)

    def below(parent: str | None, depth: int) -> list[Branch]:
        found = []
        for node in children.get(parent, []):
            count = alerts.get(node.key, 0)
            found.append(Branch(node, depth, count, worst.get(node.key, "")))
            found += below(node.key, depth + 1)
        return found

    return below(None, 0)


def _rows() -> list[Row]:
    node = request.args.get("node", "")
    number = int(node[1:]) if node[1:].isdecimal() else None
    cards = alert_cards(
        db(),
        scope(),
        view=_filters()["view"],
        person_id=actor().id,
        feeder_id=number if node.startswith("f") else None,
        area_id=number if node.startswith("a") else None,
    )
    where = _places(cards)
    return [Row(card, where.of(card.point_id, card.area_id)) for card in cards]


def _places(cards: list[AlertCard]) -> Places:
    return places_of(db(), {c.point_id for c in cards}, {c.area_id for c in cards})


def _panel() -> dict[str, object]:
    alert_id = request.args.get("id", "")
    if not alert_id.isdecimal():
        return {"selected": None, "chart": None}
    card = alert_card(db(), scope(), int(alert_id))
    place = _places([card]).of(card.point_id, card.area_id)
    meter = place.meter
    filters = _filters()
    curve = filters["curve"] or ("current" if card.kind is AlertKind.CURRENT_LOSS else "voltage")
    return {
        "selected": Selected(
            card=card,
            place=place,
            latest=latest(db(), [meter.meter_id]).get(meter.meter_id) if meter else None,
            request=newest_request(db(), meter.meter_id) if meter else None,
            history=alert_history(db(), card.id),
            nearby=same_kind_nearby(db(), card),
        ),
        "curve": curve,
        "chart": day_chart(db(), meter, curve, filters["day"]) if meter else None,
        "suppress_minutes": SUPPRESS_MINUTES,
        "yesterday": clock.business_date() - timedelta(days=1),
    }


@page.post("/alerts/<int:alert_id>/acknowledge")
@allow(Permission.HANDLE_ALERTS)
def acknowledge_alert(alert_id: int) -> Response:
    """Take note of an alert."""
    acknowledge(db(), actor(), alert_id, version=_version())
    return _back(alert_id)


@page.post("/alerts/<int:alert_id>/suppress")
@allow(Permission.HANDLE_ALERTS)
def suppress_alert(alert_id: int) -> Response:
    """Keep an alert quiet for a while."""
    minutes = request.form.get("minutes", type=int)
    if minutes not in SUPPRESS_MINUTES:
        minutes = SUPPRESS_MINUTES[0]
    suppress(
        db(),
        actor(),
        alert_id,
        version=_version(),
        minutes=minutes,
        reason=request.form.get("reason", ""),
    )
    return _back(alert_id)


@page.post("/alerts/<int:alert_id>/false")
@allow(Permission.HANDLE_ALERTS)
def call_alert_false(alert_id: int) -> Response:
    """Call an alert false, with a reason."""
    reason = request.form.get("reason", "")
    call_false(db(), actor(), alert_id, version=_version(), reason=reason)
    return _back(alert_id)


@page.post("/alerts/<int:alert_id>/close")
@allow(Permission.HANDLE_ALERTS)
def close_by_hand(alert_id: int) -> Response:
    """End an alert that does not end by itself, with what was found."""
    close_alert(db(), actor(), alert_id, finding=request.form.get("reason", ""), version=_version())
    return _back(alert_id)


@page.post("/alerts/<int:alert_id>/read")
@allow(Permission.READ_METER)
def read_now(alert_id: int) -> Response:
    """Ask the alert's meter to be read now."""
    card = alert_card(db(), scope(), alert_id)
    meter = _places([card]).of(card.point_id).meter
    if meter is not None:
        ask(db(), actor(), meter.meter_id)
    return _back(alert_id)


@page.post("/alerts/<int:alert_id>/ticket")
@allow(Permission.OPEN_TICKET)
def make_ticket(alert_id: int) -> Response:
    """Open the ticket an alert asks for: an inspection for theft, else a repair."""
    card = alert_card(db(), scope(), alert_id)
    place = _places([card]).of(card.point_id, card.area_id)
    sensitive = bool(place.supply and place.supply.is_sensitive)
    ticket_no = open_ticket(
        db(),
        actor(),
        NewTicket(
            kind=kind_for(card.kind),
            title=request.form.get("title") or _title(card, place),
            description=request.form.get("description", ""),
            source=TicketSource.ALERT,
            priority=priority_for(card.severity, sensitive=sensitive),
            point_id=card.point_id,
            area_id=card.area_id,
            alert_id=card.id,
            evidence=evidence_of(card),
        ),
    )
    flash(t("alerts.ticket_opened", ticket_no=ticket_no), "ok")
    return redirect(url_for("tickets.detail", ticket_no=ticket_no))


def _title(card: AlertCard, place: Place) -> str:
    return f"{t(f'kind.alert.{card.kind}')} {place.name or place.number}"


def evidence_of(card: AlertCard) -> dict[str, object]:
    """Give an alert's evidence as it is kept with the ticket."""
    return {
        "kind": card.kind.value,
        "phases": card.phases,
        "measured": None if card.measured is None else str(card.measured),
        "limit": None if card.limit is None else str(card.limit),
        "started_at": card.started_at.isoformat(),
        **card.evidence,
    }


def _version() -> int:
    return request.form.get("version", 0, type=int)


def _back(alert_id: int) -> Response:
    wanted = {**request.args.to_dict(), "id": str(alert_id)}
    wanted.pop("part", None)
    return redirect(f"{url_for('alerts.console')}?{urlencode(wanted)}")
