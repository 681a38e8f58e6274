"""Applicants hear where their case stands, once a step, and the desk knows of it when they call."""

from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.messages.cases import tell_case_moved
from callcenter.messages.queries import deliveries
from customers.api.applications import open_cases
from foundation import clock
from foundation.outbox import EventRow
from tests.factories.applications import Connections
from tests.factories.foundation import SYSTEM

MORNING = datetime(2026, 6, 18, 2, 0, tzinfo=UTC)


def told(session: Session) -> list[str]:
    """Deliver every move of a case; give what was written, oldest first."""
    rows = session.scalars(
        select(EventRow.payload).where(EventRow.name == "ApplicationAdvanced").order_by(EventRow.id)
    )
    for payload in rows.all():
        tell_case_moved(session, SYSTEM, payload)
    written = [one for one in deliveries(session) if one.about_type == "application"]
    return [one.text for one in sorted(written, key=lambda one: one.id)]


def test_an_applicant_hears_of_each_step_once(session: Session) -> None:
    with clock.frozen(MORNING):
        office = Connections(session)
        number = office.submitted(phone="13000009931")
        office.papers(number)
        assert told(session) == []  # accepting is our own affair
        office.do(number, "accept")
        (first,) = told(session)
        assert number in first
        assert "现场勘查" in first
        session.flush()
        assert told(session) == [first]  # delivered twice: written once


def test_the_desk_knows_the_open_cases_of_whoever_calls(session: Session) -> None:
    with clock.frozen(MORNING):
        office = Connections(session)
        number = office.submitted(phone="13000009932")
        assert open_cases(session, phone="130 0000 9932", point_id=None) == [number]
        assert open_cases(session, phone="+86 130 0000 9932", point_id=None) == [number]
        assert open_cases(session, phone="13000009933", point_id=None) == []
        assert open_cases(session, phone="", point_id=None) == []
