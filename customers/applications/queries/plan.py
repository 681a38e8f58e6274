"""What a case will write into the archive, line by line, beside what stands there."""

import json
from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from customers.applications import books
from customers.applications.models import Application
from customers.applications.queries.papers import papers
from customers.applications.rules import SOURCES, blockers
from customers.applications.types import ApplicationCard, Blocker
from customers.archive.queries import amendments, customer_card
from customers.archive.rules import planned, problems
from customers.archive.types import Category, Line
from metering.api.devices import stock_meter


def archive_plan(session: Session, card: ApplicationCard) -> list[Line]:
    """Give what a case will write, or has written, in the order of the archive."""
    written = amendments(session, case_no=card.application_no, limit=1)
    if written:
        return list(written[0].lines)
    stages = books.flows().version(card.flow, card.flow_version).stages
    here = stages.index(card.step) if card.step in stages else 0
    return planned(
        _values(session, card),
        SOURCES,
        locked=locked_of(session, card.id),
        current=archive_now(session, card.customer_id),
        done=stages[:here],
        settled=settled_of(session, card.id),
    )


def archive_now(session: Session, customer_id: int | None) -> dict[str, str | None]:
    """Give what the archive says now of a customer, by line; a new one is nowhere in it."""
    if customer_id is None:
        return {}
    customer = customer_card(session, customer_id)
    return {
        "customer.name": customer.name,
        "customer.contact_name": customer.contact_name,
        "customer.phone": customer.phone,
        "customer.id_no": customer.id_no,
    }


def _values(session: Session, card: ApplicationCard) -> dict[str, str | None]:
    survey, contract, fitting = (
        card.answers.get(step, {}) for step in ("survey", "contract", "fit_meter")
    )
    meter_no = fitting.get("meter_no")
    return {
        "customer.name": card.applicant_name,
        "customer.contact_name": card.contact_name,
        "customer.phone": card.phone,
        "customer.id_no": card.id_no,
        "premises.address": card.address,
        "account.account_no": card.account_no,
        "account.category": Category.RESIDENTIAL.value,
        "account.contract_kw": survey.get("approved_kw"),
        "account.tariff_code": contract.get("tariff_code"),
        "supply_point.area": survey.get("area_no"),
        "supply_point.box_no": survey.get("box_no"),
        "supply_point.supply": survey.get("supply"),
        "meter.meter_no": meter_no,
        "meter.start_kwh": fitting.get("start_kwh"),
        "meter.fitted_at": fitting.get("fitted_at"),
        "terminal.terminal_no": _terminal(session, meter_no),
    }


def _terminal(session: Session, meter_no: str | None) -> str | None:
    found = stock_meter(session, meter_no) if meter_no else None
    return found.terminal_no if found else None


def blockers_of(session: Session, card: ApplicationCard) -> tuple[Blocker, ...]:
    """Give what keeps the present step of a case from being completed, its form apart."""
    found = blockers({paper.kind: paper.state for paper in papers(session, card)})
    if card.step == "archive":
        conflicts, missing = problems(archive_plan(session, card))
        found += tuple(Blocker("archive", key) for key in (*conflicts, *missing))
    return found


def as_kept(values: Mapping[str, str | None]) -> str:
    """Write lines as one sealed column keeps them."""
    return json.dumps(dict(values), ensure_ascii=False)


def settled_of(session: Session, application_id: int) -> dict[str, str]:
    """Give how conflicts of a case were decided, by line."""
    said = session.scalar(select(Application.settled).where(Application.id == application_id))
    return dict(json.loads(said)) if said else {}


def locked_of(session: Session, application_id: int) -> dict[str, str | None]:
    """Give the archive as it was when a case was accepted, by line."""
    said = session.scalar(select(Application.locked).where(Application.id == application_id))
    return dict(json.loads(said)) if said else {}
