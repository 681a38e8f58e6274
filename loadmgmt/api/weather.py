"""Weather: what was observed, and what was forecast when."""

from loadmgmt.weather.actions import take_weather
from loadmgmt.weather.queries import forecast_temperatures, temperatures

__all__ = ["forecast_temperatures", "take_weather", "temperatures"]
