"""Commands to meters (指令复核): asked for by one person, reviewed by another."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from callcenter.api.tickets import tickets_at
from callcenter.api.types import TicketKind
from foundation import clock
from foundation.errors import BadData, NotAllowed, Refused
from metering.api.devices import meter_by_no
from metering.api.readings import latest
from metering.api.requests import (
    approve_write,
    ask,
    ask_write,
    count_awaiting,
    cutting_hours,
    newest_request,
    reject_write,
    withdraw_write,
    write_card,
    write_cards,
    write_checks,
    write_reasons,
)
from metering.api.types import MeterCard, NewWrite, WriteCard, WriteKind, WriteState
from webapp.auth.guard import allow
from webapp.auth.permissions import Permission
from webapp.chips import Chip
from webapp.context import language, show, t
from webapp.errors import status_of
from webapp.format import dur
from webapp.places import Place, places_of
from webapp.sentences import sentence
from webapp.session import actor, db

page = Blueprint("commands", __name__)
VIEWS = ("open", "all")
PAGE = 50


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list."""

    card: WriteCard
    place: Place
    chip: Chip | None


@page.get("/commands")
@allow(Permission.SEE_COMMANDS)
def listing() -> str:
    """List commands: those still open, those waiting for me first; or all."""
    view = request.args.get("view", "open")
    view = view if view in VIEWS else "open"
    before = request.args.get("before", type=int)
    cards = write_cards(db(), is_open=view == "open", before_id=before, limit=PAGE + 1)
    shown = cards[:PAGE]
    if view == "open":
        shown = sorted(shown, key=lambda card: (not _waits_for_me(card), -card.id))
    where = places_of(db(), {card.point_id for card in shown})
    values: dict[str, Any] = {
        "rows": [Row(card, where.of(card.point_id), _countdown(card)) for card in shown],
        "view": view,
        "views": VIEWS,
        "awaiting": count_awaiting(db()),
        "next_before": shown[-1].id if len(cards) > PAGE else None,
        "me": actor().id,
    }
    if request.args.get("part") == "rows":
        return render_template("metering/commands/rows.html", **values)
    return show("metering/commands.html", at="commands", **values)


def _waits_for_me(card: WriteCard) -> bool:
    return card.state is WriteState.AWAITING and card.asked_by_id != actor().id


def _countdown(card: WriteCard) -> Chip | None:
    """Give what is left of the review's time; always amber, as nothing is promised."""
    if card.state is not WriteState.AWAITING:
        return None
    now, total = clock.now(), card.expires_at - card.asked_at
    left = max(card.expires_at - now, timedelta(0))
    return Chip(
        name="review",
        kind="warn",
        due_iso=card.expires_at.astimezone(clock.office_zone()).isoformat(timespec="seconds"),
        total_s=int(total.total_seconds()),
        used_pct=round(100 * (1 - left / total)),
        text=t("sla.left", time=dur(left, t)),
        was_late=False,
    )


@page.get("/commands/<command_no>")
@allow(Permission.SEE_COMMANDS)
def detail(command_no: str) -> str:
    """Show one command with its checks, the meter's live values and its history."""
    return _detail(command_no, {}, "")


def _detail(command_no: str, filled: dict[str, str], problem: str) -> str:
    card = write_card(db(), command_no)
    meter = meter_by_no(db(), card.meter_no)
    waits = card.state is WriteState.AWAITING
    values: dict[str, Any] = {
        "card": card,
        "meter": meter,
        "place": places_of(db(), {card.point_id}).of(card.point_id),
        "chip": _countdown(card),
        "latest": latest(db(), [meter.meter_id]).get(meter.meter_id),
        "request_": newest_request(db(), meter.meter_id),
        "checks": _pending_aside(meter, card.kind) if waits else [],
        "hours": cutting_hours(),
        "mine": card.asked_by_id == actor().id,
        "filled": filled,
        "problem": problem,
    }
    if request.args.get("part") == "state" and not problem:
        return render_template("metering/commands/state.html", **values)
    return show("metering/command.html", at="commands", title=command_no, **values)


