"""Calling back after supply is restored: whom, when, and what the answer does."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from callcenter.callbacks.actions.calling import note_attempt, take_answer
from callcenter.callbacks.actions.listing import drop_waiting, list_callers
from callcenter.callbacks.queries import (
    callback_attempts,
    callback_card,
    callback_cards,
    callback_counts,
)
from callcenter.callbacks.types import (
    Answer,
    AttemptResult,
    CallbackCard,
    CallbackChanged,
    CallbackState,
    QuietHours,
    ReasonNeeded,
)
from callcenter.calls.actions.working import log_fault
from callcenter.crews.actions import add_crew
from callcenter.crews.types import CrewKind
from callcenter.tickets import books
from callcenter.tickets.actions.moving import move_ticket
from callcenter.tickets.queries import ticket_card, ticket_history
from callcenter.tickets.types import TicketCard
from foundation import clock
from foundation.actor import Role, Scope
from foundation.flow.models import FlowCase
from loadmgmt.api.outages import register_outage
from loadmgmt.api.types import NewOutage, OutageKind
from tests.factories.callcenter import NO_POWER, House, agent, answered, street
from tests.factories.foundation import SYSTEM, person

DAY = datetime(2026, 6, 18, 2, 0, tzinfo=UTC)  # ten in the morning
ALL = Scope.everything()
SAFE = {"measures": ["no_voltage", "earthed", "no_back_feed", "signs"]}
DONE = {"cause": "loose_connection", "work_done": "紧固接线"}


class Office:
    """An agent, a dispatcher, a crew, and a street."""

    def __init__(self, session: Session, houses: int = 1) -> None:
        self.session = session
        self.houses = street(session, houses, boxes=houses)
        self.agent = agent(session)
        self.dispatcher = person(session, Role.DISPATCHER)
        self.crew = person(session, Role.CREW)
        self.crew_id = add_crew(
            session,
            "试验班",
            kind=CrewKind.REPAIR,
            unit_id=self.houses[0].meter.unit_id,
            members=[self.crew.id or 0],
        )

    def logged(self, house: House) -> str:
        """Log a fault; give the ticket."""
        call_id = answered(self.session, self.agent, house.phone)
        done = log_fault(self.session, self.agent, call_id, NO_POWER, version=1)
        assert done.ticket_no
        return done.ticket_no

    def card(self, ticket_no: str) -> TicketCard:
        return ticket_card(self.session, ticket_no)

    def mended(self, ticket_no: str) -> None:
        """Let the crew mend it and a dispatcher confirm it, and let the handlers hear of it."""
        steps = (
            (self.dispatcher, "dispatch", {"crew_id": str(self.crew_id)}, ""),
            (self.crew, "accept", {}, ""),
            (self.crew, "arrive", {}, ""),
            (self.crew, "begin", SAFE, ""),
            (self.crew, "restore", DONE, ""),
            (self.dispatcher, "finish", {}, "电话确认有电"),
        )
        for who, move, form, note in steps:
            version = self.card(ticket_no).version
            move_ticket(self.session, who, ticket_no, move, version=version, form=form, note=note)
        self.hear(ticket_no)

    def hear(self, ticket_no: str) -> None:
        list_callers(self.session, SYSTEM, {"tickets": [{"ticket_no": ticket_no}]})

    def waiting(self) -> list[CallbackCard]:
        return callback_cards(self.session, ALL, view="due")


@pytest.fixture
def office(session: Session) -> Office:
    with clock.frozen(DAY):
        return Office(session)


def test_who_reported_it_is_called_back_and_a_satisfied_one_archives_the_ticket(
    office: Office,
) -> None:
    with clock.frozen(DAY):
        ticket_no = office.logged(office.houses[0])
        office.mended(ticket_no)
        assert office.card(ticket_no).step == "call_back"
        (one,) = office.waiting()
        assert (one.ticket_no, one.phone) == (ticket_no, office.houses[0].phone)
        again = take_answer(
            office.session, office.agent, one.id, Answer(solved=True, satisfaction=5), version=1
        )
    assert again is False
    card = office.card(ticket_no)
    assert (card.status, card.ended_at is not None) == ("archived", True)
    moves = [past.move for past in ticket_history(office.session, card.case_id)]
    assert moves[-3:] == ["finish", "ask_customer", "satisfied"]
    closed = callback_card(office.session, one.id)
    assert (closed.state, closed.satisfaction) == (CallbackState.SATISFIED, 5)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(solved=False, satisfaction=None, note="还是没电"),
        Answer(solved=True, satisfaction=1, note="来得太晚"),
    ],
)
def test_an_unhappy_answer_begins_a_new_round_with_its_reason(
    office: Office, answer: Answer
) -> None:
    with clock.frozen(DAY):
        ticket_no = office.logged(office.houses[0])
        office.mended(ticket_no)
        (one,) = office.waiting()
        assert take_answer(office.session, office.agent, one.id, answer, version=1)
        card = office.card(ticket_no)
        assert (card.status, card.round, card.crew_id, card.proved_at) == ("new", 2, None, None)
        last = ticket_history(office.session, card.case_id)[-1]
        assert (last.move, last.note) == ("reopen", answer.note)
        running = {clock_.name for clock_ in card.clocks if clock_.met_at is None}
        assert running == {"dispatch", "arrive"}
        office.mended(ticket_no)
        assert office.card(ticket_no).step == "call_back"
        (second,) = office.waiting()
        assert second.round == 2


def test_reopening_without_a_reason_is_refused(office: Office) -> None:
    with clock.frozen(DAY):
        ticket_no = office.logged(office.houses[0])
        office.mended(ticket_no)
        (one,) = office.waiting()
        with pytest.raises(ReasonNeeded):
            take_answer(
                office.session,
                office.agent,
                one.id,
                Answer(solved=False, satisfaction=2),
                version=1,
            )


def test_after_three_attempts_the_list_gives_up_and_says_why(office: Office) -> None:
    with clock.frozen(DAY):
        ticket_no = office.logged(office.houses[0])
        office.mended(ticket_no)
        (one,) = office.waiting()
    at = DAY
    for attempt in (1, 2, 3):
        with clock.frozen(at):
            note_attempt(
                office.session,
                office.agent,
                one.id,
                version=attempt,
                result=AttemptResult.NO_ANSWER,
            )
            at = callback_card(office.session, one.id).due_at
    card = callback_card(office.session, one.id)
    assert (card.state, card.attempts) == (CallbackState.GIVEN_UP, 3)
    assert [past.result for past in callback_attempts(office.session, one.id)] == ["no_answer"] * 3
    ticket = office.card(ticket_no)
    assert ticket.status == "archived"
    assert ticket_history(office.session, ticket.case_id)[-1].move == "given_up"


def test_between_attempts_lie_hours_and_no_quiet_ones(office: Office) -> None:
    with clock.frozen(DAY):
        office.mended(office.logged(office.houses[0]))
        (one,) = office.waiting()
        note_attempt(office.session, office.agent, one.id, version=1, result=AttemptResult.BUSY)
        # 10:00 and four hours is 14:00, when noon's quiet hours are over
        assert callback_card(office.session, one.id).due_at == DAY + timedelta(hours=4)
        assert office.waiting() == []
        assert callback_counts(office.session, ALL)["later"] == 1


def test_nobody_is_called_at_noon_unless_they_agreed(office: Office) -> None:
    with clock.frozen(DAY):
        office.mended(office.logged(office.houses[0]))
        (one,) = office.waiting()
    answer = Answer(solved=True, satisfaction=4)
    with clock.frozen(DAY + timedelta(hours=2, minutes=30)):
        with pytest.raises(QuietHours) as refused:
            take_answer(office.session, office.agent, one.id, answer, version=1)
        assert refused.value.facts["until"] == DAY + timedelta(hours=4)
        take_answer(office.session, office.agent, one.id, answer, version=1, agreed=True)


def test_of_two_agents_who_call_back_one_wins_and_the_other_learns_who(office: Office) -> None:
    with clock.frozen(DAY):
        office.mended(office.logged(office.houses[0]))
        (one,) = office.waiting()
        answer = Answer(solved=True, satisfaction=5)
        take_answer(office.session, office.agent, one.id, answer, version=1)
        with pytest.raises(CallbackChanged) as lost:
            take_answer(office.session, agent(office.session), one.id, answer, version=1)
    assert lost.value.facts["by"] == office.agent.name


def test_everybody_of_an_outage_is_called_and_the_last_one_archives_it(session: Session) -> None:
    with clock.frozen(DAY):
        office = Office(session, houses=3)
        area = office.houses[0].meter.area_id
        register_outage(session, SYSTEM, NewOutage(OutageKind.FAULT, area, DAY))
        numbers = {office.logged(house) for house in office.houses}
        (ticket_no,) = numbers
        office.mended(ticket_no)
        waiting = office.waiting()
        assert {one.phone for one in waiting} == {house.phone for house in office.houses}
        fine = Answer(solved=True, satisfaction=4)
        for one in waiting[:2]:
            take_answer(session, office.agent, one.id, fine, version=1)
            assert office.card(ticket_no).step == "call_back"
        take_answer(session, office.agent, waiting[2].id, fine, version=1)
        assert office.card(ticket_no).status == "archived"
        notices = session.execute(
            text(
                "SELECT count(*) FROM callcenter.delivery WHERE template = 'power_restored'"
                " AND state = 'waiting'"
            )
        ).scalar_one()
        assert notices == 3


def test_one_unhappy_customer_of_many_reopens_and_spares_the_others_a_call(
    session: Session,
) -> None:
    with clock.frozen(DAY):
        office = Office(session, houses=2)
        area = office.houses[0].meter.area_id
        register_outage(session, SYSTEM, NewOutage(OutageKind.FAULT, area, DAY))
        for house in office.houses:
            ticket_no = office.logged(house)
        office.mended(ticket_no)
        one, other = office.waiting()
        take_answer(session, office.agent, one.id, Answer(False, None, "仍无电"), version=1)
        assert callback_card(session, other.id).state is CallbackState.DROPPED
        card = office.card(ticket_no)
        assert (card.status, card.round, card.outage_id) == ("new", 2, None)


def test_hearing_of_a_restoration_twice_lists_nobody_twice(office: Office) -> None:
    with clock.frozen(DAY):
        ticket_no = office.logged(office.houses[0])
        office.mended(ticket_no)
        office.hear(ticket_no)
        assert len(office.waiting()) == 1


def test_a_supervisor_may_archive_without_a_call_and_the_list_forgets_it(office: Office) -> None:
    with clock.frozen(DAY):
        ticket_no = office.logged(office.houses[0])
        office.mended(ticket_no)
        boss = person(office.session, Role.SUPERVISOR)
        version = office.card(ticket_no).version
        move_ticket(office.session, boss, ticket_no, "archive", version=version, note="客户免回访")
        drop_waiting(office.session, SYSTEM, {"tickets": [{"ticket_no": ticket_no}]})
        assert office.waiting() == []


def test_a_case_of_the_first_version_finishes_as_it_began(office: Office) -> None:
    """Tickets opened before call-backs existed know none, and end as they always did."""
    with clock.frozen(DAY):
        ticket_no = office.logged(office.houses[0])
        case = office.session.get_one(FlowCase, office.card(ticket_no).case_id)
        case.flow_version = 1
        office.session.flush()
        office.mended(ticket_no)
        card = office.card(ticket_no)
        assert (card.flow_version, card.status) == (1, "done")
        assert office.waiting() == []
        move_ticket(office.session, office.dispatcher, ticket_no, "archive", version=card.version)
        assert office.card(ticket_no).status == "archived"


def test_new_tickets_begin_with_the_second_version_and_the_first_is_kept() -> None:
    assert books.flows().current("repair").version == 2
    assert "call_back" not in books.flows().version("repair", 1).steps
