"""The crew's tasks on a phone."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from callcenter.api.crews import crews_of
from callcenter.api.tickets import (
    FIELD_MOVES,
    add_note,
    flows,
    move_ticket,
    ticket_card,
    ticket_cards,
)
from callcenter.api.types import TicketCard
from foundation.errors import LostRace, NotFound
from foundation.flow.forms import FormRefused
from metering.api.requests import ask
from webapp.auth.guard import allow
from webapp.auth.permissions import Permission
from webapp.chips import chip_of
from webapp.context import language, show, t
from webapp.pages.callcenter.tickets import Row, filled_in, ticket_values, typed
from webapp.places import places_of
from webapp.sentences import sentence
from webapp.session import actor, db, scope

page = Blueprint("crew", __name__)
STEPS = {
    "repair": ("accepted", "on_site", "working", "restored"),
    "inspection": ("accepted", "on_site", "done"),
}


@page.get("/m/tasks")
@allow(Permission.WORK_IN_FIELD)
def tasks() -> str:
    """List the open tasks of the person's own crews: what they can go on with, then the others."""
    cards = ticket_cards(db(), scope(), crew_ids=crews_of(db(), actor().id), limit=100)
    where = places_of(db(), {c.point_id for c in cards}, {c.area_id for c in cards})
    rows = [
        Row(c, where.of(c.point_id, c.area_id), chip_of(c.running) if c.running else None)
        for c in cards
    ]
    lists: dict[str, Any] = {
        "rows": [row for row in rows if _is_with_crew(row.card)],
        "waiting": [row for row in rows if not _is_with_crew(row.card)],
    }
    if request.args.get("part") == "rows":
        return render_template("callcenter/crew/rows.html", **lists)
    return show("callcenter/crew.html", at="crew_tasks", mobile=True, **lists)


def _is_with_crew(card: TicketCard) -> bool:
    """Whether a ticket waits for those who were sent; else others are to do something first."""
    step = flows().version(card.flow, card.flow_version).steps[card.step]
    return not FIELD_MOVES.isdisjoint(step.moves)


@page.get("/m/tasks/<ticket_no>")
@allow(Permission.WORK_IN_FIELD)
def task(ticket_no: str) -> str:
    """Show one task."""
    return _task(ticket_no)


def _task(ticket_no: str, *, problems: dict[str, str] | None = None, lost: str = "") -> str:
    card = _own(ticket_no)
    values: dict[str, Any] = ticket_values(card)
    values |= {"steps": STEPS[card.flow], "problems": problems or {}, "filled": request.form}
    values |= {"lost": lost, "typed": typed() if lost else []}
    if request.args.get("part") == "task":
        return render_template("callcenter/crew/task_body.html", **values)
    return show(
        "callcenter/crew/task.html", at="crew_tasks", title=ticket_no, mobile=True, **values
    )


def _own(ticket_no: str) -> TicketCard:
    """Give a ticket of the person's own crews; any other looks as if there were none."""
    card = ticket_card(db(), ticket_no)
    if card.crew_id not in crews_of(db(), actor().id):
        raise NotFound(what="ticket", id=ticket_no)
    return card


@page.post("/m/tasks/<ticket_no>/move/<move>")
@allow(Permission.WORK_IN_FIELD)
def make_move(ticket_no: str, move: str) -> str | Response | tuple[str, int]:
    """Report progress from the field."""
    try:
        move_ticket(
            db(),
            actor(),
            ticket_no,
            move,
            version=request.form.get("version", 0, type=int),
            note=request.form.get("note", ""),
            form=filled_in(),
            done_at=_done_at(),
        )
    except FormRefused as refused:
        return _task(ticket_no, problems=refused.problems), 422
    except LostRace as lost:
        db().rollback()
        return _task(ticket_no, lost=sentence(lost, language())), 409
    flash(t("crew.moved", move=t(f"move.{move}")), "ok")
    if ticket_card(db(), ticket_no).crew_id is None:
        return redirect(url_for("crew.tasks"))
    return redirect(url_for("crew.task", ticket_no=ticket_no))


def _done_at() -> datetime | None:
    """Read when it was done by the phone's own clock, if it says so."""
    try:
        said = datetime.fromisoformat(request.form.get("done_at", ""))
        return said.astimezone(UTC) if said.tzinfo else None
    except (ValueError, OverflowError):
        return None


@page.post("/m/tasks/<ticket_no>/note")
@allow(Permission.WORK_IN_FIELD)
def note(ticket_no: str) -> Response:
    """Add a remark from the field."""
    add_note(db(), actor(), _own(ticket_no).ticket_no, request.form.get("text", ""))
    return redirect(url_for("crew.task", ticket_no=ticket_no))


@page.post("/m/tasks/<ticket_no>/read")
@allow(Permission.WORK_IN_FIELD)
def read_now(ticket_no: str) -> Response:
    """Ask the task's meter to be read now."""
    values = ticket_values(_own(ticket_no))
    meter = values["place"].meter
    if meter is not None:
        ask(db(), actor(), meter.meter_id)
    return redirect(url_for("crew.task", ticket_no=ticket_no))
