"""The fault form of the desk: what it is filled with, and what comes back."""

from dataclasses import replace

from flask import request

from callcenter.api.calls import ScreenPop
from callcenter.api.crews import crews, in_order_of_fitness
from callcenter.api.tickets import load_of_crews
from callcenter.api.types import (
    BACKUPS,
    DANGERS,
    SYMPTOMS,
    CallOutcome,
    CrewCard,
    CrewKind,
    FaultReport,
)
from customers.api.archive import plain_number
from loadmgmt.api.types import Power
from webapp.context import t
from webapp.format import phone
from webapp.places import Place
from webapp.session import db

WITHOUT_TICKET = (
    CallOutcome.ANSWERED,
    CallOutcome.INSIDE,
    CallOutcome.WRONG_NUMBER,
    CallOutcome.DROPPED,
)
LONGEST = 2000
FIELDS = (
    "symptom", "dangers", "contact_name", "contact_phone", "address", "description", "backup",
    "crew_id", "notify", "callback",
)  # fmt: skip


OF_THE_ACCOUNT = ("contact_name", "address", "crew_id")
"""Fields that follow the account when another one is chosen."""


def draft_key(call_id: int) -> str:
    """Name the draft of a call's form."""
    return f"call:{call_id}"


def defaults(pop: ScreenPop, place: Place) -> dict[str, list[str]]:
    """Fill the form with what is known already."""
    contact, around = pop.contact, pop.around
    number = pop.call.caller or (contact.phone if contact else None)
    dark = around is not None and around.own is Power.DARK
    sensitive = place.supply is not None and place.supply.life_support_until is not None
    crew = next(iter(crew_choices(place)), None) if place.point else None
    return {
        "symptom": ["no_power"] if dark else [],
        "dangers": ["life_support"] if sensitive else [],
        "contact_name": [contact.name] if contact else [],
        "contact_phone": [phone(number)] if number else [],
        "address": [place.supply.address] if place.supply else [],
        "crew_id": [str(crew.id)] if crew else [],
        "notify": ["1"],
        "callback": ["1"],
    }


def crew_choices(place: Place) -> list[CrewCard]:
    """List the repair crews, the fittest first."""
    load = load_of_crews(db())
    loaded = [replace(one, open_tickets=load.get(one.id, 0)) for one in crews(db())]
    unit = place.point.unit_id if place.point else None
    return in_order_of_fitness(loaded, kind=CrewKind.REPAIR, unit_id=unit)


def filled_from() -> dict[str, list[str]]:
    """Give the form as it was sent, to show it again."""
    return {name: request.form.getlist(name) for name in FIELDS}


def fault_of(place: Place) -> FaultReport:
    """Read the form."""
    dangers = tuple(one for one in request.form.getlist("dangers") if one in DANGERS)
    symptom = request.form.get("symptom", "")
    symptom = symptom if symptom in SYMPTOMS else ""
    backup = request.form.get("backup", "")
    address = _text("address")
    return FaultReport(
        title=_title(symptom, place, address),
        symptom=symptom,
        dangers=dangers,
        safety_asked=bool(dangers),
        contact_name=_text("contact_name")[:100],
        contact_phone=_number(_text("contact_phone")),
        address=address,
        description=_text("description"),
        backup=backup if backup in BACKUPS else "",
        crew_id=request.form.get("crew_id", type=int),
        notify=bool(request.form.get("notify")),
        callback=bool(request.form.get("callback")),
    )


def _number(typed: str) -> str:
    """Give a number's digits, or what was typed if there are none in it."""
    return (plain_number(typed) or typed)[:20]


def _title(symptom: str, place: Place, address: str) -> str:
    """Say in one line what is wrong where."""
    where = place.supply.address if place.supply else address
    return f"{t(f'fault.symptom.{symptom}') if symptom else ''} {where}".strip() or "—"


def _text(name: str) -> str:
    return request.form.get(name, "").strip()[:LONGEST]
