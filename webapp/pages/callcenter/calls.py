"""The call log (通话记录): what came in, who took it, what became of it."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request

from callcenter.api.calls import CALL_VIEWS, call_card, call_cards
from callcenter.api.types import CallCard
from foundation.errors import NotFound
from loadmgmt.api.outages import outages_by_id
from loadmgmt.api.types import OutageCard
from webapp.auth.guard import allow
from webapp.auth.permissions import Permission, may
from webapp.context import show
from webapp.places import Place, places_of
from webapp.session import actor, db

page = Blueprint("calls", __name__)
PAGE = 50


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the log."""

    card: CallCard
    place: Place
    outage: OutageCard | None


@page.get("/calls")
@allow(Permission.SEE_CALLS)
def listing() -> str:
    """List calls: everybody's for those who may see them, else the own ones."""
    view = request.args.get("view", "today")
    view = view if view in CALL_VIEWS else "today"
    mine = None if may(actor(), Permission.SEE_ALL_CALLS) else actor().id
    cards = call_cards(
        db(),
        view=view,
        agent_id=mine,
        before_id=request.args.get("before", type=int),
        limit=PAGE + 1,
    )
    rows = _rows(cards[:PAGE])
    chosen = request.args.get("id", type=int)
    values: dict[str, Any] = {
        "rows": rows,
        "view": view,
        "views": CALL_VIEWS,
        "own": mine is not None,
        "chosen": _chosen(chosen, mine) if chosen else None,
        "next_before": cards[PAGE - 1].id if len(cards) > PAGE else None,
    }
    if request.args.get("part") == "rows":
        return render_template("callcenter/calls/rows.html", **values)
    return show("callcenter/calls.html", at="calls", **values)


def _rows(cards: list[CallCard]) -> list[Row]:
    where = places_of(db(), {one.point_id for one in cards})
    outages = outages_by_id(db(), {one.outage_id for one in cards})
    return [Row(one, where.of(one.point_id), outages.get(one.outage_id or 0)) for one in cards]


def _chosen(call_id: int, mine: int | None) -> Row:
    card = call_card(db(), call_id)
    if mine is not None and card.agent_id != mine:
        raise NotFound(what="call", id=call_id)
    return _rows([card])[0]
