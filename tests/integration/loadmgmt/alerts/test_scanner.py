"""Readings become alerts, once, and end them."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from foundation.actor import Actor, Scope
from loadmgmt.alerts.actions import acknowledge, call_false, suppress, wake_suppressed
from loadmgmt.alerts.queries import alert_card, alert_cards, alert_counts, alert_history
from loadmgmt.alerts.scanner import judge_next
from loadmgmt.alerts.silence import terminals_back, terminals_silent
from loadmgmt.alerts.thresholds import load_thresholds
from loadmgmt.alerts.types import (
    AlertCard,
    AlertChanged,
    AlertKind,
    AlertMoveRefused,
    AlertState,
    ReasonMissing,
)
from metering.api.types import Supply
from tests.factories.foundation import SYSTEM
from tests.factories.metering import Fitted, area, meter, reading, stored

START = datetime(2026, 6, 18, 11, 0, tzinfo=UTC)
ALL = Scope.everything()


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def judge(session: Session) -> None:
    while judge_next(session, SYSTEM, load_thresholds()):
        pass


def seen(session: Session, one: Fitted, minute: int, **values: float) -> list[AlertCard]:
    stored(session, reading(one.meter_id, at(minute), **values))
    judge(session)
    return [card for card in alert_cards(session, ALL) if card.point_id == one.point_id]


def test_a_sag_is_one_alert_however_long_it_lasts(session: Session) -> None:
    one = meter(session)
    (first,) = seen(session, one, 0, u_a=190.0, i_a=1.0)
    (still,) = seen(session, one, 1, u_a=185.0, i_a=1.0)
    assert still.id == first.id
    assert still.kind is AlertKind.UNDER_VOLTAGE
    assert still.started_at == at(0)
    assert still.last_seen_at == at(1)
    assert str(still.measured) == "185.000"
    assert [past.what for past in alert_history(session, first.id)] == ["raised"]


def test_judging_a_batch_twice_changes_nothing(session: Session) -> None:
    one = meter(session)
    (first,) = seen(session, one, 0, u_a=190.0)
    session.execute(text("UPDATE metering.reading_batch SET judged_at = NULL"))
    judge(session)
    (again,) = alert_cards(session, ALL)
    assert again == first


def test_two_good_intervals_end_it_and_one_does_not(session: Session) -> None:
    one = meter(session)
    (first,) = seen(session, one, 0, u_a=190.0)
    assert seen(session, one, 1, u_a=220.0)
    assert seen(session, one, 2, u_a=220.0) == []
    ended = alert_card(session, ALL, first.id)
    assert ended.state is AlertState.CLEARED
    assert [past.what for past in alert_history(session, first.id)] == ["cleared", "raised"]


def test_a_bad_interval_begins_the_count_again(session: Session) -> None:
    one = meter(session)
    for minute, volts in enumerate((190.0, 220.0, 190.0, 220.0)):
        assert len(seen(session, one, minute, u_a=volts)) == 1


def test_an_interval_judged_late_does_not_bring_an_ended_alert_back(session: Session) -> None:
    one = meter(session)
    for minute, volts in ((0, 190.0), (2, 220.0), (3, 220.0)):
        seen(session, one, minute, u_a=volts)
    assert seen(session, one, 1, u_a=190.0) == []


def test_a_cover_alert_waits_for_a_person_even_when_the_cover_is_closed(session: Session) -> None:
    one = meter(session)
    for minute, cover in enumerate((1, 0, 0)):
        stored(session, reading(one.meter_id, at(minute), inputs=cover, u_a=220.0))
        judge(session)
    (card,) = alert_cards(session, ALL)
    assert card.kind is AlertKind.COVER_OPEN
    assert card.standing
    assert card.condition_ended_at is not None


def test_a_phase_without_current_beside_loaded_neighbours_is_current_loss(
    session: Session,
) -> None:
    one = meter(session, supply=Supply.THREE_380, ct=10)
    volts = {"u_a": 221.0, "u_b": 222.0, "u_c": 220.0}
    (card,) = seen(session, one, 0, **volts, i_a=8.0, i_b=0.0, i_c=7.0)
    assert (card.kind, card.phases) == (AlertKind.CURRENT_LOSS, "b")
    assert card.evidence["amps"] == ["8.000", "0.000", "7.000"]
    assert card.is_theft


def test_many_dark_meters_are_one_transformer_and_unfold_when_power_returns(
    session: Session,
) -> None:
    place = area(session)
    meters = [
        meter(session, place=place, profile="demo_single", unit=n, port=20_001) for n in range(1, 6)
    ]
    stored(session, *(reading(m.meter_id, at(0), u_a=0.0, i_a=0.0) for m in meters))
    judge(session)
    (card,) = alert_cards(session, ALL)
    assert card.kind is AlertKind.TRANSFORMER_OUT
    assert card.children == 5
    assert card.evidence == {"without_power": 5, "read": 5}
    for minute in (1, 2):
        stored(session, *(reading(m.meter_id, at(minute), u_a=220.0) for m in meters[:4]))
        judge(session)
    (left,) = alert_cards(session, ALL)
    assert left.kind is AlertKind.POWER_LOSS
    assert left.point_id == meters[4].point_id


def test_a_silent_terminal_is_one_alert_until_it_answers(session: Session) -> None:
    one = meter(session, profile="demo_single")
    entry = {
        "terminal_id": one.terminal_id,
        "terminal_no": "ZD-1",
        "point_id": one.point_id,
        "since": START.isoformat(),
        "error": "no_reply",
    }
    terminals_silent(session, SYSTEM, {"terminals": [entry]})
    terminals_silent(session, SYSTEM, {"terminals": [entry]})
    (card,) = alert_cards(session, ALL)
    assert card.kind is AlertKind.TERMINAL_OFFLINE
    terminals_back(session, SYSTEM, {"terminals": [entry]})
    assert alert_cards(session, ALL) == []


def test_of_two_dispatchers_one_wins_and_the_other_is_told_who(
    session: Session, dispatcher: Actor
) -> None:
    one = meter(session)
    (card,) = seen(session, one, 0, u_a=190.0)
    acknowledge(session, dispatcher, card.id, version=card.version)
    with pytest.raises(AlertChanged) as lost:
        acknowledge(session, dispatcher, card.id, version=card.version)
    assert lost.value.facts["by"] == dispatcher.name
    now = alert_card(session, ALL, card.id)
    assert (now.state, now.handler) == (AlertState.ACKED, dispatcher.name)
    assert alert_counts(session, ALL).unacknowledged == 0


def test_a_suppressed_alert_comes_back_when_its_time_is_over(
    session: Session, dispatcher: Actor
) -> None:
    one = meter(session)
    (card,) = seen(session, one, 0, u_a=190.0)
    suppress(session, dispatcher, card.id, version=card.version, minutes=-1)
    assert wake_suppressed(session, SYSTEM) == 1
    assert alert_card(session, ALL, card.id).state is AlertState.OPEN


def test_a_false_alarm_needs_a_reason_and_is_not_raised_again_at_once(
    session: Session, dispatcher: Actor
) -> None:
    one = meter(session)
    (card,) = seen(session, one, 0, u_a=190.0)
    with pytest.raises(ReasonMissing):
        call_false(session, dispatcher, card.id, version=card.version, reason=" ")
    call_false(session, dispatcher, card.id, version=card.version, reason="校表")
    (still,) = seen(session, one, 1, u_a=190.0)
    assert (still.id, still.state) == (card.id, AlertState.FALSE)
    for minute in (2, 3):
        seen(session, one, minute, u_a=220.0)
    ended = alert_card(session, ALL, card.id)
    assert (ended.state, ended.standing) == (AlertState.FALSE, False)
    (fresh,) = seen(session, one, 4, u_a=190.0)
    assert fresh.id != card.id


def test_an_ended_alert_takes_no_move(session: Session, dispatcher: Actor) -> None:
    one = meter(session)
    (card,) = seen(session, one, 0, u_a=190.0)
    for minute in (1, 2):
        seen(session, one, minute, u_a=220.0)
    ended = alert_card(session, ALL, card.id)
    with pytest.raises(AlertMoveRefused):
        acknowledge(session, dispatcher, card.id, version=ended.version)
