"""What a person does with a case: completes, returns, lets wait, takes, notes, rehearses."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask import session as cookie
from werkzeug.wrappers import Response

from customers.api.applications import (
    application_card,
    claim_step,
    complete_step,
    give_back_step,
    issue_code,
    pause_case,
    rehearse,
    resume_case,
    settle_conflict,
)
from customers.api.case_files import add_note, archive_plan
from customers.api.types import StepBlocked
from foundation.errors import GridhallError, LostRace, Refused
from foundation.flow.engine import NoteMissing
from foundation.flow.forms import FormRefused
from webapp import drafts
from webapp.auth.guard import allow
from webapp.auth.permissions import Permission
from webapp.context import language, t
from webapp.pages.customers.applications import FRESH_CODE, case_page, draft_key
from webapp.sentences import sentence
from webapp.session import actor, db

page = Blueprint("app_steps", __name__)
Answer = str | Response | tuple[str, int]
LISTS = frozenset({"live_checks"})


@page.post("/apps/<application_no>/step/<outcome>")
@allow(Permission.HANDLE_APPLICATION)
def make_move(application_no: str, outcome: str) -> Answer:
    """Complete the present step, or send it back; nothing typed is lost."""
    card = application_card(db(), application_no)
    key = draft_key(card)
    try:
        complete_step(
            db(),
            actor(),
            application_no,
            outcome,
            version=request.form.get("version", 0, type=int),
            form=filled_in(),
            note=request.form.get("note", ""),
            to=request.form.get("to", ""),
        )
    except FormRefused as refused:
        return case_page(application_no, move=outcome, problems=refused.problems), 422
    except NoteMissing:
        return case_page(application_no, move=outcome, problems={"note": "required"}), 422
    except StepBlocked as blocked:
        return case_page(application_no, move=outcome, blocked=blocked.blockers), 422
    except (LostRace, Refused) as lost:
        return _too_late(application_no, lost)
    drafts.drop(db(), actor(), key)
    flash(t("app.moved", no=application_no, move=t(f"app.move.{outcome}")), "ok")
    return redirect(url_for("apps.detail", application_no=application_no))


def _too_late(application_no: str, error: GridhallError) -> Answer:
    db().rollback()
    return case_page(application_no, lost=sentence(error, language())), 409


def filled_in() -> dict[str, Any]:
    """Give the form's fields: lists for check boxes, text for the rest."""
    return {
        name: request.form.getlist(name) if name in LISTS else request.form.get(name, "")
        for name in request.form
    }


@page.post("/apps/<application_no>/draft")
@allow(Permission.HANDLE_APPLICATION)
def save_draft(application_no: str) -> Response:
    """Keep what was typed into the form of a step; nothing else changes."""
    card = application_card(db(), application_no)
    skip = {"csrf_token", "version", "step"}
    content = {name: value for name, value in filled_in().items() if name not in skip}
    drafts.save(db(), actor(), draft_key(card), content)
    if request.headers.get("HX-Request") == "true":
        return Response(status=204)
    flash(t("app.draft_saved"), "ok")
    return redirect(url_for("apps.detail", application_no=application_no))


def _do(application_no: str, act: Callable[[int], object], *, back: str = "") -> Answer:
    try:
        act(request.form.get("version", 0, type=int))
    except (LostRace, Refused) as lost:
        return _too_late(application_no, lost)
    return redirect(back or url_for("apps.detail", application_no=application_no))


@page.post("/apps/<application_no>/claim")
@allow(Permission.HANDLE_APPLICATION)
def claim(application_no: str) -> Answer:
    """Take the present step (领取)."""
    return _do(
        application_no, lambda version: claim_step(db(), actor(), application_no, version=version)
    )


@page.post("/apps/<application_no>/give-back")
@allow(Permission.HANDLE_APPLICATION)
def give_back(application_no: str) -> Answer:
    """Put the present step back for the others."""
    return _do(
        application_no,
        lambda version: give_back_step(db(), actor(), application_no, version=version),
    )


@page.post("/apps/<application_no>/pause")
@allow(Permission.HANDLE_APPLICATION)
def pause(application_no: str) -> Answer:
    """Let the case wait for the customer (挂起)."""
    reason, note = request.form.get("reason", ""), request.form.get("note", "")
    return _do(
        application_no,
        lambda version: pause_case(
            db(), actor(), application_no, reason, version=version, note=note
        ),
    )


@page.post("/apps/<application_no>/resume")
@allow(Permission.HANDLE_APPLICATION)
def resume(application_no: str) -> Answer:
    """Let a waiting case go on."""
    return _do(
        application_no, lambda version: resume_case(db(), actor(), application_no, version=version)
    )


@page.post("/apps/<application_no>/note")
@allow(Permission.HANDLE_APPLICATION)
def note(application_no: str) -> Response:
    """Add a remark."""
    add_note(db(), actor(), application_no, request.form.get("text", ""))
    return redirect(url_for("apps.detail", application_no=application_no))


@page.post("/apps/<application_no>/code")
@allow(Permission.ACCEPT_APPLICATION)
def new_code(application_no: str) -> Response:
    """Give the customer's progress page a new code, shown once."""
    cookie[FRESH_CODE] = (application_no, issue_code(db(), actor(), application_no))
    return redirect(url_for("apps.detail", application_no=application_no))


@page.post("/apps/<application_no>/rehearse")
@allow(Permission.HANDLE_APPLICATION)
def try_out(application_no: str) -> Response:
    """Write the archive, say what would be refused, and take it all back (预演)."""
    refused = rehearse(db(), actor(), application_no)
    if refused is None:
        flash(t("app.rehearsal.fine"), "ok")
    else:
        why = sentence(refused, language())
        flash(t("app.rehearsal.refused", why=why), "warning")
    return redirect(url_for("apps.detail", application_no=application_no, tab="archive"))


@page.post("/apps/<application_no>/settle/<line>/<choice>")
@allow(Permission.HANDLE_APPLICATION)
def settle(application_no: str, line: str, choice: str) -> Response:
    """Decide a line the archive and the case disagree on."""
    card = application_card(db(), application_no)
    found = next((one for one in archive_plan(db(), card) if one.key == line), None)
    if found is not None:
        seen = str(found.current)
        settle_conflict(db(), actor(), application_no, line, choice, seen=seen)
    return redirect(url_for("apps.detail", application_no=application_no, tab="archive"))
