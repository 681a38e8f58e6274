"""Files of weather: observations and forecasts told apart, mistakes refused by line."""

import io
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from loadmgmt.weather.rules import read_weather
from loadmgmt.weather.types import STATION, NewWeather, WeatherFileRefused

ZONE = ZoneInfo("Asia/Shanghai")


def test_a_row_with_an_issue_time_is_a_forecast_and_one_without_an_observation() -> None:
    text = (
        "time,temperature_c,issued_at,station\n"
        "2026-06-18T08:00,27.5,,\n"
        "2026-06-18T08:00,29,2026-06-17T18:00,hill\n"
        "2026-06-18T09:00,,,\n"
    )
    at = datetime(2026, 6, 18, 0, tzinfo=UTC)
    assert read_weather(io.StringIO(text), ZONE) == [
        NewWeather(at, 27.5, None, STATION),
        NewWeather(at, 29.0, datetime(2026, 6, 17, 10, tzinfo=UTC), "hill"),
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("time,temp\n", 1),
        ("time,temperature_c\n2026-06-18,81.5\n", 2),  # degrees Fahrenheit
        ("time,temperature_c\n2026-06-18,warm\n", 2),
        ("time,temperature_c\n2026-06-18,20\nsoon,20\n", 3),
        ("time,temperature_c\n2026-06-18,nan\n", 2),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(WeatherFileRefused) as refused:
        read_weather(io.StringIO(text), ZONE, file="a.csv")
    assert refused.value.facts["line"] == line
