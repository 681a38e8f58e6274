"""Notices: decided with the change, sent by a job, and what became of them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from callcenter.messages import actions
from callcenter.messages.actions import deliver, opt_out, send, withdraw
from callcenter.messages.gateways import FileGateway, LogGateway, gateway_of
from callcenter.messages.queries import deliveries
from callcenter.messages.types import DeliveryCard, DeliveryState, GatewayAway
from foundation import clock
from foundation.settings import Settings, settings
from tests.factories.foundation import SYSTEM

DAY = datetime(2026, 6, 18, 2, 0, tzinfo=UTC)
NIGHT = datetime(2026, 6, 18, 15, 0, tzinfo=UTC)
MORNING = datetime(2026, 6, 19, 0, 0, tzinfo=UTC)
PHONE = "130 0000 0421"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let notices of this test go into a folder of its own."""
    gateway = FileGateway(tmp_path / "messages")
    monkeypatch.setattr(actions, "gateway_of", lambda _: gateway)
    return tmp_path / "messages"


def sent(
    session: Session, template: str = "power_restored", to: str | None = PHONE
) -> DeliveryCard:
    facts = {"ticket_no": "GD-1", "due": "20:40"}
    number = send(session, SYSTEM, template, to=to, facts=facts, about=("ticket", "GD-1"))
    return next(one for one in deliveries(session) if one.id == number)


def test_a_notice_is_written_sealed_and_sent_once(session: Session, folder: Path) -> None:
    with clock.frozen(DAY):
        card = sent(session)
        assert (card.state, card.phone) == (DeliveryState.WAITING, "13000000421")
        raw = session.execute(text("SELECT phone, text FROM callcenter.delivery")).one()
        assert b"1300" not in bytes(raw[0])
        assert b"GD-1" not in bytes(raw[1])
        deliver(session, SYSTEM, delivery_id=card.id)
        deliver(session, SYSTEM, delivery_id=card.id)
    (file,) = folder.iterdir()
    assert json.loads(file.read_text())["phone"] == "13000000421"
    done = deliveries(session)[0]
    assert (done.state, done.attempts, done.gateway) == (DeliveryState.SENT, 1, "file")


def test_a_gateway_that_was_given_a_notice_before_a_kill_is_not_given_it_again(
    folder: Path,
) -> None:
    gateway = FileGateway(folder)
    gateway.send(7, "13000000421", "first")
    gateway.send(7, "13000000421", "second")
    (file,) = folder.iterdir()
    assert json.loads(file.read_text())["text"] == "first"


@pytest.mark.parametrize(
    ("to", "opted_out", "reason"), [(None, False, "no_phone"), (PHONE, True, "opted_out")]
)
def test_a_skipped_notice_says_why(
    session: Session, to: str | None, reason: str, *, opted_out: bool
) -> None:
    with clock.frozen(DAY):
        if opted_out:
            opt_out(session, SYSTEM, PHONE)
            opt_out(session, SYSTEM, "+86 13000000421")
        card = sent(session, to=to)
    assert (card.state, card.reason) == (DeliveryState.SKIPPED, reason)


def due(session: Session, card: DeliveryCard) -> list[datetime | None]:
    """When jobs are to send it."""
    sql = (
        "SELECT scheduled_at FROM jobs.procrastinate_jobs WHERE args->>'delivery_id' = :id"
        " ORDER BY id"
    )
    return list(session.execute(text(sql), {"id": str(card.id)}).scalars())


def test_a_notice_of_the_night_waits_for_the_morning(session: Session, folder: Path) -> None:
    with clock.frozen(NIGHT):
        card = sent(session)
        assert (card.state, card.reason) == (DeliveryState.WAITING, "quiet_hours")
        deliver(session, SYSTEM, delivery_id=card.id)
    assert due(session, card) == [MORNING, MORNING]
    assert not folder.exists()
    with clock.frozen(MORNING):
        deliver(session, SYSTEM, delivery_id=card.id)
    assert len(list(folder.iterdir())) == 1
    done = deliveries(session)[0]
    assert (done.state, done.reason, done.attempts) == (DeliveryState.SENT, "", 1)


def test_of_what_waits_only_the_newest_and_the_true_goes_out(
    session: Session, folder: Path
) -> None:
    with clock.frozen(NIGHT):
        first, second, other = sent(session), sent(session), sent(session, to="130 0000 0422")
    states = {one.id: (one.state, one.reason) for one in deliveries(session)}
    assert states[first.id] == (DeliveryState.SKIPPED, "superseded")
    assert states[second.id][0] is states[other.id][0] is DeliveryState.WAITING
    withdraw(session, "power_restored", ("ticket", "GD-1"))
    with clock.frozen(MORNING):
        for card in (first, second, other):
            deliver(session, SYSTEM, delivery_id=card.id)
    assert not folder.exists()
    assert {one.reason for one in deliveries(session)} == {"superseded", "withdrawn"}


def test_who_wants_no_notices_gets_none_that_waited(session: Session, folder: Path) -> None:
    with clock.frozen(NIGHT):
        card = sent(session)
        opt_out(session, SYSTEM, PHONE)
    with clock.frozen(MORNING):
        deliver(session, SYSTEM, delivery_id=card.id)
    assert not folder.exists()
    done = deliveries(session)[0]
    assert (done.state, done.reason) == (DeliveryState.SKIPPED, "opted_out")


def test_what_the_customer_has_just_asked_for_goes_out_at_night(session: Session) -> None:
    with clock.frozen(NIGHT):
        assert sent(session, "ticket_accepted").state is DeliveryState.WAITING


def test_a_gateway_that_is_away_is_tried_again_and_then_given_up(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    gateway = FileGateway(blocked / "messages")
    monkeypatch.setattr(actions, "gateway_of", lambda _: gateway)
    with pytest.raises(GatewayAway):
        gateway.send(1, "1", "x")
    with clock.frozen(DAY):
        card = sent(session)
    for attempt in (1, 2, 3):
        with clock.frozen(DAY + timedelta(minutes=2 * attempt)):
            deliver(session, SYSTEM, delivery_id=card.id)
            now = deliveries(session)[0]
            expected = DeliveryState.FAILED if attempt == 3 else DeliveryState.WAITING
            assert (now.state, now.attempts) == (expected, attempt)
            assert now.reason


def test_the_office_chooses_its_gateway(caplog: pytest.LogCaptureFixture) -> None:
    assert gateway_of(settings()).name == "file"
    chosen = gateway_of(Settings.from_env({"GRIDHALL_MESSAGE_GATEWAY": "log"}))
    assert isinstance(chosen, LogGateway)
    with caplog.at_level("INFO"):
        chosen.send(1, "13000000421", "您的报修已受理")
    assert "13000000421" not in caplog.text
    assert "受理" not in caplog.text
