"""Events and jobs exist if and only if the change that asked for them was committed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from foundation import jobs, outbox
from foundation.actor import Actor
from foundation.db import connect, reading_only, unit_of_work
from foundation.events import Event, Signal
from foundation.outbox import Handler, publish, signal
from tests.factories.databases import given_up
from tests.factories.foundation import SYSTEM
from webapp import database, wiring


@dataclass(frozen=True, slots=True)
class ThingsHappened(Event):
    """What these tests publish; each entry: id."""

    name: ClassVar[str] = "ThingsHappened"
    things: tuple[dict[str, Any], ...]


heard: list[tuple[str, dict[str, Any]]] = []


def one_listener(_: Session, actor: Actor, payload: dict[str, Any]) -> None:
    """Note what was heard."""
    heard.append((actor.name, payload))


def another_listener(session: Session, actor: Actor, payload: dict[str, Any]) -> None:
    """Note it too."""
    one_listener(session, actor, payload)


HANDLERS = [
    Handler(ThingsHappened, one_listener, "a test"),
    Handler(ThingsHappened, another_listener, "a test"),
]
HAPPENED = ThingsHappened(({"id": 1}, {"id": 2}))


@pytest.fixture(autouse=True)
def listening() -> Iterator[None]:
    """Let these tests' own handlers listen, and the office's again afterwards."""
    heard.clear()
    outbox.subscribe(HANDLERS)
    yield
    wiring.connect()


@pytest.fixture
def clean(own_engine: Engine) -> Engine:
    """Give an engine on an empty queue."""
    with unit_of_work(own_engine) as session:
        session.execute(text("DELETE FROM procrastinate_jobs"))
        session.execute(text("DELETE FROM foundation.event"))
    return own_engine


def left(engine: Engine) -> tuple[int, list[str]]:
    """Give how many events there are, and the jobs that wait."""
    with reading_only(engine) as session:
        events = session.execute(text("SELECT count(*) FROM foundation.event")).scalar_one()
        names = session.execute(text("SELECT task_name FROM procrastinate_jobs ORDER BY 1"))
        return events, list(names.scalars())


def test_an_event_and_a_job_per_handler_appear_with_the_commit(clean: Engine) -> None:
    with unit_of_work(clean) as session:
        publish(session, SYSTEM, HAPPENED)
        assert left(clean) == (0, [])
    assert left(clean) == (1, sorted(handler.job_name for handler in HANDLERS))


def test_event_and_jobs_vanish_with_a_rollback(clean: Engine) -> None:
    with given_up(clean) as session:
        publish(session, SYSTEM, HAPPENED)
        jobs.defer(session, "some.job", {"n": 1})
        inside = session.execute(text("SELECT count(*) FROM procrastinate_jobs")).scalar_one()
        assert inside == 3
    assert left(clean) == (0, [])


def test_an_event_reaches_each_handler_once_with_what_was_published(clean: Engine) -> None:
    with unit_of_work(clean) as session:
        publish(session, SYSTEM, HAPPENED)
    with reading_only(clean) as session:
        waiting = session.execute(text("SELECT id, task_name, args FROM procrastinate_jobs")).all()
    by_name = {handler.job_name: handler.job() for handler in HANDLERS}
    for _ in range(2):  # a job taken again after a crash
        for job_id, name, args in waiting:
            jobs.run(clean, by_name[name], job_id=job_id, args=args)
    assert sorted(heard) == sorted(
        (handler.job_name, {"things": [{"id": 1}, {"id": 2}]}) for handler in HANDLERS
    )


def test_an_event_nobody_listens_to_is_kept_all_the_same(clean: Engine) -> None:
    outbox.subscribe([])
    with unit_of_work(clean) as session:
        publish(session, SYSTEM, HAPPENED)
    assert left(clean) == (1, [])


def test_listeners_are_told_apart_by_their_function() -> None:
    names = [handler.job_name for handler in HANDLERS]
    assert len(set(names)) == 2
    assert all(name.startswith("ThingsHappened → ") for name in names)
    assert [handler.job().why for handler in HANDLERS] == ["a test", "a test"]


def test_a_signal_is_heard_on_commit_and_not_before(own: database.Addresses, clean: Engine) -> None:
    with psycopg.connect(own.office, autocommit=True) as listener:
        listener.execute(f"LISTEN {outbox.SIGNAL_CHANNEL}")
        with unit_of_work(clean) as session:
            signal(session, Signal("alerts", "7", 3), Signal("tickets"))
            assert list(listener.notifies(timeout=0.05)) == []
        notices = [json.loads(one.payload) for one in listener.notifies(timeout=2, stop_after=2)]
        with given_up(clean) as session:
            signal(session, Signal("alerts"))
        assert list(listener.notifies(timeout=0.05)) == []
    assert notices == [
        {"topic": "alerts", "id": "7", "version": 3},
        {"topic": "tickets", "id": "", "version": 0},
    ]


def test_the_poller_may_publish_what_it_hears(own: database.Addresses, clean: Engine) -> None:
    engine = connect(own.poller, pool=1)
    with unit_of_work(engine) as session:
        publish(session, SYSTEM, HAPPENED)
    engine.dispose()
    assert left(clean)[0] == 1
