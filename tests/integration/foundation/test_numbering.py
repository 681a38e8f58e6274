"""Numbers people say aloud: per prefix and office day, no gaps, no doubles."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from foundation import clock
from foundation.db import unit_of_work
from foundation.numbering import next_daily
from tests.factories.databases import given_up

EVENING = datetime(2026, 6, 18, 15, 59, tzinfo=UTC)  # 23:59 at the office
MIDNIGHT = datetime(2026, 6, 18, 16, 0, tzinfo=UTC)


@pytest.fixture
def clean(own_engine: Engine) -> Iterator[Engine]:
    """Give an engine on series that begin anew."""
    with unit_of_work(own_engine) as session:
        session.execute(text("DELETE FROM foundation.number_series"))
    with clock.frozen(EVENING):
        yield own_engine


def test_a_number_has_prefix_office_day_and_count(session: Session) -> None:
    with clock.frozen(EVENING):
        assert next_daily(session, "GD") == "GD-260618-0001"
        assert next_daily(session, "GD") == "GD-260618-0002"
        assert next_daily(session, "JC", digits=3) == "JC-260618-001"
    with clock.frozen(MIDNIGHT):
        assert next_daily(session, "GD") == "GD-260619-0001"


def test_a_number_of_a_change_that_fails_is_given_to_the_next(clean: Engine) -> None:
    with given_up(clean) as session:
        assert next_daily(session, "GD").endswith("0001")
    with unit_of_work(clean) as session:
        assert next_daily(session, "GD").endswith("0001")


def test_two_who_count_at_once_make_no_gap_and_no_double(clean: Engine) -> None:
    given: list[str] = []
    begin = threading.Barrier(2)

    def count() -> None:
        begin.wait()
        for turn in range(20):
            with given_up(clean) if turn % 4 == 3 else unit_of_work(clean) as session:
                number = next_daily(session, "GD")
            if turn % 4 != 3:
                given.append(number)

    threads = [threading.Thread(target=count) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(given) == [f"GD-260618-{n:04d}" for n in range(1, 31)]
