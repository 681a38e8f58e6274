"""Weather, as others see it."""

from dataclasses import dataclass
from datetime import datetime

from foundation.errors import BadData

STATION = "office"
"""The station used where a file names none."""


class WeatherFileRefused(BadData):
    """A file of weather cannot be used; facts: file, line, why."""

    code = "weather_file_refused"


@dataclass(frozen=True, slots=True)
class NewWeather:
    """One value on its way to the store.

    Attributes:
        at: the instant it is for, UTC.
        temperature_c: [°C].
        issued_at: when it was forecast; None for an observation.
        station: where.
    """

    at: datetime
    temperature_c: float
    issued_at: datetime | None = None
    station: str = STATION


@dataclass(frozen=True, slots=True)
class Temperature:
    """A temperature at an instant [°C]."""

    at: datetime
    temperature_c: float


@dataclass(frozen=True, slots=True)
class WeatherTaken:
    """What an import changed."""

    observations: int
    forecasts: int
