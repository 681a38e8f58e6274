"""Tickets (工单): the list, one ticket, and its moves."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from callcenter.api.crews import crews, crews_of, in_order_of_fitness
from callcenter.api.tickets import (
    FIELD_MOVES,
    SIDE_MOVES,
    VIEWS,
    add_note,
    flows,
    forms,
    load_of_crews,
    move_ticket,
    open_ticket,
    ticket_card,
    ticket_cards,
    ticket_contact,
    ticket_counts,
    ticket_history,
    ticket_notes,
)
from callcenter.api.types import (
    CrewCard,
    CrewKind,
    NewTicket,
    Priority,
    TicketCard,
    TicketKind,
    TicketSource,
)
from foundation.errors import LostRace
from foundation.flow.engine import moves_open_to
from foundation.flow.forms import Form, FormRefused
from loadmgmt.api.alerts import alert_card, alert_history
from loadmgmt.api.outages import outage_rules, outages_by_id
from metering.api.devices import meter_by_no
from metering.api.readings import latest
from metering.api.requests import newest_request
from webapp.auth.guard import allow
from webapp.auth.permissions import Permission
from webapp.chips import Chip, chip_of
from webapp.context import language, show, t
from webapp.places import Place, places_of
from webapp.sentences import sentence
from webapp.session import actor, db, scope

page = Blueprint("tickets", __name__)
PAGE = 50
CALL_BACK = "call_back"
STAGES = {
    "repair": (
        "new",
        "sent",
        "accepted",
        "on_site",
        "working",
        "restored",
        "done",
        CALL_BACK,
        "archived",
    ),
    "inspection": ("new", "sent", "accepted", "on_site", "done", "archived"),
}
"""The straight way of each flow, as the stage timeline draws it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list."""

    card: TicketCard
    place: Place
    chip: Chip | None


@dataclass(frozen=True, slots=True)
class Way:
    """One move this person may make, with its form."""

    name: str
    form: Form | None
    form_name: str
    needs_note: bool
    primary: bool


@page.get("/tickets")
@allow(Permission.SEE_TICKETS)
def listing() -> str:
    """List tickets of a view."""
    view = request.args.get("view", "open")
    view = view if view in VIEWS else "open"
    kind = request.args.get("kind", "")
    search = request.args.get("q", "").strip()
    cards = ticket_cards(
        db(),
        scope(),
        view=view,
        kind=TicketKind(kind) if kind in set(TicketKind) else None,
        search=search,
        after_id=request.args.get("after", type=int),
        limit=PAGE + 1,
    )
    where = places_of(db(), {c.point_id for c in cards}, {c.area_id for c in cards})
    rows = [
        Row(c, where.of(c.point_id, c.area_id), chip_of(c.running) if c.running else None)
        for c in cards[:PAGE]
    ]
    values: dict[str, Any] = {
        "rows": rows,
        "view": view,
        "views": VIEWS,
        "kind": kind,
        "kinds": list(TicketKind),
        "search": search,
        "counts": ticket_counts(db(), scope()),
        "next_after": cards[PAGE - 1].id if len(cards) > PAGE else None,
    }
    if request.args.get("part") == "rows":
        return render_template("callcenter/tickets/rows.html", **values)
    return show("callcenter/tickets.html", at="tickets", **values)


@page.get("/tickets/new")
@allow(Permission.OPEN_TICKET)
def new() -> str:
    """Show the form of a new ticket."""
    return _new_form({}, {})


def _new_form(filled: dict[str, str], problems: dict[str, str]) -> str:
    return show(
        "callcenter/ticket_new.html",
        at="tickets",
        title=t("tickets.new"),
        filled=filled,
        problems=problems,
        kinds=list(TicketKind),
        priorities=list(Priority),
    )


@page.post("/tickets/new")
@allow(Permission.OPEN_TICKET)
def make() -> str | Response | tuple[str, int]:
    """Open a ticket by hand; what is wrong is said beside its field, nothing typed is lost."""
    filled = {name: request.form.get(name, "").strip() for name in request.form}
    problems = {}
    if not filled.get("title"):
        problems["title"] = "required"
    if filled.get("kind") not in set(TicketKind):
        problems["kind"] = "choice"
    if filled.get("priority") not in set(Priority):
        problems["priority"] = "choice"
    if problems:
        return _new_form(filled, problems), 422
    meter = meter_by_no(db(), filled["meter_no"]) if filled.get("meter_no") else None
    ticket_no = open_ticket(
        db(),
        actor(),
        NewTicket(
            kind=TicketKind(filled["kind"]),
            title=filled["title"],
            description=filled.get("description", ""),
            source=TicketSource.MANUAL,
            priority=Priority(filled["priority"]),
            point_id=meter.point_id if meter else None,
        ),
    )
    flash(t("tickets.opened", ticket_no=ticket_no), "ok")
    return redirect(url_for("tickets.detail", ticket_no=ticket_no))


@page.get("/tickets/<ticket_no>")
@allow(Permission.SEE_TICKETS)
def detail(ticket_no: str) -> str:
    """Show one ticket, or its live part."""
    return _detail(ticket_no)


def _detail(
    ticket_no: str, *, move: str = "", problems: dict[str, str] | None = None, lost: str = ""
) -> str:
    card = ticket_card(db(), ticket_no)
    values = ticket_values(card)
    values |= {"move": move, "problems": problems or {}, "filled": request.form, "lost": lost}
    values["typed"] = typed() if lost else []
    part = {"ticket": "body", "dialogs": "dialogs"}.get(request.args.get("part", ""))
    if part:
        return render_template(f"callcenter/ticket/{part}.html", **values)
    return show("callcenter/ticket.html", at="tickets", title=ticket_no, **values)


def ticket_values(card: TicketCard) -> dict[str, Any]:
    """Give everything a ticket's pages show."""
    place = places_of(db(), {card.point_id}, {card.area_id}).of(card.point_id, card.area_id)
    meter = place.meter
    past = ticket_history(db(), card.case_id)
    outage = outages_by_id(db(), [card.outage_id])[card.outage_id] if card.outage_id else None
    kind = CrewKind.INSPECTION if card.kind is TicketKind.INSPECTION else CrewKind.REPAIR
    return {
        "ticket": card,
        "place": place,
        "contact": ticket_contact(db(), card.id),
        "latest": latest(db(), [meter.meter_id]).get(meter.meter_id) if meter else None,
        "request_": newest_request(db(), meter.meter_id) if meter else None,
        "alert": alert_card(db(), scope(), card.alert_id) if card.alert_id else None,
        "alert_history": alert_history(db(), card.alert_id) if card.alert_id else [],
        "history": past,
        "notes": ticket_notes(db(), card.id),
        "chips": [chip_of(clock) for clock in card.clocks],
        "stages": _stages(card, {one.to_step for one in past}),
        "ways": ways_of(card),
        "crews": _crews(kind, card.unit_id),
        "outage": outage,
        "dark": outage.was_dark if outage else 0,
        "share": outage_rules().restore.share,
    }


