"""The clock: one leader, replaced when it hangs; a slot is one slot for every clock."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from datetime import time as day_time

import psycopg
import pytest
from sqlalchemy import Engine, text

from foundation.db import connect, unit_of_work
from foundation.jobs import Job
from foundation.postgres import EmbeddedServer
from tests.factories.databases import own_database
from webapp import database, wiring
from webapp.worker import CLOCK_LOCK, Clock, _trigger, slot_of


def nothing() -> None:
    """Do nothing."""


MINUTELY = Job("test.minutely", nothing, "w", every=timedelta(minutes=1))
NIGHTLY = Job("test.nightly", nothing, "w", at=day_time(2, 30))
ASKED = Job("test.asked", nothing, "w")


@pytest.mark.parametrize(
    ("second", "slot"), [("00:00:00", "00:00"), ("00:00:59", "00:00"), ("00:01:00", "00:01")]
)
def test_every_clock_names_a_slot_alike(second: str, slot: str) -> None:
    now = datetime.fromisoformat(f"2026-06-18T{second}+00:00")
    assert f"{slot_of(MINUTELY, now):%H:%M:%S.%f}" == f"{slot}:00.000000"


def test_a_nightly_slot_is_an_office_time() -> None:
    evening_in_greenwich = datetime(2026, 6, 17, 18, 31, tzinfo=UTC)
    assert slot_of(NIGHTLY, evening_in_greenwich) == datetime(2026, 6, 17, 18, 30, tzinfo=UTC)


def test_a_job_without_a_cadence_is_never_enqueued_by_the_clock() -> None:
    assert _trigger(ASKED) is None
    assert _trigger(MINUTELY) is not None
    assert _trigger(NIGHTLY) is not None


@pytest.fixture
def own(server: EmbeddedServer) -> Iterator[database.Addresses]:
    """Give a database without a leader."""
    with own_database(server) as addresses:
        yield addresses


@pytest.fixture
def engine(own: database.Addresses) -> Iterator[Engine]:
    """Give an engine on it."""
    made = connect(own.office)
    yield made
    made.dispose()


@pytest.fixture
def start(own: database.Addresses, engine: Engine) -> Iterator[Callable[[], Clock]]:
    """Start clocks, stopped afterwards."""
    stop = threading.Event()
    threads: list[threading.Thread] = []

    def start_one() -> Clock:
        clock = Clock(engine, own.office, timeout_s=1.0)
        threads.append(threading.Thread(target=clock.run, args=(stop,)))
        threads[-1].start()
        return clock

    yield start_one
    stop.set()
    for thread in threads:
        thread.join(timeout=10)


def wait_for(claim: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not claim():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def ticks(engine: Engine) -> dict[str, int]:
    with unit_of_work(engine) as session:
        rows = session.execute(
            text("SELECT name, count(*) FROM foundation.clock_tick GROUP BY name")
        )
        return {name: n for name, n in rows}  # noqa: C416 - a row is no pair


def test_of_two_clocks_one_leads_and_each_slot_is_enqueued_once(
    engine: Engine, start: Callable[[], Clock]
) -> None:
    first, second = start(), start()
    timed = {job.name for job in wiring.ROOM_JOBS if job.every}
    wait_for(lambda: set(ticks(engine)) == timed)
    assert first.leads != second.leads
    with unit_of_work(engine) as session:
        queued = session.execute(text("SELECT task_name FROM procrastinate_jobs")).scalars().all()
    assert sorted(queued) == sorted(timed)


def test_a_leader_that_hangs_is_replaced_and_its_connection_ended(
    own: database.Addresses, engine: Engine, start: Callable[[], Clock]
) -> None:
    with psycopg.connect(own.office, autocommit=True) as hung:
        hung.execute("SELECT pg_advisory_lock(%s)", (CLOCK_LOCK,))
        hung.execute(
            "INSERT INTO foundation.clock_leader (id, name, backend, beat_at)"
            " VALUES (1, 'hung', pg_backend_pid(), now() - interval '1 minute')"
        )
        clock = start()
        wait_for(lambda: clock.leads)
        with pytest.raises(psycopg.OperationalError):
            hung.execute("SELECT 1")
    with unit_of_work(engine) as session:
        name = session.execute(text("SELECT name FROM foundation.clock_leader")).scalar_one()
    assert name != "hung"


def test_a_leader_that_lost_its_connection_comes_back(
    engine: Engine, start: Callable[[], Clock]
) -> None:
    clock = start()
    wait_for(lambda: clock.leads)
    with unit_of_work(engine) as session:
        session.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                 " WHERE application_name = 'gridhall-clock' AND datname = current_database()")
        )  # fmt: skip
    wait_for(lambda: not clock.leads)
    wait_for(lambda: clock.leads)
