"""The operators' desk (坐席工作台): who calls, what their meter says, what explains it, one key."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from callcenter.api.calls import (
    add_to_ticket,
    ask_meter,
    attach_call,
    call_card,
    call_cards,
    call_queue,
    choose_point,
    choose_state,
    close_call,
    log_fault,
    meter_view,
    screen_pop,
    seat_of,
    seats,
    sit_at,
)
from callcenter.api.telephony import SimulatedSwitch
from callcenter.api.tickets import add_note, promises, ticket_card
from callcenter.api.types import (
    CHOSEN_STATES,
    AgentState,
    CallCard,
    CallOutcome,
    EventKind,
    NoteNeeded,
    TicketCard,
)
from customers.api.archive import points_of_search
from foundation.errors import LostRace, NotFound, Refused
from foundation.flow.forms import FormRefused
from loadmgmt.api.outages import look_around, outage_cards, outage_rules
from loadmgmt.api.types import OutageMatch
from metering.api.devices import meter_cards, search_meters
from webapp import drafts
from webapp.auth.guard import allow
from webapp.auth.permissions import Permission
from webapp.callbar import bar_of
from webapp.context import language, show, t
from webapp.pages.callcenter.fault_form import (
    OF_THE_ACCOUNT,
    WITHOUT_TICKET,
    crew_choices,
    defaults,
    draft_key,
    fault_of,
    filled_from,
)
from webapp.pages.metering.curves import day_chart
from webapp.places import Place, places_of
from webapp.sentences import sentence
from webapp.session import actor, db, office, scope
from webapp.switch import switch_of

page = Blueprint("desk", __name__)
PHONE_ORDERS = {"answer", "hold", "resume", "hangup"}
FOUND = 8


class NoSimulator(Refused):
    """The telephone itself answers and hangs up; only the demo town's can be pressed here."""

    code = "no_simulator"


@page.get("/desk")
@allow(Permission.TAKE_CALLS)
def desktop() -> str:
    """Show the desk, or one of its parts: desk, seat, meter, match."""
    part = request.args.get("part", "")
    call_id = request.args.get("call", type=int)
    if part == "meter":
        return render_template("callcenter/desktop/meter.html", **_meter(call_id or 0))
    if part == "seat":
        return render_template("callcenter/desktop/seat.html", **_idle())
    return _desk(call_id)


def _desk(
    call_id: int | None,
    *,
    problems: dict[str, str] | None = None,
    lost: str = "",
    filled: dict[str, list[str]] | None = None,
) -> str:
    values = _values(call_id, problems=problems, lost=lost, filled=filled)
    if request.args.get("part") == "desk":
        return render_template("callcenter/desktop/desk.html", **values)
    return show("callcenter/desktop.html", at="desk", with_charts=True, **values)


def _values(
    call_id: int | None,
    *,
    problems: dict[str, str] | None,
    lost: str,
    filled: dict[str, list[str]] | None,
) -> dict[str, Any]:
    seat = seat_of(db(), actor().id)
    shown = call_id if call_id is not None else (seat.call_id if seat else None)
    values: dict[str, Any] = {
        "chosen_call": call_id,
        "problems": problems or {},
        "lost": lost,
        "pop": None,
        "me": actor(),
    }
    if shown is None:
        return values | _idle()
    pop = screen_pop(db(), shown)
    place = places_of(db(), {pop.call.point_id}).of(pop.call.point_id)
    draft = drafts.kept(db(), actor(), draft_key(shown))
    kept = filled if filled is not None else (draft.content if draft else None)
    return values | {
        "pop": pop,
        "call": pop.call,
        "place": place,
        "view": pop.meter,
        "around": pop.around,
        "chart": day_chart(db(), pop.meter.meter, "voltage", "") if pop.meter else None,
        "found": _found(pop.call, place),
        "search": request.args.get("q", "").strip(),
        "filled": kept if kept is not None else defaults(pop, place),
        "draft": draft,
        "crews": crew_choices(place),
        "outcomes": WITHOUT_TICKET,
        "promised": _promised(place),
        "done": _done(pop.call),
        **_match(list(pop.matches)),
    }


