"""A command to a meter: two persons, one sending, an end that is known or said to be unknown."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import create_engine, select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from foundation import clock
from foundation.actor import Actor, Role
from foundation.audit import AuditEntry
from foundation.db import driver_url
from foundation.outbox import EventRow
from loadmgmt.alerts.commands import commands_ended
from loadmgmt.alerts.models import Alert
from metering.jobs import book_writes
from metering.network.actions import protect_point
from metering.requests.executing import finish_order, take_orders
from metering.requests.types import (
    Check,
    MeterNotConfirmed,
    NewWrite,
    OpinionMissing,
    SecondPersonNeeded,
    WriteChanged,
    WriteKind,
    WriteReasonMissing,
    WriteRefused,
    WriteState,
)
from metering.requests.write_queries import count_awaiting, write_card, write_cards
from metering.requests.writing import (
    approve_write,
    ask_write,
    book_ended_writes,
    reject_write,
    withdraw_write,
)
from tests.factories import customers, foundation, metering
from tests.factories.metering import Fitted
from webapp.database import Addresses

THURSDAY_NOON = datetime(2026, 6, 25, 4, 0, tzinfo=UTC)
CLERK = Actor.system("clock")


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with clock.frozen(THURSDAY_NOON):
        yield


@pytest.fixture
def meter(session: Session) -> Fitted:
    return metering.meter(session, profile="demo_single")


@pytest.fixture
def second(session: Session) -> Actor:
    return foundation.person(session, Role.SUPERVISOR)


def asked(session: Session, actor: Actor, meter: Fitted, kind: WriteKind = WriteKind.OPEN) -> str:
    return ask_write(session, actor, NewWrite(meter.meter_id, kind, "test"))


def approved(session: Session, first: Actor, second: Actor, meter: Fitted) -> str:
    number = asked(session, first, meter)
    approve_write(
        session, second, number, version=1, ending=meter.meter_no[-4:], opinion="核对无误"
    )
    return number


def test_a_command_is_asked_for_approved_taken_once_and_proved(
    session: Session, dispatcher: Actor, second: Actor, meter: Fitted
) -> None:
    number = asked(session, dispatcher, meter)
    assert write_card(session, number).state is WriteState.AWAITING
    assert count_awaiting(session) == 1
    assert take_orders(session, "p1", [meter.meter_id]) == []  # nobody has approved it
    approve_write(
        session, second, number, version=1, ending=meter.meter_no[-4:].lower(), opinion="可以"
    )
    assert write_card(session, number).state is WriteState.SENT
    (order,) = take_orders(session, "p1", [meter.meter_id])
    assert order.kind is WriteKind.OPEN
    assert take_orders(session, "p2", [meter.meter_id]) == []  # once, whoever asks
    assert write_card(session, number).state is WriteState.RUNNING
    finish_order(session, order, is_verified=True, read_back={"shows": "open"})
    book_writes(session, CLERK)
    card = write_card(session, number)
    assert card.state is WriteState.DONE
    assert card.read_back == {"shows": "open"}
    assert count_awaiting(session) == 0
    acts = session.scalars(
        select(AuditEntry.act).where(AuditEntry.subject_no == number).order_by(AuditEntry.id)
    ).all()
    assert acts == ["write.asked", "write.reviewed", "write.ended"]


def test_the_same_person_never_reviews(session: Session, dispatcher: Actor, meter: Fitted) -> None:
    number = asked(session, dispatcher, meter)
    with pytest.raises(SecondPersonNeeded):
        approve_write(
            session, dispatcher, number, version=1, ending=meter.meter_no[-4:], opinion="好"
        )
    with pytest.raises(SecondPersonNeeded):
        reject_write(session, dispatcher, number, version=1, opinion="不")
    withdraw_write(session, dispatcher, number, version=1)
    assert write_card(session, number).state is WriteState.WITHDRAWN


def test_a_review_needs_the_meters_ending_and_an_opinion(
    session: Session, dispatcher: Actor, second: Actor, meter: Fitted
) -> None:
    number = asked(session, dispatcher, meter)
    with pytest.raises(MeterNotConfirmed):
        approve_write(session, second, number, version=1, ending="9999", opinion="好")
    with pytest.raises(OpinionMissing):
        approve_write(session, second, number, version=1, ending=meter.meter_no[-4:], opinion="  ")
    with pytest.raises(SecondPersonNeeded):
        withdraw_write(session, second, number, version=1)
    reject_write(session, second, number, version=1, opinion="依据不足")
    assert write_card(session, number).state is WriteState.REJECTED
    assert take_orders(session, "p1", [meter.meter_id]) == []


def test_of_two_reviewers_one_wins_and_the_other_is_told(
    session: Session, dispatcher: Actor, second: Actor, meter: Fitted
) -> None:
    number = approved(session, dispatcher, second, meter)
    third = foundation.person(session, Role.SUPERVISOR)
    with pytest.raises(WriteChanged) as lost:
        reject_write(session, third, number, version=1, opinion="不")
    assert lost.value.facts["by"] == second.name
    with pytest.raises(WriteChanged):
        withdraw_write(session, dispatcher, number, version=2)


def test_a_reason_is_one_of_the_list_and_some_are_explained(
    session: Session, dispatcher: Actor, meter: Fitted
) -> None:
    for reason, note in (("", ""), ("restored", ""), ("theft", " ")):
        with pytest.raises(WriteReasonMissing):
            ask_write(session, dispatcher, NewWrite(meter.meter_id, WriteKind.OPEN, reason, note))


def test_one_command_at_a_time_and_none_without_a_relay(
    session: Session, dispatcher: Actor, meter: Fitted
) -> None:
    asked(session, dispatcher, meter)
    with pytest.raises(WriteRefused) as refused:
        asked(session, dispatcher, meter, WriteKind.CLOSE)
    assert refused.value.facts["checks"] == [Check.NOTHING_PENDING]
    plain = metering.meter(session, profile="eastron_sdm630")
    with pytest.raises(WriteRefused) as refused:
        asked(session, dispatcher, plain)
    assert Check.POSSIBLE in refused.value.facts["checks"]


def test_the_never_cut_mark_is_looked_at_again_when_it_is_sent(
    session: Session, dispatcher: Actor, second: Actor, meter: Fitted
) -> None:
    number = approved(session, dispatcher, second, meter)
    protect_point(session, meter.point_id, reason="life_support")
    assert take_orders(session, "p1", [meter.meter_id]) == []
    card = write_card(session, number)
    assert (card.state, card.error) == (WriteState.FAILED, "never_cut")
    book_ended_writes(session, CLERK)
    with pytest.raises(WriteRefused) as refused:
        asked(session, dispatcher, meter)
    assert refused.value.facts["checks"] == [Check.NOT_PROTECTED]
    asked(session, dispatcher, meter, WriteKind.CLOSE)  # giving supply back is never forbidden


def test_the_archive_pushes_its_mark_down_to_the_point(
    session: Session, dispatcher: Actor, meter: Fitted
) -> None:
    until = clock.business_date() + timedelta(days=1)
    customers.account(session, meter.point_id, life_support_until=until)
    with pytest.raises(WriteRefused) as refused:
        asked(session, dispatcher, meter)
    assert refused.value.facts["checks"] == [Check.NOT_PROTECTED]
    with clock.frozen(THURSDAY_NOON + timedelta(days=4)):  # Monday: the registration is over
        asked(session, dispatcher, meter)


def test_what_nobody_reviewed_or_took_in_time_was_never_sent(
    session: Session, dispatcher: Actor, second: Actor, meter: Fitted
) -> None:
    unreviewed = asked(session, dispatcher, meter)
    with clock.frozen(THURSDAY_NOON + timedelta(minutes=16)):
        with pytest.raises(WriteChanged):
            approve_write(
                session, second, unreviewed, version=1, ending=meter.meter_no[-4:], opinion="迟"
            )
        assert book_ended_writes(session, CLERK) == 1
        assert write_card(session, unreviewed).state is WriteState.EXPIRED
        untaken = approved(session, dispatcher, second, meter)
    with clock.frozen(THURSDAY_NOON + timedelta(minutes=18)):
        assert take_orders(session, "p1", [meter.meter_id]) == []
        assert book_ended_writes(session, CLERK) == 1
        assert write_card(session, untaken).state is WriteState.EXPIRED
        assert book_ended_writes(session, CLERK) == 0


def test_a_command_whose_poller_died_is_unknown_and_raises_an_alert(
    session: Session, dispatcher: Actor, second: Actor, meter: Fitted
) -> None:
    number = approved(session, dispatcher, second, meter)
    take_orders(session, "p1", [meter.meter_id])
    assert book_ended_writes(session, CLERK) == 0
    with clock.frozen(THURSDAY_NOON + timedelta(seconds=80)):
        assert book_ended_writes(session, CLERK) == 1
        assert write_card(session, number).state is WriteState.TIMED_OUT
        payload = session.scalars(
            select(EventRow.payload).where(EventRow.name == "WritesVerified")
        ).one()
        commands_ended(session, CLERK, payload)
        commands_ended(session, CLERK, payload)  # delivered twice: still one
    alert = session.scalars(select(Alert).where(Alert.point_id == meter.point_id)).one()
    assert (alert.kind, alert.evidence["command_no"]) == ("command_unknown", number)
    assert alert.ended_at is None
    done = {"writes": [payload["writes"][0] | {"state": "done"}]}
    commands_ended(session, CLERK, done)
    session.refresh(alert)
    assert alert.ended_at is not None


def test_the_pollers_account_can_neither_make_nor_approve_a_command(
    addresses: Addresses,
) -> None:
    engine = create_engine(
        driver_url(addresses.poller).replace("postgresql:", "postgresql+psycopg:")
    )
    try:
        for forbidden in (
            "INSERT INTO metering.write_request DEFAULT VALUES",
            "UPDATE metering.write_request SET approved_at = now()",
            "DELETE FROM metering.write_outcome",
        ):
            with engine.connect() as connection, pytest.raises(ProgrammingError, match="denied"):
                connection.execute(text(forbidden))
    finally:
        engine.dispose()


def test_commands_are_listed_newest_first(
    session: Session, dispatcher: Actor, meter: Fitted
) -> None:
    first = asked(session, dispatcher, meter)
    withdraw_write(session, dispatcher, first, version=1)
    later = asked(session, dispatcher, meter)
    of_meter = write_cards(session, meter_id=meter.meter_id)
    assert [card.command_no for card in of_meter] == [later, first]
    still_open = write_cards(session, is_open=True, meter_id=meter.meter_id)
    assert [card.command_no for card in still_open] == [later]
