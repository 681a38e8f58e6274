"""The demo town's system load: real hours, by ISO week and weekday, steady in time."""

import itertools
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from metering.simulation.system_load import simulated_system_load

SHANGHAI = ZoneInfo("Asia/Shanghai")
QUARTER = timedelta(minutes=15)


def day(first: str) -> list[datetime]:
    start = datetime.fromisoformat(first).replace(tzinfo=SHANGHAI)
    return [start + QUARTER * place for place in range(96)]


def test_the_same_weekday_of_the_same_week_is_the_same_day_of_the_extract() -> None:
    assert simulated_system_load(day("2026-06-18")) == simulated_system_load(day("2027-06-24"))


def test_a_53rd_week_is_the_52nd_once_more() -> None:
    assert simulated_system_load(day("2026-12-30")) == simulated_system_load(day("2026-12-23"))


def test_the_mean_of_an_hour_stays_near_the_measured_hour() -> None:
    whole = simulated_system_load(day("2026-01-05"))  # the second Monday of the extract's year
    quarters = [sum(whole[at : at + 4]) / 4 for at in range(0, 96, 4)]
    assert max(quarters) <= 9000
    assert min(quarters) > 2000


@pytest.mark.parametrize("first", ["2026-01-01", "2026-12-31", "2024-02-29"])
def test_every_day_has_a_load(first: str) -> None:
    values = simulated_system_load(day(first))
    assert len(values) == 96
    assert all(2000 < value < 9001 for value in values)
    steps = [abs(b - a) for a, b in itertools.pairwise(values)]
    assert max(steps) < 400
