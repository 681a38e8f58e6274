"""What those who reported an outage are written until supply is back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from callcenter.callbacks.actions.telling import tell_outage_changed
from callcenter.calls.actions.working import attach_call, log_fault
from callcenter.messages.queries import deliveries
from foundation import clock
from foundation.actor import Actor, Scope
from loadmgmt.api.outage_moves import end_outage, set_eta
from loadmgmt.api.outages import outage_card, register_outage
from loadmgmt.api.types import NewOutage, OutageKind
from tests.factories.callcenter import NO_POWER, House, agent, answered, street
from tests.factories.foundation import SYSTEM

DAY = datetime(2026, 6, 18, 2, 0, tzinfo=UTC)  # ten in the morning


@pytest.fixture
def houses(session: Session) -> list[House]:
    return street(session, 3, boxes=3)


@pytest.fixture
def operator(session: Session) -> Actor:
    return agent(session)


def fault(session: Session, houses: list[House]) -> str:
    return register_outage(
        session, SYSTEM, NewOutage(OutageKind.FAULT, houses[0].meter.area_id, DAY)
    )


def heard(session: Session, outage_no: str, what: str) -> None:
    """Let the event come twice, as it may."""
    card = outage_card(session, Scope.everything(), outage_no)
    for _ in range(2):
        tell_outage_changed(session, SYSTEM, {"outages": [{"id": card.id, "what": what}]})


def expect(session: Session, outage_no: str, at: datetime, reason: str = "") -> None:
    version = outage_card(session, Scope.everything(), outage_no).version
    set_eta(session, SYSTEM, outage_no, version=version, eta_at=at, reason=reason)
    heard(session, outage_no, "eta")


def written(session: Session, outage_no: str) -> list[tuple[str, str | None, str]]:
    found = deliveries(session, about=[outage_no])
    return [(one.template, one.phone, one.text) for one in reversed(found)]


def test_those_who_asked_hear_once_of_every_new_time(
    session: Session, houses: list[House], operator: Actor
) -> None:
    with clock.frozen(DAY):
        outage_no = fault(session, houses)
        for house, notify in zip(houses, (True, True, False), strict=True):
            call = answered(session, operator, house.phone)
            log_fault(session, operator, call, replace(NO_POWER, notify=notify), version=1)
        before = len(written(session, outage_no))
        expect(session, outage_no, DAY + timedelta(hours=20), "缺少备件")
        expect(session, outage_no, DAY + timedelta(hours=3))
    later, sooner = [written(session, outage_no)[before:][n : n + 2] for n in (0, 2)]
    for found, template in ((later, "eta_changed"), (sooner, "eta_set")):
        assert {(one[0], one[1]) for one in found} == {
            (template, house.phone) for house in houses[:2]
        }
    assert "06-19 06:00" in later[0][2]
    assert "缺少备件" in later[0][2]
    assert "13:00" in sooner[0][2]
    assert len(written(session, outage_no)) == before + 4


def test_who_calls_in_planned_work_is_told_so_and_hears_when_it_has_ended(
    session: Session, houses: list[House], operator: Actor
) -> None:
    with clock.frozen(DAY):
        area = houses[0].meter.area_id
        until = DAY + timedelta(hours=4)
        outage_no = register_outage(
            session, SYSTEM, NewOutage(OutageKind.PLANNED, area, DAY, until, cause="检修")
        )
        call = answered(session, operator, houses[0].phone)
        done = attach_call(session, operator, call, NO_POWER, version=1, outage_no=outage_no)
        assert done.ticket_no is None
        heard(session, outage_no, "restored")
    told = written(session, outage_no)
    assert [one[0] for one in told] == ["outage_planned", "planned_over"]
    assert "14:00" in told[0][2]
    assert "抢修" not in told[0][2]


def test_who_calls_when_it_is_over_is_not_told_that_it_lasts(
    session: Session, houses: list[House], operator: Actor
) -> None:
    with clock.frozen(DAY):
        outage_no = fault(session, houses)
        end_outage(session, SYSTEM, outage_no, version=None, note="已送电")
        call = answered(session, operator, houses[0].phone)
        attach_call(session, operator, call, NO_POWER, version=1, outage_no=outage_no)
    assert [one[0] for one in written(session, outage_no)] == ["outage_over"]


def test_of_a_fault_that_is_mended_they_hear_with_its_ticket_alone(
    session: Session, houses: list[House], operator: Actor
) -> None:
    with clock.frozen(DAY):
        outage_no = fault(session, houses)
        call = answered(session, operator, houses[0].phone)
        log_fault(session, operator, call, NO_POWER, version=1)
        before = written(session, outage_no)
        heard(session, outage_no, "restored")
    assert written(session, outage_no) == before
