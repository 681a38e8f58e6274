"""Stage tasks (环节待办): what waits for my department, by the time left."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from customers.api.applications import application_card, claim_step, inbox, late_steps
from foundation import clock
from foundation.actor import Role
from foundation.errors import LostRace, Refused
from webapp.auth.guard import allow
from webapp.auth.permissions import Permission
from webapp.context import language, show, t
from webapp.pages.customers.applications import Row, rows_of
from webapp.sentences import sentence
from webapp.session import actor, db

page = Blueprint("tasks", __name__)
GROUPS = ("over", "today", "later", "paused")
MOST = 500


@page.get("/tasks")
@allow(Permission.WORK_STAGES)
def listing() -> str:
    """List the steps of my department, the most urgent first."""
    me = actor()
    mine = request.args.get("mine") == "1"
    rows = [row for row in rows_of(inbox(db(), me)) if not mine or row.card.holder_id == me.id]
    values: dict[str, Any] = {
        "groups": _grouped(rows),
        "n": len(rows),
        "mine": mine,
        "n_mine": sum(row.card.holder_id == me.id for row in rows),
        "late": late_steps(db(), limit=20) if Role.SUPERVISOR in me.roles else [],
    }
    if request.args.get("part") == "rows":
        return render_template("customers/tasks/rows.html", **values)
    return show("customers/tasks.html", at="tasks", **values)


def _grouped(rows: list[Row]) -> dict[str, list[Row]]:
    """Group by time left: run over, due by the end of tomorrow, later, waiting."""
    now, soon = clock.now(), clock.day_span(clock.business_date() + timedelta(days=1))[1]
    found: dict[str, list[Row]] = {name: [] for name in GROUPS}
    for row in rows:
        running = row.card.running
        if row.card.paused_at is not None:
            found["paused"].append(row)
        elif running is not None and running.due_at < now:
            found["over"].append(row)
        elif running is not None and running.due_at < soon:
            found["today"].append(row)
        else:
            found["later"].append(row)
    return {name: some for name, some in found.items() if some}


@page.post("/tasks/claim")
@allow(Permission.WORK_STAGES)
def claim_many() -> Response:
    """Take several steps at once; what somebody else has is left, and said."""
    taken, skipped = 0, []
    for application_no in request.form.getlist("ids")[:MOST]:
        try:
            with db().begin_nested():
                card = application_card(db(), application_no)
                claim_step(db(), actor(), application_no, version=card.version)
            taken += 1
        except (LostRace, Refused) as refused:
            skipped.append(sentence(refused, language()))
    flash(t("tasks.claimed", n=taken), "ok")
    for why in skipped[:3]:
        flash(why, "warning")
    return redirect(url_for("tasks.listing"))
