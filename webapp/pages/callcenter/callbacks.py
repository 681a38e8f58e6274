"""Call-backs (回访): whom to call, what they say, and what it does to the ticket."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from callcenter.api.callbacks import (
    CALLBACK_VIEWS,
    callback_attempts,
    callback_card,
    callback_cards,
    callback_counts,
    callback_rules,
    note_attempt,
    take_answer,
)
from callcenter.api.tickets import ticket_card, ticket_history
from callcenter.api.types import Answer, AttemptResult, CallbackCard
from foundation import clock
from foundation.errors import BadData, Refused
from foundation.worktime import quiet_until
from webapp.auth.guard import allow
from webapp.auth.permissions import Permission
from webapp.context import language, show, t
from webapp.errors import status_of
from webapp.places import Place, places_of
from webapp.sentences import sentence
from webapp.session import actor, db, scope

page = Blueprint("callbacks", __name__)
PAGE = 50
NOT_REACHED = tuple(one for one in AttemptResult if one is not AttemptResult.REACHED)
SCALE = (5, 4, 3, 2, 1)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list."""

    card: CallbackCard
    place: Place


@page.get("/callbacks")
@allow(Permission.CALL_BACK)
def listing() -> str:
    """List whom to call back, with one of them opened."""
    return _listing()


def _listing(problem: str = "") -> str:
    view = request.values.get("view", "due")
    view = view if view in CALLBACK_VIEWS else "due"
    cards = callback_cards(
        db(), scope(), view=view, before_id=request.args.get("before", type=int), limit=PAGE + 1
    )
    where = places_of(db(), {one.point_id for one in cards})
    chosen = request.values.get("id", type=int)
    values: dict[str, Any] = {
        "rows": [Row(one, where.of(one.point_id)) for one in cards[:PAGE]],
        "view": view,
        "views": CALLBACK_VIEWS,
        "counts": callback_counts(db(), scope()),
        "quiet": quiet_until(clock.now(), callback_rules().quiet, clock.office_zone()),
        "next_before": cards[PAGE - 1].id if len(cards) > PAGE else None,
        "chosen": None,
        "problem": problem,
        "filled": request.form,
    }
    if request.args.get("part") == "rows":
        return render_template("callcenter/callbacks/rows.html", **values)
    if chosen is not None:
        values |= _chosen(chosen)
    return show("callcenter/callbacks.html", at="callbacks", **values)


def _chosen(callback_id: int) -> dict[str, Any]:
    card = callback_card(db(), callback_id)
    ticket = ticket_card(db(), card.ticket_no)
    return {
        "chosen": Row(card, places_of(db(), {card.point_id}).of(card.point_id)),
        "ticket": ticket,
        "history": ticket_history(db(), ticket.case_id),
        "attempts": callback_attempts(db(), callback_id),
        "most": callback_rules().attempts,
        "results": NOT_REACHED,
        "scale": SCALE,
    }


@page.post("/callbacks/<int:callback_id>/answer")
@allow(Permission.CALL_BACK)
def answer(callback_id: int) -> str | Response | tuple[str, int]:
    """Write down what the customer said; a refusal keeps what was typed."""
    satisfaction = request.form.get("satisfaction", type=int)
    said = Answer(
        solved=request.form.get("solved") == "yes",
        satisfaction=satisfaction if satisfaction in SCALE else None,
        note=request.form.get("note", ""),
    )
    try:
        with db().begin_nested():
            again = take_answer(
                db(), actor(), callback_id, said, version=_version(), agreed=_agreed()
            )
    except (Refused, BadData) as refused:
        return _again(callback_id, refused)
    number = callback_card(db(), callback_id).ticket_no
    flash(t("callbacks.reopened" if again else "callbacks.done", ticket_no=number), "ok")
    return redirect(url_for("callbacks.listing"))


@page.post("/callbacks/<int:callback_id>/attempt")
@allow(Permission.CALL_BACK)
def attempt(callback_id: int) -> str | Response | tuple[str, int]:
    """Note that the customer was not reached."""
    word = request.form.get("result", "")
    result = AttemptResult(word) if word in set(NOT_REACHED) else AttemptResult.NO_ANSWER
    note = request.form.get("note", "")
    try:
        with db().begin_nested():
            gave_up = note_attempt(
                db(),
                actor(),
                callback_id,
                version=_version(),
                result=result,
                note=note,
                agreed=_agreed(),
            )
    except (Refused, BadData) as refused:
        return _again(callback_id, refused)
    flash(t("callbacks.gave_up" if gave_up else "callbacks.attempted"), "ok")
    return redirect(url_for("callbacks.listing"))


def _again(callback_id: int, refused: Refused | BadData) -> tuple[str, int]:
    request.view_args = {"callback_id": callback_id}
    return _listing(sentence(refused, language())), status_of(refused).value


def _version() -> int:
    return request.form.get("version", 0, type=int)


def _agreed() -> bool:
    return bool(request.form.get("agreed"))
