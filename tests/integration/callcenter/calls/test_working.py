"""What an agent makes of a call: ticket, outage, addition, answer."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from callcenter.calls.actions.working import (
    add_to_ticket,
    attach_call,
    choose_point,
    close_call,
    log_fault,
)
from callcenter.calls.queries.cards import call_card, seat_of
from callcenter.calls.queries.pop import screen_pop
from callcenter.calls.types import (
    AgentState,
    CallChanged,
    CallFinished,
    CallOutcome,
    EventKind,
    Logged,
    NoteNeeded,
    PointMissing,
)
from callcenter.crews.actions import add_crew
from callcenter.crews.types import CrewKind
from callcenter.tickets.actions.outages import follow_outage
from callcenter.tickets.queries import (
    ticket_card,
    ticket_contact,
    ticket_notes,
    tickets_of_outages,
)
from callcenter.tickets.types import Priority, TicketSource
from foundation import clock
from foundation.actor import Scope
from foundation.errors import NotFound
from foundation.flow.forms import FormRefused
from loadmgmt.alerts.queries import alert_card
from loadmgmt.alerts.scanner import judge_next
from loadmgmt.alerts.thresholds import load_thresholds
from loadmgmt.alerts.types import AlertState
from loadmgmt.api.outages import outage_card, outage_cards, register_outage
from loadmgmt.api.types import NewOutage, OutageKind, OutageState
from tests.factories.callcenter import NO_POWER, House, agent, answered, street, told
from tests.factories.foundation import SYSTEM
from tests.factories.metering import reading, stored

ALL = Scope.everything()


def logged(session: Session, house: House, **more: object) -> Logged:
    """Let an agent of its own log that a house has no power."""
    one = agent(session)
    call_id = answered(session, one, house.phone)
    fault = replace(NO_POWER, contact_phone=house.phone)
    return log_fault(session, one, call_id, fault, version=1, **more)  # type: ignore[arg-type]


def told_of(session: Session, what: str) -> None:
    """Let the tickets hear of the outages that changed so."""
    rows = session.execute(
        text(
            "SELECT payload FROM foundation.event WHERE name = 'OutageChanged'"
            " AND payload #>> '{outages,0,what}' = :what ORDER BY id"
        ),
        {"what": what},
    ).scalars()
    for payload in rows.all():
        follow_outage(session, SYSTEM, payload)


def test_one_key_makes_the_ticket_with_its_promises_contact_and_crew(session: Session) -> None:
    one = agent(session)
    house = street(session, 1, life_support=True)[0]
    crew_id = add_crew(
        session, "青禾试验班", kind=CrewKind.REPAIR, unit_id=house.meter.unit_id, members=[]
    )
    call_id = answered(session, one, house.phone)
    fault = replace(NO_POWER, contact_name="林小满", contact_phone="13900000001", crew_id=crew_id)
    done = log_fault(session, one, call_id, fault, version=1)
    assert done.outcome is CallOutcome.TICKET
    card = ticket_card(session, done.ticket_no or "")
    assert (card.source, card.priority, card.status) == (
        TicketSource.CALL,
        Priority.CRIT,
        "sent",
    )
    assert card.point_id == house.meter.point_id
    assert {one.name for one in card.clocks} >= {"dispatch", "accept", "arrive"}
    contact = ticket_contact(session, card.id)
    assert (contact.name, contact.phone) == ("林小满", "13900000001")
    sealed = session.execute(text("SELECT contact_phone FROM callcenter.ticket")).scalar_one()
    assert b"139" not in bytes(sealed)
    call = call_card(session, call_id)
    assert (call.outcome, call.ticket_no, call.outcome_by) == (
        CallOutcome.TICKET,
        done.ticket_no,
        one.name,
    )
    sent = session.execute(text("SELECT template, state FROM callcenter.delivery")).one()
    assert tuple(sent) == ("ticket_accepted", "waiting")


def test_what_is_missing_is_said_and_nothing_is_kept(session: Session) -> None:
    one = agent(session)
    call_id = answered(session, one, "13912345678")
    with pytest.raises(FormRefused) as refused:
        log_fault(session, one, call_id, replace(NO_POWER, safety_asked=False), version=1)
    assert refused.value.problems == {"dangers": "required", "address": "required"}
    assert call_card(session, call_id).outcome is None


def test_an_unknown_number_gets_a_ticket_with_an_address(session: Session) -> None:
    one = agent(session)
    call_id = answered(session, one, "13912345678")
    fault = replace(NO_POWER, address="云杉路与学府街口")
    done = log_fault(session, one, call_id, fault, version=1)
    card = ticket_card(session, done.ticket_no or "")
    assert card.point_id is None
    assert card.evidence["address"] == "云杉路与学府街口"


def test_of_two_agents_one_finishes_the_call_and_the_other_learns_who(session: Session) -> None:
    one, other = agent(session), agent(session)
    house = street(session, 1)[0]
    call_id = answered(session, one, house.phone)
    done = log_fault(session, one, call_id, NO_POWER, version=1)
    with pytest.raises(CallFinished) as lost:
        log_fault(session, other, call_id, NO_POWER, version=1)
    assert lost.value.facts["by"] == one.name
    assert lost.value.facts["number"] == done.ticket_no
    assert session.execute(text("SELECT count(*) FROM callcenter.ticket")).scalar_one() == 1


def test_of_two_agents_who_choose_an_account_one_is_told(session: Session) -> None:
    one, other = agent(session), agent(session)
    houses = street(session, 2)
    call_id = answered(session, one, "13912345678")
    point = houses[0].meter.point_id
    choose_point(session, one, call_id, version=1, point_id=point)
    with pytest.raises(CallChanged) as lost:
        choose_point(session, other, call_id, version=1, point_id=houses[1].meter.point_id)
    assert lost.value.facts["by"] == one.name
    choose_point(session, other, call_id, version=2, point_id=None)
    assert call_card(session, call_id).point_id is None


def test_a_known_outage_takes_the_call_and_no_second_ticket_is_made(session: Session) -> None:
    houses = street(session, 5, boxes=5)
    outage_no = register_outage(
        session, SYSTEM, NewOutage(OutageKind.FAULT, houses[0].meter.area_id, clock.now())
    )
    first = logged(session, houses[0])
    second = logged(session, houses[1])
    assert (first.outcome, first.outage_no) == (CallOutcome.OUTAGE, outage_no)
    assert first.ticket_no == second.ticket_no
    card = outage_card(session, ALL, outage_no)
    assert (card.reports, card.ticket_no, card.state) == (2, first.ticket_no, OutageState.SENT)
    notes = [
        one.text for one in ticket_notes(session, ticket_card(session, card.ticket_no or "").id)
    ]
    assert len(notes) == 2
    assert len(tickets_of_outages(session, {card.id: outage_no})[card.id]) == 1


def test_single_tickets_follow_the_outage_that_explains_them(session: Session) -> None:
    houses = street(session, 4, boxes=4)
    early = [logged(session, house) for house in houses[:2]]
    assert [one.outcome for one in early] == [CallOutcome.TICKET, CallOutcome.TICKET]
    late = logged(session, houses[2])
    assert late.outcome is CallOutcome.OUTAGE
    assert late.ticket_no == early[0].ticket_no  # the oldest one becomes the outage's
    told_of(session, "detected")
    follower = ticket_card(session, early[1].ticket_no or "")
    assert (follower.step, follower.merged_into) == ("merged", early[0].ticket_no)
    still_open = session.execute(
        text("SELECT ticket_no FROM callcenter.ticket WHERE ended_at IS NULL")
    ).scalars()
    assert list(still_open) == [early[0].ticket_no]


def test_a_ticket_kept_apart_stays_apart(session: Session) -> None:
    houses = street(session, 4, boxes=4)
    outage_no = register_outage(
        session, SYSTEM, NewOutage(OutageKind.FAULT, houses[0].meter.area_id, clock.now())
    )
    apart = logged(session, houses[0], apart=True)
    assert (apart.outcome, apart.outage_no) == (CallOutcome.TICKET, None)
    joined = logged(session, houses[1])
    assert joined.ticket_no != apart.ticket_no
    assert joined.outage_no == outage_no
    told_of(session, "confirmed")
    assert ticket_card(session, apart.ticket_no or "").merged_into is None


def test_a_second_call_about_the_same_fault_adds_to_its_ticket(session: Session) -> None:
    house = street(session, 1)[0]
    first = logged(session, house)
    again = logged(session, house)
    assert (again.outcome, again.ticket_no) == (CallOutcome.ADDED, first.ticket_no)
    card = ticket_card(session, first.ticket_no or "")
    assert len(ticket_notes(session, card.id)) == 1


def test_a_call_is_attached_to_an_outage_by_hand_only_with_an_account(session: Session) -> None:
    one = agent(session)
    house = street(session, 1)[0]
    outage_no = register_outage(
        session, SYSTEM, NewOutage(OutageKind.FAULT, house.meter.area_id, clock.now())
    )
    unknown = answered(session, one, "13912345678")
    fault = replace(NO_POWER, address="某处")
    with pytest.raises(PointMissing):
        attach_call(session, one, unknown, fault, version=1, outage_no=outage_no)
    known = answered(session, agent(session), house.phone)
    with pytest.raises(NotFound):
        attach_call(session, one, known, NO_POWER, version=1, outage_no="TD-0")
    done = attach_call(session, one, known, NO_POWER, version=1, outage_no=outage_no)
    assert done.outcome is CallOutcome.OUTAGE


def test_a_planned_outage_takes_the_call_without_any_ticket(session: Session) -> None:
    house = street(session, 1)[0]
    now = clock.now()
    register_outage(
        session,
        SYSTEM,
        NewOutage(
            OutageKind.PLANNED,
            house.meter.area_id,
            now - timedelta(hours=1),
            now + timedelta(hours=1),
        ),
    )
    done = logged(session, house)
    assert (done.outcome, done.ticket_no) == (CallOutcome.OUTAGE, None)
    assert session.execute(text("SELECT count(*) FROM callcenter.ticket")).scalar_one() == 0


def test_the_point_s_standing_alert_goes_with_the_ticket(session: Session) -> None:
    house = street(session, 1, read=1)[0]
    stored(session, reading(house.meter.meter_id, clock.now(), u_a=0.0))
    while judge_next(session, SYSTEM, load_thresholds()):
        pass
    done = logged(session, house)
    card = ticket_card(session, done.ticket_no or "")
    assert card.alert_id is not None
    alert = alert_card(session, ALL, card.alert_id)
    assert (alert.state, alert.ticket_no) == (AlertState.WORKING, done.ticket_no)


def test_a_call_may_end_without_a_ticket_but_not_without_a_word(session: Session) -> None:
    one = agent(session)
    call_id = answered(session, one, None)
    with pytest.raises(NoteNeeded):
        close_call(session, one, call_id, version=1, outcome=CallOutcome.ANSWERED, note=" ")
    with pytest.raises(NoteNeeded):
        close_call(session, one, call_id, version=1, outcome=CallOutcome.TICKET, note="x")
    close_call(session, one, call_id, version=1, outcome=CallOutcome.WRONG_NUMBER, note="")
    assert call_card(session, call_id).outcome is CallOutcome.WRONG_NUMBER


def test_finishing_a_call_ends_the_wrap_up(session: Session) -> None:
    one = agent(session)
    house = street(session, 1)[0]
    call_id = answered(session, one, house.phone)
    told(session, call_card(session, call_id).switch_call_id, EventKind.HANGUP, to=one)
    log_fault(session, one, call_id, NO_POWER, version=1)
    seat = seat_of(session, one.id)
    assert seat is not None
    assert (seat.state, seat.call_id) == (AgentState.READY, None)


def test_what_pops_up_knows_what_is_known_and_says_what_is_not(session: Session) -> None:
    one = agent(session)
    houses = street(session, 3, read=3)
    stored(session, *(reading(h.meter.meter_id, clock.now(), u_a=221.0) for h in houses))
    logged(session, houses[0])
    call_id = answered(session, one, houses[0].phone)
    pop = screen_pop(session, call_id)
    assert pop.caller.chosen is not None
    assert pop.caller.chosen.account_no == houses[0].account_no
    assert pop.meter is not None
    assert pop.meter.latest is not None
    assert pop.around is not None
    assert (pop.around.own, len(pop.around.neighbours)) == ("on", 3)
    assert pop.around.verdict == "inside"
    assert [one.ticket_no for one in pop.tickets] == [pop.repeat.ticket_no if pop.repeat else ""]
    assert {one.kind.split(".")[0] for one in pop.contacts} == {"call", "ticket"}
    assert (pop.cases, pop.arrears) == ((), None)


def test_an_unknown_caller_pops_up_empty(session: Session) -> None:
    one = agent(session)
    pop = screen_pop(session, answered(session, one, None))
    assert (pop.caller.chosen, pop.caller.choices, pop.meter, pop.around) == (
        None,
        (),
        None,
        None,
    )


def test_adding_to_a_ticket_by_hand_finishes_the_call(session: Session) -> None:
    house = street(session, 1)[0]
    first = logged(session, house)
    one = agent(session)
    call_id = answered(session, one, "13912345678")
    done = add_to_ticket(
        session, one, call_id, NO_POWER, version=1, ticket_no=first.ticket_no or ""
    )
    assert done.outcome is CallOutcome.ADDED
    with pytest.raises(NotFound):
        add_to_ticket(
            session,
            one,
            answered(session, agent(session), None),
            NO_POWER,
            version=1,
            ticket_no="GD-0",
        )


def test_an_outage_over_closes_its_ticket_and_opens_one_for_who_stays_dark(
    session: Session,
) -> None:
    houses = street(session, 2)
    start = datetime(2026, 6, 18, 11, 0, tzinfo=UTC)
    register_outage(session, SYSTEM, NewOutage(OutageKind.FAULT, houses[0].meter.area_id, start))
    done = logged(session, houses[0])
    card = outage_cards(session, ALL)[0]
    entry = {
        "id": card.id,
        "outage_no": card.outage_no,
        "what": "restored",
        "still_dark": [houses[1].meter.point_id],
    }
    follow_outage(session, SYSTEM, {"outages": [entry]})
    follow_outage(session, SYSTEM, {"outages": [entry]})
    nested = [
        one
        for one in tickets_of_outages(session, {card.id: card.outage_no})[card.id]
        if one.ticket_no != done.ticket_no
    ]
    assert [one.point_id for one in nested] == [houses[1].meter.point_id]
    assert nested[0].outage_id is None
