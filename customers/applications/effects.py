"""What a move of a case brings about, by the name its flow gives it."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from customers.applications.models import Application
from customers.applications.queries.cases import application_card
from customers.applications.queries.plan import archive_plan, locked_of
from customers.applications.types import ApplicationCard
from customers.archive.actions import connect_supply
from customers.archive.rules import plain_number, problems
from customers.archive.types import (
    ArchiveConflict,
    ArchiveIncomplete,
    Category,
    Line,
    NewSupply,
    Written,
)
from foundation import clock
from foundation.actor import Actor
from foundation.db import keyed_hash
from foundation.flow.forms import FormRefused
from metering.api.devices import draw_stock_meter, put_back_stock_meters
from metering.api.network import area_by_no, boxes
from metering.api.types import AreaPlace, AreaUnknown, StockMeterTaken, StockMeterUnfit, Supply

NOON = time(12)
Effect = Callable[[Session, Actor, Application, Mapping[str, Any]], None]


def take_intake(session: Session, actor: Actor, row: Application, form: Mapping[str, Any]) -> None:
    """Write what was asked at acceptance into the case itself, secrets sealed."""
    place = checked_area(session, str(form["area_no"]))
    row.applicant_name = form["applicant_name"]
    row.contact_name = form.get("contact_name") or form["applicant_name"]
    row.phone = form["phone"]
    row.phone_hash = keyed_hash(plain_number(form["phone"]))
    row.id_no, row.id_no_hash = form["id_no"], keyed_hash(form["id_no"])
    row.address = form["address"]
    row.area_id, row.unit_id = place.area_id, place.unit_id
    row.supply, row.load_kw = Supply(form["supply"]), Decimal(form["load_kw"])
    row.source = form["source"]


def checked_area(session: Session, area_no: str) -> AreaPlace:
    """Give a transformer area by its number.

    Raises:
        FormRefused: none has it.
    """
    try:
        return area_by_no(session, area_no.strip().upper())
    except AreaUnknown as error:
        raise FormRefused({"area_no": "area_unknown"}) from error


def set_place(session: Session, actor: Actor, row: Application, form: Mapping[str, Any]) -> None:
    """Write down where the supply will hang: an existing box of an existing area."""
    place = checked_area(session, str(form["area_no"]))
    if form["box_no"] not in {box.box_no for box in boxes(session, place.area_id)}:
        raise FormRefused({"box_no": "box_unknown"})
    row.area_id, row.unit_id = place.area_id, place.unit_id
    row.supply = Supply(form["supply"])


def draw_meter(session: Session, actor: Actor, row: Application, form: Mapping[str, Any]) -> None:
    """Draw the fitted meter from stock, so that no other case can fit it."""
    try:
        draw_stock_meter(
            session, form["meter_no"], for_no=row.application_no, supply=Supply(row.supply)
        )
    except StockMeterTaken as error:
        raise FormRefused({"meter_no": "meter_taken"}) from error
    except StockMeterUnfit as error:
        raise FormRefused({"meter_no": "meter_unfit"}) from error


def put_meter_back(
    session: Session, actor: Actor, row: Application, form: Mapping[str, Any]
) -> None:
    """Put a meter that was drawn and not fitted back on the shelf."""
    put_back_stock_meters(session, for_no=row.application_no)


def write_archive(
    session: Session, actor: Actor, row: Application, form: Mapping[str, Any]
) -> None:
    """Write customer, point, account, meter and terminal, all or nothing."""
    session.flush()
    card = application_card(session, row.application_no)
    row.point_id = written_from(session, actor, card).point_id


def written_from(session: Session, actor: Actor, card: ApplicationCard) -> Written:
    """Write what a case has planned for the archive.

    Raises:
        ArchiveConflict: the archive changed since, and nobody has decided what holds.
        ArchiveIncomplete: a step has not said its part yet.
        StockMeterTaken, AccountNoTaken, ...: what the archive itself refuses.
    """
    lines = archive_plan(session, card)
    conflicts, missing = problems(lines)
    if conflicts:
        raise ArchiveConflict(subject=card.application_no, n=len(conflicts), fields=conflicts)
    if missing:
        raise ArchiveIncomplete(subject=card.application_no, fields=missing)
    known = locked_of(session, card.id) if card.customer_id is not None else {}
    new = _new_supply(session, card, {line.key: line for line in lines}, known)
    return connect_supply(session, actor, new, kind=card.kind.value, lines=lines)


def _new_supply(
    session: Session, card: ApplicationCard, lines: Mapping[str, Line], known: Mapping[str, Any]
) -> NewSupply:
    def said(key: str) -> str:
        line = lines.get(key)  # a line somebody kept, or that says nothing new, is not there
        return str(line.after if line else known.get(key) or "")

    fitted_at = datetime.fromisoformat(said("meter.fitted_at"))
    return NewSupply(
        for_no=card.application_no,
        account_no=card.account_no,
        customer_id=card.customer_id,
        customer_name=said("customer.name"),
        contact_name=said("customer.contact_name"),
        phone=said("customer.phone"),
        id_no=said("customer.id_no"),
        address=card.address,
        category=Category(said("account.category")),
        tariff_code=said("account.tariff_code"),
        contract_kw=Decimal(said("account.contract_kw")),
        area_id=area_by_no(session, said("supply_point.area")).area_id,
        box_no=said("supply_point.box_no"),
        supply=Supply(said("supply_point.supply")),
        meter_no=said("meter.meter_no"),
        fitted_at=fitted_at,
    )


def note_first_reading(
    session: Session, actor: Actor, row: Application, form: Mapping[str, Any]
) -> None:
    """The reading itself is kept among the case's answers; nothing more is to be done."""


def instant_of(day: str) -> datetime:
    """Give when on a day something on site was done: now if it is today, else noon."""
    on, now = date.fromisoformat(day), clock.now()
    if on == clock.business_date(now):
        return now
    return min(now, datetime.combine(on, NOON, clock.office_zone()))


EFFECTS: dict[str, Effect] = {
    effect.__name__: effect
    for effect in (
        draw_meter,
        note_first_reading,
        put_meter_back,
        set_place,
        take_intake,
        write_archive,
    )
}
"""The same names as `books.EFFECTS`."""
