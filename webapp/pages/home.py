"""My desk (我的工作台): what needs me now; and the menu as a live part."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, render_template, request

from callcenter.api.crews import crews_of
from callcenter.api.tickets import ticket_cards, ticket_counts
from callcenter.api.types import TicketCard
from foundation import clock
from foundation.actor import Actor, Role
from loadmgmt.api.alerts import alert_cards, alert_counts
from loadmgmt.api.types import AlertCard
from webapp.auth.guard import allow
from webapp.auth.permissions import Permission, may
from webapp.chips import Chip, chip_of
from webapp.context import nav_for, show
from webapp.places import Place, places_of
from webapp.session import actor, db, scope

page = Blueprint("home", __name__)
MOST = 7


@dataclass(frozen=True, slots=True)
class ToDo:
    """One thing that waits for this person."""

    href: str
    kind: str
    title: str
    place: str
    at: datetime
    priority: str
    chip: Chip | None


@page.get("/home")
@allow(Permission.USE_OFFICE)
def desk() -> str:
    """Show what needs this person now, the most urgent first."""
    me = actor()
    return show(
        "home.html",
        at="home",
        part=request.args.get("part"),
        todo=_todo(me),
        numbers=_numbers(me),
        today=clock.business_date(),
    )


@page.get("/nav")
@allow(Permission.USE_OFFICE)
def nav() -> str:
    """Give the menu with its counts."""
    return render_template(
        "components/nav_part.html", nav=nav_for(actor(), active=request.args.get("at", ""))
    )


def _todo(me: Actor) -> list[ToDo]:
    tickets = _tickets(me)
    alerts = (
        alert_cards(db(), scope(), view="open", limit=MOST)
        if may(me, Permission.HANDLE_ALERTS)
        else []
    )
    where = places_of(
        db(),
        {t.point_id for t in tickets} | {a.point_id for a in alerts},
        {t.area_id for t in tickets} | {a.area_id for a in alerts},
    )
    shelf = "/tickets" if may(me, Permission.SEE_TICKETS) else "/m/tasks"
    waiting = [_of_ticket(one, where.of(one.point_id, one.area_id), shelf) for one in tickets]
    waiting += [_of_alert(one, where.of(one.point_id, one.area_id)) for one in alerts]
    order = {"crit": 0, "major": 1, "minor": 2, "info": 3}
    return sorted(waiting, key=lambda one: (order.get(one.priority, 9), one.at))[:MOST]


def _tickets(me: Actor) -> list[TicketCard]:
    if Role.CREW in me.roles or Role.INSPECTOR in me.roles:
        return ticket_cards(db(), scope(), crew_ids=crews_of(db(), me.id), limit=MOST)
    if may(me, Permission.SEE_TICKETS):
        return ticket_cards(db(), scope(), view="open", limit=MOST)
    return []


def _of_ticket(one: TicketCard, place: Place, shelf: str) -> ToDo:
    return ToDo(
        href=f"{shelf}/{one.ticket_no}",
        kind=f"status.ticket.{one.status}",
        title=one.title,
        place=place.text,
        at=one.opened_at,
        priority=one.priority.value,
        chip=chip_of(one.running) if one.running else None,
    )


def _of_alert(one: AlertCard, place: Place) -> ToDo:
    return ToDo(
        href=f"/alerts?id={one.id}",
        kind=f"status.alert.{one.state}",
        title=f"kind.alert.{one.kind}",
        place=place.text,
        at=one.started_at,
        priority=one.severity.value,
        chip=None,
    )


def _numbers(me: Actor) -> dict[str, int]:
    numbers = {}
    if may(me, Permission.SEE_ALERTS):
        numbers["unacknowledged"] = alert_counts(db(), scope()).unacknowledged
    if may(me, Permission.SEE_TICKETS):
        counts = ticket_counts(db(), scope())
        numbers |= {name: counts[name] for name in ("open", "undispatched", "overdue")}
    return numbers
