"""Customers (客户档案): finding one, and everything about an account on one page."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, render_template, request

from callcenter.api.tickets import tickets_at
from callcenter.api.types import TicketCard
from customers.api.applications import application_cards
from customers.api.archive import account_card, account_cards, amendments
from customers.api.types import AccountCard, AmendmentCard, ApplicationCard
from foundation import clock
from loadmgmt.api.alerts import alerts_at
from loadmgmt.api.types import AlertCard
from metering.api.devices import meter_cards
from metering.api.network import area_places
from metering.api.readings import daily, latest
from metering.api.requests import newest_request
from metering.api.types import DailyEnergy, MeterCard
from webapp.auth.guard import allow
from webapp.auth.permissions import Permission
from webapp.context import show
from webapp.pages.metering.curves import day_chart
from webapp.places import places_of
from webapp.session import db, scope

page = Blueprint("customers", __name__)
PAGE = 50
BACK = timedelta(days=90)
KINDS = ("alert", "ticket", "application", "archive")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the past between us and a customer.

    Attributes:
        what: key of its title, or the title itself.
    """

    kind: str
    at: datetime
    what: str
    href: str
    number: str
    state: tuple[str, str] | None


@page.get("/customers")
@allow(Permission.SEE_CUSTOMERS)
def listing() -> str:
    """Find customers by account, name, address, or a whole phone or identity number."""
    search = request.args.get("q", "").strip()
    cards = account_cards(
        db(), scope(), search=search, after_no=request.args.get("after", ""), limit=PAGE + 1
    )
    meters = meter_cards(db(), {card.point_id for card in cards})
    return show(
        "customers/customers.html",
        at="customers",
        rows=[(card, meters.get(card.point_id)) for card in cards[:PAGE]],
        search=search,
        next_after=cards[PAGE - 1].account_no if len(cards) > PAGE else "",
    )


@page.get("/customers/<account_no>")
@allow(Permission.SEE_CUSTOMERS)
def detail(account_no: str) -> str:
    """Show an account: who, where, what is used now, and what has happened."""
    card = account_card(db(), account_no.replace(" ", ""))
    meter = meter_cards(db(), [card.point_id]).get(card.point_id)
    values: dict[str, Any] = {
        "account": card,
        "meter": meter,
        "place": places_of(db(), {card.point_id}).of(card.point_id),
        "second": area_places(db(), {card.second_area_id}).get(card.second_area_id)
        if card.second_area_id
        else None,
        "latest": latest(db(), [meter.meter_id]).get(meter.meter_id) if meter else None,
        "request_": newest_request(db(), meter.meter_id) if meter else None,
    }
    if request.args.get("part") == "now":
        return render_template("customers/customer/now.html", **values)
    kind = request.args.get("kind", "")
    past = _past(card)
    today = clock.business_date()
    values |= {
        "kind": kind if kind in KINDS else "",
        "kinds": [(one, sum(entry.kind == one for entry in past)) for one in KINDS],
        "n_past": len(past),
        "past": _by_day([entry for entry in past if kind in {"", entry.kind}]),
        "chart": day_chart(db(), meter, "power", today.isoformat()) if meter else None,
        "today": today,
        "numbers": _numbers(meter, past),
    }
    return show(
        "customers/customer.html",
        at="customers",
        title=card.customer_name,
        with_charts=True,
        **values,
    )


def _past(card: AccountCard) -> list[Entry]:
    """Merge alerts, tickets, applications and archive versions, newest first."""
    entries = [_of_alert(one) for one in alerts_at(db(), [card.point_id], since=clock.now() - BACK)]
    entries += [_of_ticket(one) for one in tickets_at(db(), [card.point_id])]
    cases = application_cards(
        db(), scope(), view="all", customer_id=card.customer_id, account_no=card.account_no
    )
    entries += [_of_case(one) for one in cases]
    entries += [_of_change(one) for one in amendments(db(), account_no=card.account_no)]
    return sorted(entries, key=lambda entry: entry.at, reverse=True)


def _of_alert(one: AlertCard) -> Entry:
    href, what = f"/alerts?id={one.id}", f"kind.alert.{one.kind}"
    return Entry("alert", one.started_at, what, href, "", ("alert", one.state))


def _of_ticket(one: TicketCard) -> Entry:
    href = f"/tickets/{one.ticket_no}"
    return Entry("ticket", one.opened_at, one.title, href, one.ticket_no, ("ticket", one.status))


def _of_case(one: ApplicationCard) -> Entry:
    href, what = f"/apps/{one.application_no}", f"app.kind.{one.kind}"
    state = ("application", one.word)
    return Entry("application", one.opened_at, what, href, one.application_no, state)


def _of_change(one: AmendmentCard) -> Entry:
    href = f"/apps/{one.case_no}?tab=archive"
    return Entry("archive", one.written_at, f"app.kind.{one.kind}", href, one.case_no, None)


def _by_day(entries: list[Entry]) -> list[tuple[datetime, list[Entry]]]:
    days: list[tuple[datetime, list[Entry]]] = []
    for entry in entries:
        if not days or clock.business_date(days[-1][0]) != clock.business_date(entry.at):
            days.append((entry.at, []))
        days[-1][1].append(entry)
    return days


def _numbers(meter: MeterCard | None, past: list[Entry]) -> dict[str, Any]:
    """Give the figures of the strip: what was used, how often something happened."""
    today = clock.business_date()
    days = _days(meter)
    known = [one.used_wh for one in days if one.used_wh is not None]
    peaks = [one.p_max for one in days if one.p_max is not None]
    return {
        "month_wh": sum(known) if known else None,
        "peak_w": max(peaks) if peaks else None,
        "since": today - timedelta(days=30),
        "alerts": sum(entry.kind == "alert" for entry in past),
        "tickets": sum(entry.kind == "ticket" for entry in past),
    }


def _days(meter: MeterCard | None) -> list[DailyEnergy]:
    today = clock.business_date()
    if meter is None:
        return []
    return daily(db(), meter.meter_id, first=today - timedelta(days=30), last=today)
