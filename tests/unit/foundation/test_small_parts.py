"""Actors, scopes, units, events, the clock."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import ClassVar
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation import clock
from foundation.actor import Actor, Role, Scope
from foundation.events import Event
from foundation.jobs import Job, cadence
from foundation.units import round_to, scaled, yuan

NOON = datetime(2026, 6, 18, 4, 0, tzinfo=UTC)


def test_the_system_acts_without_a_number_and_without_roles() -> None:
    actor = Actor.system("scanner")
    assert actor.is_system
    assert (actor.name, actor.roles) == ("scanner", frozenset())
    assert not Actor(id=1, name="甲", roles=frozenset({Role.CREW})).is_system


def test_a_scope_is_everything_or_some_departments() -> None:
    assert Scope.everything().unit_ids is None
    assert Scope.of_units(3, 4, 3).unit_ids == {3, 4}


@pytest.mark.parametrize(
    ("value", "resolution", "rounded"),
    [
        ("0.05", "0.1", "0.1"),
        ("0.049", "0.1", "0.0"),
        ("-0.05", "0.1", "-0.1"),
        ("2.5", "1", "3"),
        ("7", "5", "5"),
        ("7.5", "5", "10"),
    ],
)
def test_halves_are_rounded_away_from_zero(value: str, resolution: str, rounded: str) -> None:
    assert round_to(Decimal(value), Decimal(resolution)) == Decimal(rounded)


def test_money_is_rounded_to_the_fen() -> None:
    assert yuan(Decimal("1.005")) == Decimal("1.01")
    assert yuan(Decimal("1.0049")) == Decimal("1.00")


@given(st.integers(-(10**9), 10**9))
def test_rounding_what_is_already_round_changes_nothing(steps: int) -> None:
    value = steps * Decimal("0.1")
    assert round_to(value, Decimal("0.1")) == value


@given(st.integers(0, 400_000))
def test_a_stored_value_is_judged_as_the_number_the_meter_said(tenths: int) -> None:
    assert scaled(tenths / 10, 0.1) == tenths


def test_an_event_gives_its_fields_as_they_are() -> None:
    @dataclass(frozen=True, slots=True)
    class Happened(Event):
        name: ClassVar[str] = "Happened"
        things: tuple[dict[str, int], ...]

    assert Happened(({"id": 1},)).payload() == {"things": ({"id": 1},)}


def test_a_frozen_clock_stands_still_and_goes_on_afterwards() -> None:
    with clock.frozen(NOON):
        assert clock.now() == NOON
        with clock.frozen(NOON.astimezone(ZoneInfo("Asia/Shanghai")).replace(hour=1)):
            assert clock.now().tzinfo is UTC
            assert clock.now() < NOON
        assert clock.now() == NOON
    assert clock.now() > NOON or clock.now() < NOON


def test_business_dates_follow_the_office_not_greenwich() -> None:
    assert clock.business_date(datetime(2026, 6, 18, 15, 59, tzinfo=UTC)) == date(2026, 6, 18)
    assert clock.business_date(datetime(2026, 6, 18, 16, 0, tzinfo=UTC)) == date(2026, 6, 19)
    with clock.frozen(datetime(2026, 12, 31, 16, 0, tzinfo=UTC)):
        assert clock.business_date() == date(2027, 1, 1)


def test_an_office_day_is_a_half_open_span() -> None:
    start, end = clock.day_span(date(2026, 6, 18))
    assert (start, end) == (
        datetime(2026, 6, 17, 16, tzinfo=UTC),
        datetime(2026, 6, 18, 16, tzinfo=UTC),
    )
    assert clock.day_span(date(2026, 6, 19))[0] == end


def test_a_cadence_is_said_as_people_read_it() -> None:
    from datetime import time, timedelta

    def nothing() -> None: ...

    assert cadence(Job("a", nothing, "w", every=timedelta(minutes=5))) == "300 s"
    assert cadence(Job("a", nothing, "w", at=time(3, 10))) == "03:10"
    assert cadence(Job("a", nothing, "w")) == "event"
