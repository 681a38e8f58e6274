"""A ticket from the alert to the proof by the meter."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from callcenter.crews.actions import add_crew
from callcenter.crews.types import CrewKind
from callcenter.tickets.actions.moving import add_note, move_ticket
from callcenter.tickets.actions.opening import open_ticket
from callcenter.tickets.actions.proving import meters_proved, prove_restored, tell_late
from callcenter.tickets.queries import ticket_card, ticket_cards, ticket_counts, ticket_history
from callcenter.tickets.types import (
    NewTicket,
    NotYourCrew,
    TicketExists,
    TicketKind,
    TicketSource,
    TitleMissing,
)
from foundation import clock
from foundation.actor import Actor, Role, Scope
from foundation.errors import NotAllowed
from foundation.flow.engine import CaseMoved, MoveRefused, NoteMissing
from foundation.flow.forms import FormRefused
from foundation.overrides import override
from loadmgmt.alerts.queries import alert_card, alert_cards
from loadmgmt.alerts.scanner import judge_next
from loadmgmt.alerts.thresholds import load_thresholds
from loadmgmt.alerts.types import AlertCard, AlertState
from metering.api.types import AreaClass
from tests.factories.foundation import SYSTEM, person
from tests.factories.metering import Fitted, area, meter, reading, stored

START = datetime(2026, 6, 18, 11, 0, tzinfo=UTC)
ALL = Scope.everything()
SAFE = {"measures": ["no_voltage", "earthed", "no_back_feed", "signs"]}
DONE = {"cause": "loose_connection", "work_done": "紧固接线"}


class Town:
    """A meter with a sag, a dispatcher, a crew and its member."""

    def __init__(self, session: Session, *, area_class: AreaClass = AreaClass.URBAN) -> None:
        self.session = session
        self.meter: Fitted = meter(
            session, place=area(session, area_class=area_class), profile="demo_single"
        )
        self.dispatcher = person(session, Role.DISPATCHER)
        self.crew = person(session, Role.CREW)
        self.crew_id = add_crew(
            session,
            "试验班",
            kind=CrewKind.REPAIR,
            unit_id=self.meter.unit_id,
            members=[self.crew.id or 0],
        )
        self.alert = self.read(0, 190.0)

    def read(self, minute: int, volts: float) -> AlertCard:
        at = START + timedelta(minutes=minute)
        stored(self.session, reading(self.meter.meter_id, at, u_a=volts))
        while judge_next(self.session, SYSTEM, load_thresholds()):
            pass
        cards = alert_cards(self.session, ALL, view="today")
        return next(card for card in cards if card.point_id == self.meter.point_id)

    def opened(self) -> str:
        new = NewTicket(
            TicketKind.REPAIR,
            "电压越下限",
            TicketSource.ALERT,
            point_id=self.meter.point_id,
            alert_id=self.alert.id,
        )
        return open_ticket(self.session, self.dispatcher, new)

    def move(self, ticket_no: str, actor: Actor, name: str, **more: object) -> None:
        version = ticket_card(self.session, ticket_no).version
        move_ticket(self.session, actor, ticket_no, name, version=version, **more)  # type: ignore[arg-type]

    def restored(self, ticket_no: str) -> None:
        self.move(ticket_no, self.dispatcher, "dispatch", form={"crew_id": str(self.crew_id)})
        self.move(ticket_no, self.crew, "accept")
        self.move(ticket_no, self.crew, "arrive")
        self.move(ticket_no, self.crew, "begin", form=SAFE)
        self.move(ticket_no, self.crew, "restore", form=DONE)


@pytest.fixture
def town(session: Session) -> Town:
    return Town(session)


def test_the_whole_road_from_the_alert_to_the_archive(town: Town) -> None:
    ticket_no = town.opened()
    assert ticket_no.startswith("GD-")
    assert alert_card(town.session, ALL, town.alert.id).state is AlertState.WORKING
    town.restored(ticket_no)
    town.read(1, 220.0)
    town.read(2, 220.0)
    meters_proved(town.session, SYSTEM, {"alerts": [{"id": town.alert.id}]})
    card = ticket_card(town.session, ticket_no)
    assert (card.status, card.proved_at is not None) == ("done", True)
    town.move(ticket_no, town.dispatcher, "archive")
    moves = [past.move for past in ticket_history(town.session, card.case_id)]
    assert moves == [
        "start", "dispatch", "accept", "arrive", "begin", "restore", "proved", "archive",
    ]  # fmt: skip
    assert ticket_card(town.session, ticket_no).ended_at is not None
    assert alert_card(town.session, ALL, town.alert.id).state is AlertState.CLEARED


def test_a_meter_that_had_recovered_before_the_crew_said_so_proves_it_too(town: Town) -> None:
    ticket_no = town.opened()
    town.read(1, 220.0)
    town.read(2, 220.0)
    meters_proved(town.session, SYSTEM, {"alerts": [{"id": town.alert.id}]})
    town.restored(ticket_no)
    assert ticket_card(town.session, ticket_no).status == "restored"
    prove_restored(town.session, SYSTEM, ticket_no=ticket_no)
    assert ticket_card(town.session, ticket_no).status == "done"


def test_the_crews_word_alone_proves_nothing(town: Town) -> None:
    ticket_no = town.opened()
    town.restored(ticket_no)
    prove_restored(town.session, SYSTEM, ticket_no=ticket_no)
    assert ticket_card(town.session, ticket_no).status == "restored"
    asked = town.session.execute(text("SELECT count(*) FROM metering.read_request")).scalar_one()
    assert asked == 1


def test_one_alert_has_one_open_ticket(town: Town) -> None:
    ticket_no = town.opened()
    with pytest.raises(TicketExists) as refused:
        town.opened()
    assert refused.value.facts["ticket_no"] == ticket_no


def test_a_ticket_without_a_title_is_refused(town: Town) -> None:
    with pytest.raises(TitleMissing):
        open_ticket(
            town.session,
            town.dispatcher,
            NewTicket(TicketKind.REPAIR, "  ", TicketSource.MANUAL),
        )


def test_of_two_dispatchers_one_wins_and_the_other_learns_who(town: Town) -> None:
    ticket_no = town.opened()
    seen = ticket_card(town.session, ticket_no).version
    form = {"crew_id": str(town.crew_id)}
    move_ticket(town.session, town.dispatcher, ticket_no, "dispatch", version=seen, form=form)
    other = person(town.session, Role.DISPATCHER)
    with pytest.raises(CaseMoved) as lost:
        move_ticket(town.session, other, ticket_no, "dispatch", version=seen, form=form)
    assert lost.value.facts["by"] == town.dispatcher.name


def test_only_the_crew_it_is_given_to_may_work_on_it(town: Town) -> None:
    ticket_no = town.opened()
    town.move(ticket_no, town.dispatcher, "dispatch", form={"crew_id": str(town.crew_id)})
    stranger = person(town.session, Role.CREW)
    with pytest.raises(NotYourCrew):
        town.move(ticket_no, stranger, "accept")
    with pytest.raises(NotAllowed):
        town.move(ticket_no, town.crew, "reassign", form={"crew_id": str(town.crew_id)})


def test_work_begins_only_when_every_safety_measure_is_confirmed(town: Town) -> None:
    ticket_no = town.opened()
    town.move(ticket_no, town.dispatcher, "dispatch", form={"crew_id": str(town.crew_id)})
    town.move(ticket_no, town.crew, "accept")
    town.move(ticket_no, town.crew, "arrive")
    with pytest.raises(FormRefused) as refused:
        town.move(ticket_no, town.crew, "begin", form={"measures": ["earthed"]})
    assert refused.value.problems == {"measures": "all_checks"}
    assert ticket_card(town.session, ticket_no).status == "on_site"


def test_a_step_takes_only_its_own_moves(town: Town) -> None:
    ticket_no = town.opened()
    with pytest.raises(MoveRefused):
        town.move(ticket_no, town.dispatcher, "archive")


def test_voiding_needs_a_note_and_gives_the_alert_back(town: Town) -> None:
    ticket_no = town.opened()
    with pytest.raises(NoteMissing):
        town.move(ticket_no, town.dispatcher, "void")
    town.move(ticket_no, town.dispatcher, "void", note="误派")
    alert = alert_card(town.session, ALL, town.alert.id)
    assert (alert.state, alert.ticket_no) == (AlertState.ACKED, None)


def test_promises_follow_the_class_of_the_area(session: Session) -> None:
    with clock.frozen(START):
        for area_class, minutes in ((AreaClass.URBAN, 45), (AreaClass.RURAL, 90)):
            town = Town(session, area_class=area_class)
            clocks = {c.name: c for c in ticket_card(session, town.opened()).clocks}
            assert clocks["arrive"].due_at == START + timedelta(minutes=minutes)
            assert clocks["dispatch"].due_at == START + timedelta(minutes=2)


def test_a_running_case_keeps_the_promise_it_began_with(town: Town) -> None:
    ticket_no = town.opened()
    before = ticket_card(town.session, ticket_no).clocks
    override(
        town.session, SYSTEM, "promises.repair.arrive.urban", 30, reason="试行",
        valid_from=clock.now() - timedelta(seconds=1),
    )  # fmt: skip
    assert ticket_card(town.session, ticket_no).clocks == before
    other = open_ticket(
        town.session,
        town.dispatcher,
        NewTicket(TicketKind.REPAIR, "另一处", TicketSource.MANUAL, point_id=town.meter.point_id),
    )
    clocks = {c.name: c for c in ticket_card(town.session, other).clocks}
    assert clocks["arrive"].due_at - clocks["arrive"].started_at == timedelta(minutes=30)


def test_a_hold_stops_the_clock_and_resuming_moves_the_promise(session: Session) -> None:
    with clock.frozen(START):
        town = Town(session)
        ticket_no = town.opened()
        town.move(ticket_no, town.dispatcher, "dispatch", form={"crew_id": str(town.crew_id)})
        town.move(ticket_no, town.crew, "accept")
        town.move(ticket_no, town.dispatcher, "hold", note="等客户到场")
    with clock.frozen(START + timedelta(minutes=30)):
        arrive = next(c for c in ticket_card(session, ticket_no).clocks if c.name == "arrive")
        assert arrive.kind(clock.now()) == "pause"
        town.move(ticket_no, town.dispatcher, "resume")
        arrive = next(c for c in ticket_card(session, ticket_no).clocks if c.name == "arrive")
        assert arrive.due_at == START + timedelta(minutes=75)


def test_a_missed_promise_is_told_once(session: Session) -> None:
    with clock.frozen(START):
        town = Town(session)
        town.opened()
    with clock.frozen(START + timedelta(hours=1)):
        assert tell_late(session, SYSTEM) == 2
        assert tell_late(session, SYSTEM) == 0
        assert ticket_counts(session, ALL)["overdue"] == 1


def test_a_note_is_kept_and_an_empty_one_is_none(town: Town) -> None:
    ticket_no = town.opened()
    add_note(town.session, town.dispatcher, ticket_no, "氧气瓶可维持 2 小时")
    add_note(town.session, town.dispatcher, ticket_no, "  ")
    rows = town.session.execute(text("SELECT text FROM callcenter.ticket_note")).scalars().all()
    assert rows == ["氧气瓶可维持 2 小时"]


def test_lists_are_ordered_by_what_is_due_first(session: Session) -> None:
    with clock.frozen(START):
        first = Town(session, area_class=AreaClass.RURAL).opened()
    with clock.frozen(START + timedelta(minutes=1)):
        second = Town(session).opened()
    listed = [card.ticket_no for card in ticket_cards(session, ALL)]
    assert listed == [first, second]


def test_the_history_of_a_crew_that_was_offline_keeps_both_times(town: Town) -> None:
    ticket_no = town.opened()
    town.move(ticket_no, town.dispatcher, "dispatch", form={"crew_id": str(town.crew_id)})
    sent_at = clock.now()
    with clock.frozen(sent_at + timedelta(minutes=9)):
        then = sent_at + timedelta(minutes=2)
        town.move(ticket_no, town.crew, "accept", done_at=then)
        last = ticket_history(town.session, ticket_card(town.session, ticket_no).case_id)[-1]
        assert (last.done_at, last.at) == (then, sent_at + timedelta(minutes=9))


def test_a_crew_cannot_have_been_there_before_it_was_sent(town: Town) -> None:
    ticket_no = town.opened()
    town.move(ticket_no, town.dispatcher, "dispatch", form={"crew_id": str(town.crew_id)})
    town.move(ticket_no, town.crew, "accept", done_at=clock.now() - timedelta(days=1))
    sent, accepted = ticket_history(town.session, ticket_card(town.session, ticket_no).case_id)[-2:]
    assert accepted.done_at == sent.done_at
