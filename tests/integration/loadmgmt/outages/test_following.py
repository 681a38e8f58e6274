"""Outages made by alerts, worked on by tickets, proved over by their meters."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from foundation import clock
from foundation.actor import Actor, Role, Scope
from loadmgmt.alerts.queries import alert_cards
from loadmgmt.alerts.scanner import judge_next
from loadmgmt.alerts.thresholds import load_thresholds
from loadmgmt.alerts.types import AlertKind
from loadmgmt.api.outage_moves import (
    confirm_outage,
    drop_ticket,
    end_outage,
    set_cause,
    set_eta,
    take_ticket,
    work_begun,
)
from loadmgmt.api.outages import (
    outage_card,
    outage_cards,
    outage_counts,
    outage_history,
    register_outage,
)
from loadmgmt.outages.actions.following import alerts_cleared, alerts_raised, follow_outages
from loadmgmt.outages.types import (
    EtaReasonMissing,
    EtaRefused,
    NewOutage,
    OutageCard,
    OutageKind,
    OutageMoved,
    OutageMoveRefused,
    OutageNoteMissing,
    OutageSource,
    OutageState,
)
from tests.factories.callcenter import House, street
from tests.factories.foundation import SYSTEM, person
from tests.factories.metering import reading, stored

START = datetime(2026, 6, 18, 11, 0, tzinfo=UTC)
ALL = Scope.everything()


class Street:
    """Houses with meters that are all read."""

    def __init__(self, session: Session, houses: int = 6) -> None:
        self.session = session
        self.houses = street(session, houses, read=houses, boxes=2)
        self.dispatcher: Actor = person(session, Role.DISPATCHER)

    def read(self, minute: int, volts: dict[float, list[House]]) -> None:
        """Read meters and let the handlers hear of the alerts that come and go."""
        at = START + timedelta(minutes=minute)
        before = self._events()
        with clock.frozen(at):
            stored(
                self.session,
                *(
                    reading(one.meter.meter_id, at, u_a=level)
                    for level, some in volts.items()
                    for one in some
                ),
            )
            while judge_next(self.session, SYSTEM, load_thresholds()):
                pass
            for name, payload in self._events()[len(before) :]:
                if name == "AlertsRaised":
                    alerts_raised(self.session, SYSTEM, payload)
                if name == "AlertsCleared":
                    alerts_cleared(self.session, SYSTEM, payload)

    def _events(self) -> list[tuple[str, dict[str, object]]]:
        rows = self.session.execute(
            text(
                "SELECT name, payload FROM foundation.event"
                " WHERE name IN ('AlertsRaised', 'AlertsCleared') ORDER BY id"
            )
        )
        return [(name, payload) for name, payload in rows]

    def dark(self) -> OutageCard:
        """Let everything go dark; give the outage."""
        self.read(0, {0.0: self.houses})
        return outage_cards(self.session, ALL)[0]

    def card(self) -> OutageCard:
        """Give the only outage."""
        return outage_cards(self.session, ALL, view="all")[0]


def test_a_transformer_without_power_is_one_outage(session: Session) -> None:
    town = Street(session)
    card = town.dark()
    assert (card.source, card.state) == (OutageSource.ALERT, OutageState.DETECTED)
    assert (card.affected, card.was_dark, card.back) == (6, 6, 0)
    kinds = {one.id: one.kind for one in alert_cards(session, ALL)}
    assert kinds[card.alert_id or 0] is AlertKind.TRANSFORMER_OUT
    town.read(1, {0.0: town.houses})
    assert len(outage_cards(session, ALL, view="all")) == 1


def test_meters_that_come_back_prove_it_by_and_by(session: Session) -> None:
    town = Street(session)
    town.dark()
    for minute in (1, 2):
        town.read(minute, {221.0: town.houses[:5], 0.0: town.houses[5:]})
    card = town.card()
    assert (card.state, card.back, card.still_dark) == (OutageState.PARTLY_RESTORED, 5, 1)
    town.read(3, {221.0: town.houses})
    with clock.frozen(START + timedelta(minutes=3)):
        follow_outages(session, SYSTEM)
    card = town.card()
    assert (card.state, card.still_dark) == (OutageState.RESTORED, 0)
    assert card.restored_at == START + timedelta(minutes=3)
    whats = [one.what for one in outage_history(session, card.id)]
    assert whats == ["restored", "partly_restored", "detected"]


def test_of_many_meters_a_last_one_may_stay_dark_and_is_told(session: Session) -> None:
    town = Street(session, 20)
    town.dark()
    for minute in (1, 2):
        town.read(minute, {221.0: town.houses[:19], 0.0: town.houses[19:]})
    card = town.card()
    assert (card.state, card.back, card.was_dark) == (OutageState.RESTORED, 19, 20)
    told = session.execute(
        text(
            "SELECT payload -> 'outages' -> 0 FROM foundation.event"
            " WHERE name = 'OutageChanged' ORDER BY id DESC LIMIT 1"
        )
    ).scalar_one()
    assert told["what"] == "restored"
    assert told["still_dark"] == [town.houses[19].meter.point_id]


def test_looking_again_changes_nothing(session: Session) -> None:
    town = Street(session)
    town.dark()
    with clock.frozen(START + timedelta(minutes=1)):
        follow_outages(session, SYSTEM)
        before = town.card()
        follow_outages(session, SYSTEM)
    assert town.card() == before


def test_a_ticket_takes_the_outage_once_and_gives_it_back(session: Session) -> None:
    town = Street(session)
    card = town.dark()
    assert take_ticket(session, town.dispatcher, card.id, ticket_no="GD-1") == "GD-1"
    assert take_ticket(session, town.dispatcher, card.id, ticket_no="GD-2") == "GD-1"
    assert town.card().state is OutageState.SENT
    work_begun(session, SYSTEM, card.id)
    assert town.card().state is OutageState.REPAIRING
    work_begun(session, SYSTEM, card.id)
    drop_ticket(session, town.dispatcher, card.id, note="GD-1")
    assert (town.card().state, town.card().ticket_no) == (OutageState.CONFIRMED, None)


def test_of_two_dispatchers_one_wins_and_the_other_learns_who(session: Session) -> None:
    town = Street(session)
    card = town.dark()
    confirm_outage(session, town.dispatcher, card.outage_no, version=card.version)
    with pytest.raises(OutageMoved) as lost:
        set_cause(session, person(session), card.outage_no, version=card.version, cause="熔断器")
    assert lost.value.facts["by"] == town.dispatcher.name
    end_outage(session, town.dispatcher, card.outage_no, version=None, note="已送电")
    with pytest.raises(OutageMoveRefused):
        confirm_outage(session, town.dispatcher, card.outage_no, version=town.card().version)


def test_an_expected_time_that_moves_later_needs_a_reason_and_keeps_its_past(
    session: Session,
) -> None:
    town = Street(session)
    card = town.dark()
    first = card.eta_at
    assert first is not None

    def expect(eta_at: datetime, reason: str = "") -> None:
        set_eta(
            session,
            town.dispatcher,
            card.outage_no,
            version=town.card().version,
            eta_at=eta_at,
            reason=reason,
        )

    expect(first - timedelta(minutes=30))
    with pytest.raises(EtaReasonMissing):
        expect(first)
    expect(first + timedelta(hours=1), "等待备件")
    with pytest.raises(EtaRefused):
        expect(card.started_at)
    past = [one for one in outage_history(session, card.id) if one.what == "eta"]
    assert [(one.eta_before, one.eta_at, one.note) for one in past] == [
        (first - timedelta(minutes=30), first + timedelta(hours=1), "等待备件"),
        (first, first - timedelta(minutes=30), ""),
    ]


def test_ending_by_hand_needs_a_note(session: Session) -> None:
    town = Street(session)
    card = town.dark()
    with pytest.raises(OutageNoteMissing):
        end_outage(session, town.dispatcher, card.outage_no, version=card.version, note=" ")
    end_outage(session, town.dispatcher, card.outage_no, version=card.version, note="现场核实")
    assert town.card().state is OutageState.RESTORED
    end_outage(session, town.dispatcher, card.outage_no, version=None, note="再说一次")
    assert len(outage_history(session, card.id)) == 2


def test_a_planned_window_ends_by_itself(session: Session) -> None:
    area = street(session, 1)[0].meter.area_id
    ends = START + timedelta(hours=2)
    number = register_outage(session, SYSTEM, NewOutage(OutageKind.PLANNED, area, START, ends))
    with clock.frozen(ends - timedelta(seconds=1)):
        follow_outages(session, SYSTEM)
        assert outage_card(session, ALL, number).is_open
    with clock.frozen(ends):
        follow_outages(session, SYSTEM)
        assert outage_counts(session, ALL) == {"active": 0, "planned": 0, "past": 1}
    card = outage_card(session, ALL, number)
    assert (card.state, card.restored_at) == (OutageState.RESTORED, ends)
