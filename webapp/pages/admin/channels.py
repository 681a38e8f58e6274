"""Channels: notices to customers, what became of each, and who wants none."""

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from callcenter.api.messages import deliveries, message_book, opt_out
from callcenter.api.types import DeliveryState
from foundation.errors import BadData
from webapp.auth.guard import allow
from webapp.auth.permissions import Permission
from webapp.context import language, show, t
from webapp.errors import status_of
from webapp.sentences import sentence
from webapp.session import actor, db, office

page = Blueprint("channels", __name__)
PAGE = 50


@page.get("/admin/channels")
@allow(Permission.MANAGE_CHANNELS)
def listing() -> str:
    """List notices newest first, with the templates they were made of."""
    return _listing()


def _listing(problem: str = "") -> str:
    word = request.args.get("state", "")
    state = DeliveryState(word) if word in set(DeliveryState) else None
    rows = deliveries(
        db(), state=state, before_id=request.args.get("before", type=int), limit=PAGE + 1
    )
    return show(
        "admin/channels.html",
        at="channels",
        rows=rows[:PAGE],
        state=word if state else "",
        states=list(DeliveryState),
        problem=problem,
        phone=request.form.get("phone", ""),
        book=message_book(),
        gateway=office().settings.message_gateway,
        next_before=rows[PAGE - 1].id if len(rows) > PAGE else None,
    )


@page.post("/admin/channels/opt-out")
@allow(Permission.MANAGE_CHANNELS)
def stop() -> Response | tuple[str, int]:
    """Send no more notices to a number."""
    try:
        opt_out(db(), actor(), request.form.get("phone", ""))
    except BadData as refused:
        return _listing(sentence(refused, language())), status_of(refused)
    flash(t("channels.stopped"), "ok")
    return redirect(url_for("channels.listing"))
