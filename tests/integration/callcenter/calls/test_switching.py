"""What the phone switch tells, in any order, makes one call, and the seats follow."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from callcenter.calls.actions.seats import choose_state, end_wrap_ups, sit_at
from callcenter.calls.queries.cards import call_card, call_cards, call_queue, seat_of, seats
from callcenter.calls.types import (
    AgentBusy,
    AgentState,
    CallReason,
    CallState,
    EventKind,
    EventKnown,
    ExtensionTaken,
)
from foundation import clock
from foundation.actor import Actor
from tests.factories.callcenter import agent, answered, street, told

START = datetime(2026, 6, 18, 3, 0, tzinfo=UTC)
K = EventKind


def state_of(session: Session, one: Actor) -> AgentState:
    seat = seat_of(session, one.id)
    assert seat is not None
    return seat.state


def test_a_call_rings_is_answered_and_ends_and_the_seat_follows(session: Session) -> None:
    one = agent(session)
    house = street(session, 1, read=1)[0]
    taken = told(session, "c", K.RING, caller=house.phone, to=one)
    assert (taken.state, taken.agent_id) == (CallState.RINGING, one.id)
    assert state_of(session, one) is AgentState.RINGING
    card = call_card(session, taken.call_id)
    assert (card.point_id, card.caller) == (house.meter.point_id, house.phone)
    asked = session.execute(text("SELECT count(*) FROM metering.read_request")).scalar_one()
    assert asked == 1  # the meter is asked when it rings
    told(session, "c", K.ANSWER, to=one)
    assert state_of(session, one) is AgentState.ON_CALL
    told(session, "c", K.HANGUP, to=one)
    assert state_of(session, one) is AgentState.WRAP_UP
    assert call_card(session, taken.call_id).state is CallState.ENDED


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::5])
def test_events_out_of_order_and_twice_make_one_call(
    session: Session, order: tuple[int, ...]
) -> None:
    one = agent(session)
    kinds = (K.QUEUE, K.RING, K.ANSWER, K.HANGUP)
    for place in order:
        at = START + timedelta(seconds=10 * place)
        told(session, "c", kinds[place], at=at, to=one if place else None, event=f"e{place}")
        with pytest.raises(EventKnown), session.begin_nested():
            told(session, "c", kinds[place], at=at, to=one, event=f"e{place}")
    rows = session.execute(text("SELECT count(*) FROM callcenter.call")).scalar_one()
    events = session.execute(text("SELECT count(*) FROM callcenter.call_event")).scalar_one()
    assert (rows, events) == (1, 4)
    card = call_cards(session, view="all")[0]
    assert card.state is CallState.ENDED
    assert card.answered_at == START + timedelta(seconds=20)
    assert card.ended_at == START + timedelta(seconds=30)
    # an end that comes before the ring leaves nobody on the telephone
    assert state_of(session, one) in {AgentState.WRAP_UP, AgentState.READY}


def test_an_event_of_another_call_cannot_be_taken_under_a_known_number(session: Session) -> None:
    told(session, "c1", K.QUEUE, event="same")
    with pytest.raises(EventKnown), session.begin_nested():
        told(session, "c2", K.QUEUE, event="same")
    assert len(call_cards(session, view="all")) == 1


def test_a_number_with_several_accounts_leaves_the_choice_to_the_agent(session: Session) -> None:
    one = agent(session)
    houses = street(session, 2, read=2)
    session.execute(
        text(
            "UPDATE customers.customer SET phone_hash ="
            " (SELECT min(phone_hash::text)::bytea FROM customers.customer)"
        )
    )
    hashes = session.execute(
        text("SELECT count(DISTINCT phone_hash) FROM customers.customer")
    ).scalar_one()
    assert hashes == 1
    call_id = answered(session, one, houses[0].phone)
    other = answered(session, agent(session), houses[1].phone)
    points = {call_card(session, number).point_id for number in (call_id, other)}
    assert points == {None}


def test_an_abandoned_call_makes_the_agent_ready_again(session: Session) -> None:
    one = agent(session)
    taken = told(session, "c", K.RING, to=one)
    told(session, "c", K.ABANDON)
    assert call_card(session, taken.call_id).state is CallState.ABANDONED
    assert state_of(session, one) is AgentState.READY


def test_a_transfer_lets_the_first_agent_wrap_up_and_rings_at_the_second(session: Session) -> None:
    first, second = agent(session), agent(session)
    told(session, "c", K.RING, to=first)
    told(session, "c", K.ANSWER, to=first)
    taken = told(session, "c", K.TRANSFER, to=second)
    assert taken.agent_id == second.id
    assert state_of(session, first) is AgentState.WRAP_UP
    assert state_of(session, second) is AgentState.RINGING


def test_a_late_event_of_an_old_call_does_not_disturb_the_present_one(session: Session) -> None:
    one = agent(session)
    told(session, "old", K.RING, at=START, to=one)
    told(session, "old", K.ANSWER, at=START + timedelta(seconds=5), to=one)
    told(session, "old", K.HANGUP, at=START + timedelta(seconds=60), to=one)
    told(session, "new", K.RING, at=START + timedelta(seconds=70), to=one)
    told(session, "old", K.HOLD, at=START + timedelta(seconds=30), to=one)
    seat = seat_of(session, one.id)
    assert seat is not None
    assert seat.state is AgentState.RINGING
    assert call_card(session, seat.call_id or 0).switch_call_id == "new"


def test_an_unknown_extension_loses_no_call(session: Session) -> None:
    taken = told(session, "c", K.RING, caller="13900009999")
    assert taken.agent_id is None
    assert call_card(session, taken.call_id).state is CallState.RINGING


def test_a_wrap_up_ends_by_itself_after_its_time(session: Session) -> None:
    with clock.frozen(START):
        one = agent(session)
        answered(session, one, None)
        told(session, call_cards(session, view="all")[0].switch_call_id, K.HANGUP, to=one)
    with clock.frozen(START + timedelta(seconds=59)):
        assert end_wrap_ups(session, one) == 0
    with clock.frozen(START + timedelta(seconds=60)):
        assert end_wrap_ups(session, one) == 1
        assert end_wrap_ups(session, one) == 0
        assert state_of(session, one) is AgentState.READY
        unfinished = call_cards(session, view="unfinished", agent_id=one.id)
    assert len(unfinished) == 1  # nothing is lost: it waits to be finished


def test_an_agent_on_the_telephone_cannot_choose_a_state(session: Session) -> None:
    one = agent(session)
    told(session, "c", K.RING, to=one)
    with pytest.raises(AgentBusy):
        choose_state(session, one, AgentState.BREAK)
    told(session, "c", K.ABANDON)
    choose_state(session, one, AgentState.BREAK)
    with pytest.raises(AgentBusy):
        choose_state(session, one, AgentState.ON_CALL)
    past = session.execute(
        text("SELECT to_state FROM callcenter.seat_history WHERE person_id = :id ORDER BY id"),
        {"id": one.id},
    ).scalars()
    assert list(past) == ["ready", "ringing", "ready", "break"]


def test_two_people_cannot_sit_at_one_extension(session: Session) -> None:
    first, second = agent(session), agent(session)
    with pytest.raises(ExtensionTaken) as taken:
        sit_at(session, second, first.staff_no)
    assert taken.value.facts["name"] == first.name
    sit_at(session, first, "")
    sit_at(session, second, first.staff_no)
    by_person = {one.person_id: one.extension for one in seats(session)}
    assert (by_person[first.id or 0], by_person[second.id or 0]) == (None, first.staff_no)


def test_the_queue_counts_who_waits_and_for_how_long(session: Session) -> None:
    with clock.frozen(START):
        told(session, "a", K.QUEUE, at=START - timedelta(seconds=52))
        told(session, "b", K.QUEUE, at=START - timedelta(seconds=10))
        answered(session, agent(session), None)
        queue = call_queue(session)
    assert queue.waiting == 2
    assert queue.longest == timedelta(seconds=52)
    assert [one.switch_call_id for one in call_cards(session, view="waiting")] == ["a", "b"]


def test_callers_who_chose_fault_are_evidence_before_anybody_answers(session: Session) -> None:
    houses = street(session, 4, boxes=4)
    for index, house in enumerate(houses):
        told(session, f"c{index}", K.QUEUE, caller=house.phone, reason=CallReason.FAULT)
    rows = session.execute(
        text(
            "SELECT count(*), (SELECT count(*) FROM loadmgmt.outage_report WHERE outage_id = o.id)"
            " FROM loadmgmt.outage o GROUP BY o.id"
        )
    ).all()
    assert [tuple(row) for row in rows] == [(1, 4)]