def _match(found: list[OutageMatch]) -> dict[str, Any]:
    """Give the outage that explains the call, or the nearest that does not quite."""
    best = found[0] if found else None
    area = (
        places_of(db(), [], {best.outage.area_id}).of(None, best.outage.area_id) if best else None
    )
    works = ticket_card(db(), best.outage.ticket_no) if best and best.outage.ticket_no else None
    return {
        "match": best,
        "explains": best is not None and best.score >= outage_rules().match.show,
        "match_area": area,
        "match_ticket": works,
        "match_arrived": _arrived(works),
    }


def _arrived(ticket: TicketCard | None) -> Any:
    clocks = ticket.clocks if ticket else ()
    return next((one for one in clocks if one.name == "arrive" and one.met_at), None)


def _promised(place: Place) -> int | None:
    """Give how soon a crew is promised to be there [min]."""
    if place.point is None:
        return None
    return promises().repair["arrive"][place.point.area_class.value].minutes


def _done(call: CallCard) -> TicketCard | None:
    return ticket_card(db(), call.ticket_no) if call.ticket_no else None


def _found(call: CallCard, place: Place) -> list[Place]:
    """Look for what the caller names: account, address, name, meter."""
    wanted = request.args.get("q", "").strip()
    if not wanted or (place.point is not None and call.outcome is not None):
        return []
    points = points_of_search(db(), wanted, limit=FOUND)
    points += [m.point_id for m in search_meters(db(), scope(), search=wanted, limit=FOUND)]
    some = list(dict.fromkeys(points))[:FOUND]
    where = places_of(db(), some)
    return [where.of(one) for one in some]


def _idle() -> dict[str, Any]:
    mine = call_cards(db(), view="all", agent_id=actor().id, limit=5)
    open_ones = call_cards(db(), view="unfinished", agent_id=actor().id, limit=10)
    waiting = call_cards(db(), view="waiting", limit=10)
    outages = outage_cards(db(), scope(), view="active", limit=4)
    points = {one.point_id for one in (*mine, *open_ones, *waiting)}
    return {
        "seat": seat_of(db(), actor().id),
        "seats": seats(db()),
        "states": CHOSEN_STATES,
        "queue": call_queue(db()),
        "mine": mine,
        "unfinished": open_ones,
        "waiting": waiting,
        "outages": outages,
        "where": places_of(db(), points, {one.area_id for one in outages}),
        "me": actor(),
    }


def _meter(call_id: int) -> dict[str, Any]:
    call = call_card(db(), call_id)
    if call.point_id is None:
        raise NotFound(what="meter", id="")
    view = meter_view(db(), call.point_id)
    return {
        "call": call,
        "view": view,
        "around": look_around(db(), call.point_id),
        "chart": day_chart(db(), view.meter, "voltage", "") if view else None,
    }


@page.get("/desk/bar")
@allow(Permission.TAKE_CALLS)
def bar() -> str:
    """Give the call bar."""
    return render_template("components/callbar.html", call_bar=bar_of(db(), actor()))


@page.post("/desk/state")
@allow(Permission.TAKE_CALLS)
def set_state() -> Response:
    """Choose whether one can be called."""
    word = request.form.get("state", "")
    if word in set(AgentState):
        choose_state(db(), actor(), AgentState(word))
    return redirect(url_for("desk.desktop"))


@page.post("/desk/extension")
@allow(Permission.TAKE_CALLS)
def set_extension() -> Response:
    """Sit down at an extension."""
    sit_at(db(), actor(), request.form.get("extension", ""))
    return redirect(url_for("desk.desktop"))


@page.post("/desk/calls/<int:call_id>/point")
@allow(Permission.TAKE_CALLS)
def point(call_id: int) -> Response:
    """Say which account the call is about; the meter there is asked at once."""
    wanted = request.form.get("point_id", type=int)
    if wanted is not None and wanted not in meter_cards(db(), [wanted]):
        raise NotFound(what="point", id=wanted)
    choose_point(db(), actor(), call_id, version=_version(), point_id=wanted)
    _follow_account(call_id)
    return _back(call_id)


def _follow_account(call_id: int) -> None:
    """Let what was typed keep, but whom and where it is about is the chosen account's now."""
    draft = drafts.kept(db(), actor(), draft_key(call_id))
    if draft is not None:
        pop = screen_pop(db(), call_id)
        fresh = defaults(pop, places_of(db(), {pop.call.point_id}).of(pop.call.point_id))
        changed = {name: fresh[name] for name in OF_THE_ACCOUNT}
        drafts.save(db(), actor(), draft_key(call_id), draft.content | changed)


