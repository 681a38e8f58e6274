"""An office's own figures: dated, audited, the newest one that is valid."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from foundation import clock
from foundation.audit import entries
from foundation.overrides import override, values
from tests.factories.foundation import SYSTEM

START = datetime(2026, 6, 18, 11, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
KEY = "promises.repair.arrive.urban"


def test_a_value_counts_from_its_instant_on(session: Session) -> None:
    override(session, SYSTEM, KEY, 40, reason="试行", valid_from=START)
    session.flush()
    assert values(session, at=START - timedelta(microseconds=1)) == {}
    assert values(session, at=START) == {KEY: 40}


def test_the_newest_valid_value_wins_and_a_future_one_waits(session: Session) -> None:
    override(session, SYSTEM, KEY, 40, reason="a", valid_from=START)
    override(session, SYSTEM, KEY, 20, reason="c", valid_from=START + 2 * HOUR)
    override(session, SYSTEM, KEY, 30, reason="b", valid_from=START + HOUR)
    override(session, SYSTEM, "other.key", [1, 2], reason="d", valid_from=START)
    session.flush()
    assert values(session, at=START + HOUR) == {KEY: 30, "other.key": [1, 2]}
    assert values(session, at=START + 3 * HOUR)[KEY] == 20


def test_of_two_for_the_same_instant_the_later_said_wins(session: Session) -> None:
    for figure in (40, 35):
        override(session, SYSTEM, KEY, figure, reason="a", valid_from=START)
        session.flush()
    assert values(session, at=START) == {KEY: 35}


def test_an_override_counts_at_once_if_no_instant_is_said(session: Session) -> None:
    with clock.frozen(START):
        override(session, SYSTEM, KEY, 40, reason="试行")
        session.flush()
        assert values(session) == {KEY: 40}


def test_who_changed_what_into_what_is_audited(session: Session) -> None:
    override(session, SYSTEM, KEY, 40, reason="试行", valid_from=START)
    session.flush()
    with clock.frozen(START + HOUR):
        override(session, SYSTEM, KEY, 30, reason="改进")
    session.flush()
    row = entries(session, act="setting.overridden", subject_no=KEY)[0]
    assert row.facts == {"before": 40, "after": 30, "reason": "改进"}
