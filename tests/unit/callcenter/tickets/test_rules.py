"""How urgent a ticket is, what is promised, and who may work on it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.tickets.books import flows, promises
from callcenter.tickets.rules import (
    FIELD_MOVES,
    INSPECTED,
    SIDE_MOVES,
    kind_for,
    may_work_on,
    overridden,
    priority_for,
)
from callcenter.tickets.types import Priority, TicketKind
from foundation.actor import Actor, Role
from foundation.flow.limits import Limit
from loadmgmt.api.types import AlertKind, Severity
from metering.api.types import AreaClass

PACKAGED = promises()
CREW = Actor(id=1, name="刘", roles=frozenset({Role.CREW}))
INSPECTOR = Actor(id=2, name="钱", roles=frozenset({Role.INSPECTOR}))
SYSTEM = Actor.system("test")


@pytest.mark.parametrize("kind", AlertKind)
def test_theft_is_inspected_and_everything_else_repaired(kind: AlertKind) -> None:
    wanted = TicketKind.INSPECTION if kind in INSPECTED else TicketKind.REPAIR
    assert kind_for(kind) is wanted


@pytest.mark.parametrize("severity", Severity)
def test_a_ticket_is_as_urgent_as_its_alert_and_urgent_for_the_sensitive(
    severity: Severity,
) -> None:
    assert priority_for(severity, sensitive=False) == severity.value
    assert priority_for(severity, sensitive=True) is Priority.CRIT


@pytest.mark.parametrize(
    ("actor", "crew_id", "own", "may"),
    [
        (CREW, 7, {7}, True),
        (CREW, 7, {8}, False),
        (CREW, None, {7}, False),
        (INSPECTOR, None, set(), True),
        (INSPECTOR, 7, set(), False),
        (INSPECTOR, 7, {7}, True),
        (SYSTEM, 7, set(), True),
        (SYSTEM, None, set(), True),
    ],
)
def test_only_those_who_were_sent_may_work_on_a_ticket(
    actor: Actor, crew_id: int | None, own: set[int], *, may: bool
) -> None:
    assert may_work_on(actor, crew_id=crew_id, own_crews=frozenset(own)) is may


@pytest.mark.parametrize("area", AreaClass)
@pytest.mark.parametrize("kind", TicketKind)
def test_every_class_of_area_has_its_promises(kind: TicketKind, area: AreaClass) -> None:
    limits = promises().limits(kind, area)
    assert set(limits) == set(flows().current(kind.value).promises)


def test_an_override_replaces_one_figure_and_keeps_its_unit() -> None:
    laid_over = overridden(
        PACKAGED, {"promises.repair.arrive.urban": 30, "promises.inspection.visit.rural": 5}
    )
    assert laid_over.repair["arrive"]["urban"] == Limit(minutes=30)
    assert laid_over.repair["arrive"]["rural"] == PACKAGED.repair["arrive"]["rural"]
    assert laid_over.inspection["visit"]["rural"] == Limit(working_days=5)


@given(st.none() | st.text() | st.integers(max_value=0) | st.floats() | st.lists(st.integers()))
def test_an_override_that_is_no_figure_is_passed_over(figure: object) -> None:
    assert overridden(PACKAGED, {"promises.repair.arrive.urban": figure}) == PACKAGED


def test_moves_of_the_field_and_of_the_side_are_moves_there_are() -> None:
    known = {name for flow in flows().all() for step in flow.steps.values() for name in step.moves}
    assert known >= FIELD_MOVES
    assert known >= SIDE_MOVES


def test_a_move_of_the_field_is_made_by_those_who_work_there() -> None:
    for flow in flows().all():
        for step in flow.steps.values():
            for name in FIELD_MOVES & set(step.moves):
                assert set(step.moves[name].roles) <= {Role.CREW, Role.INSPECTOR}