@page.post("/desk/calls/<int:call_id>/read")
@allow(Permission.READ_METER)
def read_now(call_id: int) -> Response:
    """Ask the caller's meter again (召测)."""
    ask_meter(db(), actor(), call_card(db(), call_id).point_id)
    return _back(call_id)


@page.post("/desk/calls/<int:call_id>/fault")
@allow(Permission.TAKE_CALLS)
def fault(call_id: int) -> str | Response | tuple[str, int]:
    """Log a fault as the pressed button says; what was typed survives every refusal."""
    do, _, number = request.form.get("do", "log").partition(":")
    point_id = call_card(db(), call_id).point_id
    report = fault_of(places_of(db(), {point_id}).of(point_id))
    more: dict[str, Any] = {"version": _version()}
    try:
        with db().begin_nested():
            if do == "attach":
                logged = attach_call(db(), actor(), call_id, report, outage_no=number, **more)
            elif do == "add":
                logged = add_to_ticket(db(), actor(), call_id, report, ticket_no=number, **more)
            else:
                logged = log_fault(db(), actor(), call_id, report, apart=do == "apart", **more)
    except FormRefused as refused:
        return _desk(call_id, problems=refused.problems, filled=filled_from()), 422
    except LostRace as lost:
        return _desk(call_id, lost=sentence(lost, language()), filled=filled_from()), 409
    drafts.drop(db(), actor(), draft_key(call_id))
    facts = {"ticket_no": logged.ticket_no or "", "outage_no": logged.outage_no or ""}
    flash(t(f"desk.logged.{logged.outcome}", **facts), "ok")
    return _back(call_id)


@page.post("/desk/calls/<int:call_id>/note")
@allow(Permission.TAKE_CALLS)
def note(call_id: int) -> Response:
    """Add what was typed to the ticket that somebody else made of the call meanwhile."""
    ticket_no = call_card(db(), call_id).ticket_no
    if ticket_no is None:
        raise NotFound(what="ticket", id="")
    report = fault_of(Place())
    words = (report.contact_name, report.address, report.description)
    add_note(db(), actor(), ticket_no, " · ".join(word for word in words if word))
    drafts.drop(db(), actor(), draft_key(call_id))
    flash(t("desk.noted", ticket_no=ticket_no), "ok")
    return redirect(url_for("tickets.detail", ticket_no=ticket_no))


@page.post("/desk/calls/<int:call_id>/close")
@allow(Permission.TAKE_CALLS)
def close(call_id: int) -> Response:
    """Finish a call that leaves no ticket."""
    word = request.form.get("outcome", "")
    outcome = CallOutcome(word) if word in set(CallOutcome) else CallOutcome.TICKET
    note = request.form.get("note", "")
    try:
        with db().begin_nested():
            close_call(db(), actor(), call_id, version=_version(), outcome=outcome, note=note)
    except NoteNeeded as needed:
        flash(sentence(needed, language()), "warning")
        return _back(call_id)
    drafts.drop(db(), actor(), draft_key(call_id))
    flash(t("desk.closed"), "ok")
    return redirect(url_for("desk.desktop"))


@page.post("/desk/calls/<int:call_id>/phone/<order>")
@allow(Permission.TAKE_CALLS)
def press(call_id: int, order: str) -> Response:
    """Press a button of the simulated telephone: the switch tells the door, as a real one would."""
    if not office().settings.demo or order not in PHONE_ORDERS:
        raise NoSimulator
    call = call_card(db(), call_id)
    _tell(switch_of(office().settings), call, EventKind(order))
    return redirect(url_for("desk.desktop"))


def _tell(switch: SimulatedSwitch, call: CallCard, kind: EventKind) -> None:
    switch.tell(call.switch_call_id, kind, extension=call.extension)


def _version() -> int:
    return request.form.get("version", 0, type=int)


def _back(call_id: int) -> Response:
    """Lead back to the call: as the present one if it is, else by its number."""
    seat = seat_of(db(), actor().id)
    if seat is not None and seat.call_id == call_id:
        return redirect(url_for("desk.desktop"))
    return redirect(url_for("desk.desktop", call=call_id))
