"""Fifty calls at once from one area: one outage, one ticket, by the database's own word."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Engine, text

from callcenter.calls.actions.working import log_fault
from callcenter.calls.types import CallOutcome, CallReason, EventKind
from callcenter.tickets.actions.outages import follow_outage, ticket_for_outage
from foundation.actor import Actor
from foundation.db import connect, unit_of_work
from foundation.postgres import EmbeddedServer
from tests.factories.callcenter import NO_POWER, House, agent, answered, street, told
from tests.factories.databases import own_database
from tests.factories.foundation import SYSTEM

CALLS = 50


@pytest.fixture
def engine(server: EmbeddedServer) -> Iterator[Engine]:
    """Give an engine on a database of the test's own, wide enough for a storm."""
    with own_database(server) as addresses:
        made = connect(addresses.office, pool=CALLS // 2)
        yield made
        made.dispose()


@pytest.fixture
def houses(engine: Engine) -> list[House]:
    """Build a street of fifty houses over four meter boxes."""
    with unit_of_work(engine) as session:
        return street(session, CALLS, boxes=4)


def all_at_once(work: Sequence[Any], function: Callable[[Any], None]) -> None:
    """Run a function for every item, all threads released at one moment."""
    gate = Barrier(len(work))

    def one(item: Any) -> None:
        gate.wait(timeout=30)
        function(item)

    with ThreadPoolExecutor(len(work)) as pool:
        list(pool.map(one, work))


def value(engine: Engine, sql: str) -> object:
    with unit_of_work(engine) as session:
        return session.execute(text(sql)).scalar_one()


def hear(engine: Engine) -> None:
    """Let the tickets hear of every change of an outage, as the worker would."""
    with unit_of_work(engine) as session:
        events = session.execute(
            text("SELECT payload FROM foundation.event WHERE name = 'OutageChanged' ORDER BY id")
        ).scalars()
        for payload in events.all():
            follow_outage(session, SYSTEM, payload)


def test_fifty_waiting_callers_are_one_outage_with_one_ticket(
    engine: Engine, houses: list[House]
) -> None:
    def call(item: tuple[int, House]) -> None:
        index, house = item
        with unit_of_work(engine) as session:
            told(
                session,
                f"storm-{index}",
                EventKind.QUEUE,
                caller=house.phone,
                reason=CallReason.FAULT,
            )

    all_at_once(list(enumerate(houses)), call)
    hear(engine)
    assert value(engine, "SELECT count(*) FROM callcenter.call") == CALLS
    assert value(engine, "SELECT count(*) FROM loadmgmt.outage") == 1
    assert value(engine, "SELECT count(*) FROM loadmgmt.outage_report WHERE outage_id > 0") == CALLS
    assert value(engine, "SELECT count(*) FROM callcenter.ticket") == 1
    assert value(engine, "SELECT outage_id FROM callcenter.ticket") == value(
        engine, "SELECT id FROM loadmgmt.outage"
    )


def test_fifty_agents_who_log_at_once_leave_one_outage_and_one_open_ticket(
    engine: Engine, houses: list[House]
) -> None:
    with unit_of_work(engine) as session:
        calls = []
        for house in houses:
            one = agent(session)
            calls.append((one, answered(session, one, house.phone)))
    outcomes = []

    def log(item: tuple[Actor, int]) -> None:
        one, call_id = item
        with unit_of_work(engine) as session:
            done = log_fault(session, one, call_id, NO_POWER, version=1)
        outcomes.append(done.outcome)

    all_at_once(calls, log)
    hear(engine)
    assert len(outcomes) == CALLS
    # two calls of one area are houses of their own, unless both come from one meter box
    opened = CALLS - outcomes.count(CallOutcome.OUTAGE)
    assert opened in {1, 2}
    assert value(engine, "SELECT count(*) FROM loadmgmt.outage") == 1
    still_open = "SELECT count(*) FROM callcenter.ticket WHERE ended_at IS NULL"
    assert value(engine, still_open) == 1
    followed = (
        "SELECT count(*) FROM callcenter.ticket WHERE ended_at IS NOT NULL"
        " AND merged_into = (SELECT ticket_no FROM callcenter.ticket WHERE ended_at IS NULL)"
    )
    assert value(engine, followed) == opened - 1


def test_twenty_who_ask_for_the_outage_s_ticket_get_the_same_one(
    engine: Engine, houses: list[House]
) -> None:
    with unit_of_work(engine) as session:
        for index, house in enumerate(houses[:3]):
            told(session, f"c{index}", EventKind.QUEUE, caller=house.phone, reason=CallReason.FAULT)
        outage_id = session.execute(text("SELECT id FROM loadmgmt.outage")).scalar_one()
    numbers: list[str] = []

    def ask(_: object) -> None:
        with unit_of_work(engine) as session:
            numbers.append(ticket_for_outage(session, SYSTEM, outage_id))

    all_at_once(range(20), ask)
    assert len(set(numbers)) == 1
    assert value(engine, "SELECT count(*) FROM callcenter.ticket") == 1