def _pending_aside(meter: MeterCard, kind: WriteKind) -> list[Any]:
    """Give the checks as they stand now, but that this command itself is pending."""
    found = write_checks(db(), meter.meter_id, kind, is_repair_open=is_repair_open(meter))
    return [one for one in found if one.check != "nothing_pending"]


def is_repair_open(meter: MeterCard) -> bool:
    """Whether a repair is under way at a meter's point."""
    return any(
        one.kind is TicketKind.REPAIR and one.ended_at is None
        for one in tickets_at(db(), [meter.point_id])
    )


@page.get("/meters/<meter_no>/command")
@allow(Permission.ASK_COMMAND)
def form(meter_no: str) -> str:
    """Show the form that asks for a meter to be switched, with its checks."""
    return _form(meter_no, {}, "")


def _form(meter_no: str, filled: dict[str, str], problem: str) -> str:
    meter = meter_by_no(db(), meter_no)
    kind = _kind(filled.get("kind") or request.args.get("kind", ""))
    repair = is_repair_open(meter)
    return show(
        "metering/commands/new.html",
        at="commands",
        title=t("commands.new"),
        meter=meter,
        place=places_of(db(), {meter.point_id}).of(meter.point_id),
        kind=kind,
        kinds=list(WriteKind),
        reasons=write_reasons(kind),
        checks=write_checks(db(), meter.meter_id, kind, is_repair_open=repair),
        hours=cutting_hours(),
        filled=filled,
        problem=problem,
    )


def _kind(word: str) -> WriteKind:
    return WriteKind(word) if word in {one.value for one in WriteKind} else WriteKind.OPEN


@page.post("/meters/<meter_no>/command")
@allow(Permission.ASK_COMMAND)
def ask_for(meter_no: str) -> Response | tuple[str, int]:
    """Ask for a meter to be switched."""
    meter = meter_by_no(db(), meter_no)
    filled = {name: request.form.get(name, "") for name in ("kind", "reason", "note", "ticket")}
    try:
        with db().begin_nested():
            number = ask_write(
                db(),
                actor(),
                NewWrite(
                    meter_id=meter.meter_id,
                    kind=_kind(filled["kind"]),
                    reason=filled["reason"],
                    note=filled["note"],
                    ticket_no=filled["ticket"],
                    is_repair_open=is_repair_open(meter),
                ),
            )
    except (BadData, Refused) as refused:
        return _form(meter_no, filled, sentence(refused, language())), status_of(refused)
    flash(t("commands.asked", no=number), "ok")
    return redirect(url_for("commands.detail", command_no=number))


@page.post("/commands/<command_no>/review")
@allow(Permission.REVIEW_COMMAND)
def review(command_no: str) -> Response | tuple[str, int]:
    """Approve or reject a command somebody else asked for."""
    filled = {name: request.form.get(name, "") for name in ("ending", "opinion")}
    version = request.form.get("version", 0, type=int)
    approves = request.form.get("verdict") == "approve"
    try:
        with db().begin_nested():
            if approves:
                meter = meter_by_no(db(), write_card(db(), command_no).meter_no)
                approve_write(
                    db(),
                    actor(),
                    command_no,
                    version=version,
                    is_repair_open=is_repair_open(meter),
                    **filled,
                )
            else:
                reject_write(db(), actor(), command_no, version=version, opinion=filled["opinion"])
    except (BadData, Refused, NotAllowed) as refused:
        return _detail(command_no, filled, sentence(refused, language())), status_of(refused)
    flash(t("commands.approved" if approves else "commands.rejected", no=command_no), "ok")
    return redirect(url_for("commands.detail", command_no=command_no))


@page.post("/commands/<command_no>/withdraw")
@allow(Permission.ASK_COMMAND)
def withdraw(command_no: str) -> Response:
    """Take back a command nobody has reviewed."""
    withdraw_write(db(), actor(), command_no, version=request.form.get("version", 0, type=int))
    flash(t("commands.withdrawn", no=command_no), "ok")
    return redirect(url_for("commands.listing"))


@page.post("/commands/<command_no>/read")
@allow(Permission.READ_METER)
def read_now(command_no: str) -> Response:
    """Read the meter's live values again before a review."""
    card = write_card(db(), command_no)
    ask(db(), actor(), card.meter_id)
    return redirect(url_for("commands.detail", command_no=command_no))
