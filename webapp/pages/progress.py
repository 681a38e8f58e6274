"""A customer follows their application on a phone: number and code, no account, no script."""

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask import session as cookie
from werkzeug.wrappers import Response

from customers.api.applications import code_fits, progress
from customers.api.types import Progress
from foundation import clock
from foundation.flow.calendar import office_calendar
from foundation.worktime import working_days_between
from webapp import lockout
from webapp.auth.guard import public
from webapp.context import language, t
from webapp.sentences import sentence
from webapp.session import db, keep_changes

page = Blueprint("progress", __name__)
SEEN = "progress"  # a key of the cookie: numbers whose code was given
MOST_SEEN = 5
PER_ADDRESS, PER_NUMBER = 10, 40
"""Wrong codes within a quarter of an hour that lock an address, and a number."""
HELD_S = 2 * 3600
Answer = str | Response | tuple[str, int]


@page.get("/p/apply")
@public
def ask() -> str:
    """Ask for number and code."""
    return _form(request.args.get("no", "").strip())


def _form(number: str, error: str = "") -> str:
    return render_template("progress/ask.html", number=number, error=error, public_title=True)


@page.post("/p/apply")
@public
def check() -> Answer:
    """Open the case if the code is its own; a wrong number and a wrong code look alike."""
    number = request.form.get("number", "").strip().upper()
    address = f"address:{request.remote_addr or ''}"
    try:
        lockout.refuse_locked(db(), address, f"number:{number[:40]}")
    except lockout.TooManyTries as refused:
        return _form(number, sentence(refused, language())), 429
    if not code_fits(db(), number, request.form.get("code", "")):
        lockout.count_failure(db(), address, most=PER_ADDRESS)
        lockout.count_failure(db(), f"number:{number[:40]}", most=PER_NUMBER)
        keep_changes()
        return _form(number, t("progress.refused")), 422
    lockout.clear(db(), address)
    seen = {number: clock.now().timestamp()} | _seen()
    cookie[SEEN] = dict(list(seen.items())[:MOST_SEEN])
    return redirect(url_for("progress.show", application_no=number))


def _seen() -> dict[str, float]:
    known: dict[str, float] = cookie.get(SEEN, {})
    since = clock.now().timestamp() - HELD_S
    return {number: at for number, at in known.items() if at > since}


@page.get("/p/apply/<application_no>")
@public
def show(application_no: str) -> Answer:
    """Show how far a case is, to who has given its code in this browser."""
    if application_no not in _seen():
        if request.headers.get("HX-Request") == "true":
            return make_response("", 401)
        return _form(application_no)
    found = progress(db(), application_no)
    values: dict[str, Any] = {"case": found, "days": _days(found), "now": clock.now()}
    if request.args.get("part") == "progress":
        return render_template("progress/body.html", **values)
    return render_template("progress/show.html", **values)


def _days(found: Progress) -> dict[str, int | None]:
    """Give working days used and promised; the promise stands still while we wait."""
    if found.promise is None:
        return {"used": None, "promised": None}
    calendar = office_calendar()
    clock_ = found.promise
    until = clock_.met_at or clock_.paused_at or clock.now()
    return {
        "used": working_days_between(clock_.started_at, until, calendar),
        "promised": working_days_between(clock_.started_at, clock_.due_at, calendar),
    }
