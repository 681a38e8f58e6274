"""Load forecasts: what was forecast, what came of it, and asking for a new one."""

from loadmgmt.forecast.actions import ask_forecast
from loadmgmt.forecast.practice import load_practice
from loadmgmt.forecast.queries import (
    day_errors,
    days_with_data,
    forecast_subjects,
    model_board,
    plan_and_actual,
)

__all__ = [
    "ask_forecast",
    "day_errors",
    "days_with_data",
    "forecast_subjects",
    "load_practice",
    "model_board",
    "plan_and_actual",
]
