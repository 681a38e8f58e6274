"""What a fault report asks for before it is logged, and how urgent it is."""

from dataclasses import replace

import pytest

from callcenter.calls.rules.reporting import (
    dangers_of,
    may_be_outage,
    priority_of,
    problems_of,
)
from callcenter.calls.types import DANGERS, NOTHING, SYMPTOMS, FaultReport
from callcenter.tickets.types import Priority

SAFE = FaultReport("全户无电", "no_power", (NOTHING,), safety_asked=True)


def test_nothing_is_missing_from_a_whole_report() -> None:
    assert problems_of(SAFE, has_point=True) == {}
    assert problems_of(replace(SAFE, address="试验路 1 号"), has_point=False) == {}


def test_every_gap_is_named_at_once() -> None:
    empty = replace(SAFE, symptom="", safety_asked=False)
    assert set(problems_of(empty, has_point=False)) == {"symptom", "dangers", "address"}


@pytest.mark.parametrize("danger", [one for one in DANGERS if one != NOTHING])
def test_any_danger_makes_it_critical(danger: str) -> None:
    assert priority_of(replace(SAFE, dangers=(danger,)), sensitive=False) is Priority.CRIT


def test_a_danger_outweighs_the_answer_that_there_is_none() -> None:
    assert dangers_of((NOTHING, "smoke")) == ("smoke",)
    assert dangers_of((NOTHING,)) == ()


def test_a_sensitive_customer_is_critical_a_dark_house_major_the_rest_minor() -> None:
    assert priority_of(SAFE, sensitive=True) is Priority.CRIT
    assert priority_of(SAFE, sensitive=False) is Priority.MAJOR
    assert priority_of(replace(SAFE, symptom="flicker"), sensitive=False) is Priority.MINOR


def test_only_missing_power_may_be_an_outage() -> None:
    outages = [one for one in SYMPTOMS if may_be_outage(replace(SAFE, symptom=one))]
    assert outages == ["no_power", "part_power"]
