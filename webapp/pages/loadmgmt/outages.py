"""Outages (停电事件): active ones as cards, planned and past ones as tables, one in whole."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from callcenter.api.callbacks import people_of_outage
from callcenter.api.calls import calls_by_ids
from callcenter.api.tickets import tickets_of_outages
from callcenter.api.types import TicketCard
from foundation import clock
from foundation.errors import BadData, LostRace, NotFound, Refused
from loadmgmt.api.outage_moves import (
    confirm_outage,
    end_outage,
    set_cause,
    set_eta,
)
from loadmgmt.api.outages import (
    OUTAGE_VIEWS,
    outage_card,
    outage_cards,
    outage_counts,
    outage_history,
    outage_members,
    outage_reports,
    register_outage,
    sensitive_counts,
)
from loadmgmt.api.types import NewOutage, OutageCard, OutageKind
from metering.api.network import area_by_no
from webapp.auth.guard import allow
from webapp.auth.permissions import Permission
from webapp.context import language, show, t
from webapp.errors import status_of
from webapp.places import Place, places_of
from webapp.sentences import sentence
from webapp.session import actor, db, scope

page = Blueprint("outages", __name__)
PAGE = 50


@dataclass(frozen=True, slots=True)
class Row:
    """One outage of the list."""

    card: OutageCard
    place: Place
    sensitive: int
    tickets: tuple[TicketCard, ...]

    @property
    def ticket(self) -> TicketCard | None:
        """Give the ticket that works on it."""
        return next((one for one in self.tickets if one.ticket_no == self.card.ticket_no), None)


@page.get("/outages")
@allow(Permission.SEE_OUTAGES)
def listing() -> str:
    """List outages of a view."""
    return _listing()


def _listing(problem: str = "") -> str:
    view = request.args.get("view", "active")
    view = view if view in OUTAGE_VIEWS else "active"
    cards = outage_cards(
        db(), scope(), view=view, before_id=request.args.get("before", type=int), limit=PAGE + 1
    )
    values: dict[str, Any] = {
        "rows": _rows(cards[:PAGE]),
        "view": view,
        "views": OUTAGE_VIEWS,
        "counts": outage_counts(db(), scope()),
        "now": clock.now(),
        "next_before": cards[PAGE - 1].id if len(cards) > PAGE else None,
        "problem": problem,
        "filled": request.form,
    }
    if request.args.get("part") == "rows":
        return render_template("loadmgmt/outages/rows.html", **values)
    return show("loadmgmt/outages.html", at="outages", **values)


def _rows(cards: list[OutageCard]) -> list[Row]:
    where = places_of(db(), [], {one.area_id for one in cards})
    sensitive = sensitive_counts(db(), [one.id for one in cards])
    tickets = tickets_of_outages(db(), {one.id: one.outage_no for one in cards})
    return [
        Row(one, where.of(None, one.area_id), sensitive[one.id], tuple(tickets[one.id]))
        for one in cards
    ]


@page.post("/outages")
@allow(Permission.HANDLE_OUTAGES)
def register() -> str | Response | tuple[str, int]:
    """Register an outage by hand; what is wrong is said, nothing typed is lost."""
    try:
        with db().begin_nested():
            number = register_outage(db(), actor(), _new())
    except (BadData, NotFound, Refused) as refused:
        return _listing(sentence(refused, language())), status_of(refused).value
    flash(t("outage.registered", outage_no=number), "ok")
    return redirect(url_for("outages.detail", outage_no=number))


def _new() -> NewOutage:
    word = request.form.get("kind", "")
    kind = OutageKind(word) if word in set(OutageKind) else OutageKind.FAULT
    area = area_by_no(db(), request.form.get("area_no", "").strip().upper())
    return NewOutage(
        kind=kind,
        area_id=area.area_id,
        starts_at=_instant("starts_at") or clock.now(),
        ends_at=_instant("ends_at"),
        box_no=request.form.get("box_no", "").strip().upper() or None,
        cause=request.form.get("cause", "")[:500],
    )


def _instant(name: str) -> datetime | None:
    """Read a time of the office's clock, as a form's date and time field sends it."""
    try:
        said = datetime.fromisoformat(request.form.get(name, ""))
    except ValueError:
        return None
    return (said if said.tzinfo else said.replace(tzinfo=clock.office_zone())).astimezone(UTC)


@page.get("/outages/<outage_no>")
@allow(Permission.SEE_OUTAGES)
def detail(outage_no: str) -> str:
    """Show one outage, or its live part."""
    return _detail(outage_no)


def _detail(outage_no: str, problem: str = "") -> str:
    card = outage_card(db(), scope(), outage_no)
    members = outage_members(db(), card.id)
    reports = outage_reports(db(), card.id)
    calls = calls_by_ids(db(), [one.ref for one in reports if one.source == "call"])
    points = {one.point_id for one in members}
    row = _rows([card])[0]
    values: dict[str, Any] = {
        "card": card,
        "row": row,
        "place": row.place,
        "members": members,
        "reports": [(one, calls.get(one.ref)) for one in reports],
        "where": places_of(db(), points),
        "history": outage_history(db(), card.id),
        "tickets": row.tickets,
        "now": clock.now(),
        "zone": clock.office_zone(),
        "problem": problem,
        "filled": request.form,
    }
    if request.args.get("part") == "outage":
        return render_template("loadmgmt/outages/body.html", **values)
    values["told"] = sum(one.notify for one in people_of_outage(db(), card))
    return show("loadmgmt/outage.html", at="outages", title=outage_no, **values)


@page.post("/outages/<outage_no>/<move>")
@allow(Permission.HANDLE_OUTAGES)
def change(outage_no: str, move: str) -> str | Response | tuple[str, int]:
    """Confirm, expect, explain or end an outage; a refusal keeps what was typed."""
    version = request.form.get("version", 0, type=int)
    try:
        with db().begin_nested():
            _change(outage_no, move, version)
    except (BadData, LostRace) as refused:
        return _detail(outage_no, sentence(refused, language())), status_of(refused).value
    flash(t(f"outage.did.{move}", outage_no=outage_no), "ok")
    return redirect(url_for("outages.detail", outage_no=outage_no))


def _change(outage_no: str, move: str, version: int) -> None:
    form = request.form
    match move:
        case "confirm":
            confirm_outage(db(), actor(), outage_no, version=version)
        case "eta":
            eta_at = _instant("eta_at")
            if eta_at is None:
                raise BadData(field="eta_at")
            reason = form.get("reason", "")
            set_eta(db(), actor(), outage_no, version=version, eta_at=eta_at, reason=reason)
        case "cause":
            set_cause(db(), actor(), outage_no, version=version, cause=form.get("cause", ""))
        case "end":
            end_outage(db(), actor(), outage_no, version=version, note=form.get("note", ""))
        case _:
            raise NotFound(what="move", id=move)
