"""Weather: observations may be corrected, forecasts stay as issued, none from the future."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from foundation.audit import entries
from loadmgmt.weather.actions import take_weather
from loadmgmt.weather.queries import forecast_temperatures, temperatures
from loadmgmt.weather.types import NewWeather, Temperature, WeatherTaken
from tests.factories.foundation import SYSTEM

NOON = datetime(2026, 6, 18, 4, tzinfo=UTC)
SPAN = (NOON, NOON + timedelta(hours=2))


def test_taking_a_file_twice_changes_nothing_and_is_audited_each_time(session: Session) -> None:
    rows = [
        NewWeather(NOON, 27.5),
        NewWeather(NOON, 29.0, NOON - timedelta(days=1)),
        NewWeather(NOON, 28.0),  # the last of a file counts
    ]
    assert take_weather(session, SYSTEM, rows, file="w.csv") == WeatherTaken(1, 1)
    assert take_weather(session, SYSTEM, rows, file="w.csv") == WeatherTaken(0, 0)
    assert temperatures(session, SPAN) == [Temperature(NOON, 28.0)]
    assert len(entries(session, act="weather.taken")) == 2


def test_an_observation_may_be_corrected_and_a_forecast_not(session: Session) -> None:
    issued = NOON - timedelta(days=1)
    take_weather(
        session, SYSTEM, [NewWeather(NOON, 20.0), NewWeather(NOON, 21.0, issued)], file="a"
    )
    take_weather(
        session, SYSTEM, [NewWeather(NOON, 22.0), NewWeather(NOON, 23.0, issued)], file="b"
    )
    assert temperatures(session, SPAN) == [Temperature(NOON, 22.0)]
    assert forecast_temperatures(session, SPAN, issued_by=NOON) == [Temperature(NOON, 21.0)]


def test_of_forecasts_the_newest_that_had_been_issued_is_given(session: Session) -> None:
    rows = [NewWeather(NOON, 10.0 + n, NOON - timedelta(hours=n)) for n in range(1, 4)]
    take_weather(session, SYSTEM, rows, file="a")
    for hours, expected in ((1, [11.0]), (2, [12.0]), (3, [13.0]), (4, [])):
        known = forecast_temperatures(session, SPAN, issued_by=NOON - timedelta(hours=hours))
        assert [one.temperature_c for one in known] == expected
    assert forecast_temperatures(session, SPAN, issued_by=NOON, station="hill") == []
