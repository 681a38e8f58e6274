"""Reports of no power: which are one outage, and what it promises."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from foundation import clock
from foundation.actor import Scope
from foundation.errors import NotFound
from loadmgmt.alerts.scanner import judge_next
from loadmgmt.alerts.thresholds import load_thresholds
from loadmgmt.api.outages import (
    attach,
    look_around,
    matches,
    outage_card,
    outage_cards,
    outage_members,
    outage_reports,
    register_outage,
    report,
    sensitive_counts,
)
from loadmgmt.outages.types import (
    EtaRefused,
    NewOutage,
    OutageKind,
    OutageKnown,
    OutageScope,
    OutageSource,
    OutageState,
    Power,
    Reported,
    Verdict,
)
from tests.factories.callcenter import House, street
from tests.factories.foundation import SYSTEM, person
from tests.factories.metering import reading, stored

START = datetime(2026, 6, 18, 11, 0, tzinfo=UTC)
ALL = Scope.everything()


def reported(session: Session, house: House, ref: int, *, minute: float = 0) -> Reported:
    at = START + timedelta(minutes=minute)
    with clock.frozen(at):
        return report(session, SYSTEM, point_id=house.meter.point_id, source="call", ref=ref, at=at)


def read(session: Session, houses: list[House], volts: float, *, minute: float = 0) -> None:
    at = START + timedelta(minutes=minute)
    with clock.frozen(at):
        stored(session, *(reading(one.meter.meter_id, at, u_a=volts) for one in houses))
        while judge_next(session, SYSTEM, load_thresholds()):
            pass


def test_the_third_account_of_an_area_makes_the_outage_and_takes_the_first_two(
    session: Session,
) -> None:
    houses = street(session, 4, boxes=4)
    assert reported(session, houses[0], 1).outage is None
    assert reported(session, houses[1], 2, minute=5).outage is None
    third = reported(session, houses[2], 3, minute=14)
    assert (third.verdict, third.created) == (Verdict.AREA, True)
    card = third.outage
    assert card is not None
    assert card.outage_no.startswith("TD-")
    assert (card.scope, card.state, card.source) == (
        OutageScope.AREA,
        OutageState.DETECTED,
        OutageSource.CALL,
    )
    assert card.started_at == START
    assert card.eta_at == START + timedelta(minutes=14 + 180)
    assert (card.affected, card.reports) == (4, 3)
    assert [one.ref for one in outage_reports(session, card.id)] == [1, 2, 3]
    fourth = reported(session, houses[3], 4, minute=20)
    assert fourth.outage is not None
    assert (fourth.outage.id, fourth.created) == (card.id, False)


def test_calls_further_apart_than_the_window_are_no_outage(session: Session) -> None:
    houses = street(session, 3, boxes=3)
    reported(session, houses[0], 1)
    reported(session, houses[1], 2, minute=8)
    assert reported(session, houses[2], 3, minute=15.1).outage is None


def test_one_account_that_calls_three_times_is_one_account(session: Session) -> None:
    house = street(session, 3)[0]
    for ref in (1, 2, 3):
        assert reported(session, house, ref).outage is None


def test_the_same_report_twice_is_one_report(session: Session) -> None:
    houses = street(session, 3, boxes=3)
    for _ in range(3):
        reported(session, houses[0], 1)
    assert reported(session, houses[1], 2).outage is None
    rows = session.execute(text("SELECT count(*) FROM loadmgmt.outage_report")).scalar_one()
    assert rows == 2


def test_two_accounts_of_one_box_are_a_box_and_a_third_elsewhere_widens_it(
    session: Session,
) -> None:
    houses = street(session, 6, boxes=2)  # boxes 0 1 0 1 0 1
    reported(session, houses[0], 1)
    boxed = reported(session, houses[2], 2)
    assert boxed.outage is not None
    assert (boxed.verdict, boxed.outage.scope, boxed.outage.affected) == (
        Verdict.BOX,
        OutageScope.BOX,
        3,
    )
    same_box = reported(session, houses[4], 3)
    assert same_box.outage is not None
    assert (same_box.outage.id, same_box.outage.scope) == (boxed.outage.id, OutageScope.BOX)
    wide = reported(session, houses[1], 4)
    assert wide.outage is not None
    assert (wide.outage.id, wide.outage.scope, wide.outage.affected) == (
        boxed.outage.id,
        OutageScope.AREA,
        6,
    )
    assert len(outage_cards(session, ALL)) == 1


def test_a_house_with_voltage_is_no_evidence_and_joins_nothing(session: Session) -> None:
    houses = street(session, 5, read=1, boxes=5)
    read(session, houses[:1], 221.0)
    inside = reported(session, houses[0], 1)
    assert (inside.verdict, inside.outage) == (Verdict.INSIDE, None)
    reported(session, houses[1], 2)
    assert reported(session, houses[2], 3).outage is None  # two that count
    assert reported(session, houses[3], 4).outage is not None


def test_dark_meters_make_the_first_call_an_outage(session: Session) -> None:
    houses = street(session, 6, read=5, boxes=3)
    read(session, houses[:2], 221.0)
    read(session, houses[2:5], 0.0)
    seen = reported(session, houses[5], 1)
    assert seen.outage is not None
    assert (seen.verdict, seen.outage.was_dark, seen.outage.back) == (Verdict.AREA, 3, 0)
    assert seen.outage.started_at == START


def test_one_open_fault_of_a_place_is_kept_by_the_database(session: Session) -> None:
    houses = street(session, 3, boxes=3)
    for ref, house in enumerate(houses):
        reported(session, house, ref)
    twice = text(
        "INSERT INTO loadmgmt.outage (outage_no, kind, scope, subject, state, source, area_id,"
        " feeder_id, unit_id, cause, started_at, opened_by, opened_at, version)"
        " SELECT 'TD-X', kind, scope, subject, state, source, area_id, feeder_id, unit_id,"
        " cause, started_at, opened_by, opened_at, version FROM loadmgmt.outage"
    )
    with pytest.raises(IntegrityError, match="uq_outage_open_fault"), session.begin_nested():
        session.execute(twice)


def test_a_person_may_attach_what_the_meters_speak_against(session: Session) -> None:
    houses = street(session, 5, read=1, boxes=5)
    read(session, houses[:1], 221.0)
    for ref, house in enumerate(houses[1:4]):
        reported(session, house, ref)
    with clock.frozen(START):
        outage = outage_cards(session, ALL)[0]
        best = matches(session, look_around(session, houses[0].meter.point_id))[0]
        assert best.score < 80
        assert "own_powered" in best.evidence
        told = attach(
            session,
            person(session),
            outage.outage_no,
            point_id=houses[0].meter.point_id,
            source="call",
            ref=9,
            at=START,
        )
    assert told.outage is not None
    assert told.outage.reports == 4


def test_members_list_sensitive_customers_first(session: Session) -> None:
    houses = street(session, 4, boxes=4, life_support=True)
    for ref, house in enumerate(houses[1:]):
        reported(session, house, ref)
    card = outage_cards(session, ALL)[0]
    members = outage_members(session, card.id)
    assert members[0].point_id == houses[0].meter.point_id
    assert {one.power for one in members} == {Power.UNREAD}
    assert sensitive_counts(session, [card.id]) == {card.id: 1}


def test_an_outage_registered_by_hand_is_confirmed_and_explains_calls_at_once(
    session: Session,
) -> None:
    houses = street(session, 2, boxes=2)
    dispatcher = person(session)
    with clock.frozen(START):
        number = register_outage(
            session,
            dispatcher,
            NewOutage(OutageKind.FAULT, houses[0].meter.area_id, START, cause="树障"),
        )
        with pytest.raises(OutageKnown) as known:
            register_outage(
                session, dispatcher, NewOutage(OutageKind.FAULT, houses[0].meter.area_id, START)
            )
    assert known.value.facts["outage_no"] == number
    assert outage_card(session, ALL, number).state is OutageState.CONFIRMED
    told = reported(session, houses[1], 1, minute=1)
    assert told.outage is not None
    assert told.outage.outage_no == number


def test_a_planned_outage_needs_an_end_and_a_place(session: Session) -> None:
    house = street(session, 1)[0]
    ends = START + timedelta(hours=2)
    area = house.meter.area_id
    with pytest.raises(EtaRefused):
        register_outage(session, SYSTEM, NewOutage(OutageKind.PLANNED, area, START))
    with pytest.raises(EtaRefused):
        register_outage(session, SYSTEM, NewOutage(OutageKind.FAULT, area, ends, START))
    with pytest.raises(NotFound):
        register_outage(session, SYSTEM, NewOutage(OutageKind.PLANNED, 0, START, ends))
    number = register_outage(session, SYSTEM, NewOutage(OutageKind.PLANNED, area, START, ends))
    card = outage_card(session, ALL, number)
    assert (card.state, card.eta_at, card.affected) == (OutageState.PLANNED, ends, 1)
    told = reported(session, house, 1, minute=30)
    assert told.outage is not None
    assert told.outage.outage_no == number
