"""The simulated phone switch: let calls ring, answer and end, as a real switch would tell."""

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from callcenter.api.calls import call_cards, seats
from callcenter.api.types import CallReason, EventKind
from foundation.audit import Act, record
from foundation.errors import NotFound
from webapp.auth.guard import allow
from webapp.auth.permissions import Permission
from webapp.context import show, t
from webapp.places import places_of
from webapp.session import actor, db, office
from webapp.switch import extension_of, numbers_of, switch_of

page = Blueprint("switch", __name__)
MADE = Act.of("switch.simulated", "what", "calls")
MOST = 500


@page.get("/admin/switch")
@allow(Permission.RUN_SIMULATOR)
def panel() -> str:
    """Show the telephones one can press and the calls on the line."""
    live = [one for one in call_cards(db(), view="today", limit=200) if one.is_live]
    return show(
        "admin/switch.html",
        at="switch",
        calls=live,
        where=places_of(db(), {one.point_id for one in live}),
        seats=[one for one in seats(db()) if one.extension],
        reasons=list(CallReason),
        chosen={"caller": "13000000241", "area_no": "TG-0502", **request.args.to_dict()},
    )


@page.post("/admin/switch/call")
@allow(Permission.RUN_SIMULATOR)
def call() -> Response:
    """Let a call ring at an extension; without one it waits."""
    word = request.form.get("reason", "")
    reason = CallReason(word) if word in set(CallReason) else CallReason.NONE
    caller = request.form.get("caller", "").strip()
    to = request.form.get("to", "").strip()
    extension = extension_of(db(), to) if to else ""
    line = switch_of(office().settings)
    number = line.new_call()
    line.tell(number, EventKind.QUEUE, caller=caller, reason=reason)
    if extension:
        line.tell(number, EventKind.RING, caller=caller, extension=extension, reason=reason)
    record(db(), actor(), MADE, subject=("call", number), what="call", calls=1)
    flash(t("switch.called", to=to or t("switch.queue")), "ok")
    return redirect(url_for("switch.panel", caller=caller))


@page.post("/admin/switch/phone")
@allow(Permission.RUN_SIMULATOR)
def phone() -> Response:
    """Tell an event of a call that is on the line."""
    word = request.form.get("event", "")
    if word not in set(EventKind):
        raise NotFound(what="event", id=word)
    number = request.form.get("number", "")
    to = request.form.get("to", "").strip()
    extension = extension_of(db(), to) if to else request.form.get("extension", "")
    switch_of(office().settings).tell(number, EventKind(word), extension=extension)
    record(db(), actor(), MADE, subject=("call", number), what=word, calls=1)
    return redirect(url_for("switch.panel"))


@page.post("/admin/switch/storm")
@allow(Permission.RUN_SIMULATOR)
def storm() -> Response:
    """Let many customers of a transformer area call at once."""
    area_no = request.form.get("area_no", "").strip().upper()
    count = max(1, min(MOST, request.form.get("calls", 50, type=int)))
    told = switch_of(office().settings).storm(numbers_of(db(), area_no, count))
    taken = sum(one.taken for one in told)
    record(db(), actor(), MADE, subject=("area", area_no), what="storm", calls=taken)
    flash(t("switch.stormed", n=taken, area=area_no), "ok")
    return redirect(url_for("switch.panel", area_no=area_no))