def _stages(card: TicketCard, entered: set[str]) -> list[str]:
    """Give the straight way of a ticket; without the call-back where it ended without one."""
    steps = flows().version(card.flow, card.flow_version).steps
    left_out = {CALL_BACK} - entered if card.ended_at else set()
    return [step for step in STAGES[card.flow] if step in steps and step not in left_out]


def _crews(kind: CrewKind, unit_id: int | None) -> list[CrewCard]:
    load = load_of_crews(db())
    loaded = [
        CrewCard(c.id, c.name, c.kind, c.unit_id, c.on_shift, load.get(c.id, 0))
        for c in crews(db())
    ]
    return in_order_of_fitness(loaded, kind=kind, unit_id=unit_id)


def ways_of(card: TicketCard) -> list[Way]:
    """Give the moves this person may make, the first one primary."""
    flow = flows().version(card.flow, card.flow_version)
    mine = card.crew_id in crews_of(db(), actor().id)
    ways: list[Way] = []
    for name, move in moves_open_to(flow, card.step, actor()).items():
        if name in FIELD_MOVES and not mine:
            continue
        form = forms().forms[move.form] if move.form else None
        leads = name not in SIDE_MOVES and not any(way.primary for way in ways)
        needs_note = move.note == "required"
        ways.append(Way(name, form, move.form or "", needs_note, primary=leads))
    return ways


@page.post("/tickets/<ticket_no>/move/<move>")
@allow(Permission.MOVE_TICKET)
def make_move(ticket_no: str, move: str) -> str | Response | tuple[str, int]:
    """Move a ticket; a form with gaps comes back as it was, each gap named."""
    try:
        move_ticket(
            db(),
            actor(),
            ticket_no,
            move,
            version=request.form.get("version", 0, type=int),
            note=request.form.get("note", ""),
            form=filled_in(),
        )
    except FormRefused as refused:
        return _detail(ticket_no, move=move, problems=refused.problems), 422
    except LostRace as lost:
        db().rollback()
        return _detail(ticket_no, lost=sentence(lost, language())), 409
    flash(t("tickets.moved", ticket_no=ticket_no, move=t(f"move.{move}")), "ok")
    return redirect(url_for("tickets.detail", ticket_no=ticket_no))


def filled_in() -> dict[str, Any]:
    """Give the form's fields: lists for check boxes, text for the rest."""
    lists = {"measures"}
    return {
        name: request.form.getlist(name) if name in lists else request.form.get(name, "")
        for name in request.form
    }


def typed() -> list[tuple[str, str]]:
    """Give what was typed into a form that came too late, to be read and copied."""
    names = ("note", "work_done", "seen", "seal_no", "second_inspector")
    said = ((name, request.form.get(name, "").strip()) for name in names)
    return [(name, text) for name, text in said if text]


@page.post("/tickets/<ticket_no>/note")
@allow(Permission.MOVE_TICKET)
def note(ticket_no: str) -> Response:
    """Add a remark."""
    add_note(db(), actor(), ticket_no, request.form.get("text", ""))
    return redirect(url_for("tickets.detail", ticket_no=ticket_no))
