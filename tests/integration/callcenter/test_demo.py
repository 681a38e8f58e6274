"""The demo town's telephone: what it names exists, and building it twice changes nothing."""

from itertools import chain

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from callcenter import demo
from callcenter.tickets.queries import ticket_counts
from foundation.actor import Scope
from loadmgmt.api.outages import outage_counts
from metering import demo as network
from tests.factories import callcenter, foundation
from webapp.auth import demo as staff


def test_the_meters_and_areas_it_names_are_in_the_town() -> None:
    areas = [
        area for number, (_, estates, _) in network.FEEDERS.items()
        for area, _, _ in network._areas(number, estates)
    ]  # fmt: skip
    meters = {f"M-{one.code}" for one in network._meters(dict.fromkeys(areas, 0))}
    faults = (fault[0] for fault in demo.FAULTS)
    assert set(chain(faults, demo.DARK_BOX, [demo.ENQUIRY])) <= meters
    assert demo.PLANNED_AREA in areas


def test_the_town_has_calls_and_tickets_at_every_stage_once(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    houses = [callcenter.street(session, 1)[0] for _ in range(len(demo.FAULTS) + 1)]
    pair = callcenter.street(session, 2)
    numbers = [one.meter.meter_no for one in houses]
    monkeypatch.setattr(
        demo,
        "FAULTS",
        tuple(
            (meter_no, *fault[1:]) for meter_no, fault in zip(numbers, demo.FAULTS, strict=False)
        ),
    )
    monkeypatch.setattr(demo, "DARK_BOX", tuple(one.meter.meter_no for one in pair))
    monkeypatch.setattr(demo, "ENQUIRY", numbers[-1])
    monkeypatch.setattr(demo, "PLANNED_AREA", houses[0].meter.area_no)
    staff.build(session, foundation.SYSTEM)
    demo.build(session, foundation.SYSTEM)
    seen = facts(session)
    steps = session.scalars(text("SELECT DISTINCT step FROM foundation.flow_case")).all()
    assert set(steps) >= {"new", "accepted", "on_site", "working", "restored", "done"}
    assert outage_counts(session, Scope.everything())["active"] == 1
    assert outage_counts(session, Scope.everything())["planned"] == 1
    demo.build(session, foundation.SYSTEM)
    assert facts(session) == seen


def facts(session: Session) -> list[object]:
    tables = ("callcenter.call", "callcenter.ticket", "callcenter.crew", "loadmgmt.outage")
    counted = [session.scalar(text(f"SELECT count(*) FROM {one}")) for one in tables]
    return [*counted, ticket_counts(session, Scope.everything())]
