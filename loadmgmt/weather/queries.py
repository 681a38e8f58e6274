"""Reads of weather, never later than what was known at some time."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from foundation.clock import office_zone
from foundation.db import rows_as
from loadmgmt.weather.models import WeatherForecast, WeatherObservation
from loadmgmt.weather.types import STATION, Temperature

AROUND = timedelta(hours=3)
"""Values this far outside a span are given too, to draw lines to its edges."""


def temperatures(
    session: Session, span: tuple[datetime, datetime], *, station: str = STATION
) -> list[Temperature]:
    """Give what was observed in a span, oldest first; nothing at or after its end."""
    statement = (
        select(WeatherObservation.ts, WeatherObservation.temperature_c)
        .where(
            WeatherObservation.station == station,
            WeatherObservation.ts >= span[0] - AROUND,
            WeatherObservation.ts < span[1],
        )
        .order_by(WeatherObservation.ts)
    )
    return rows_as(Temperature, session, statement)


def forecast_temperatures(
    session: Session,
    span: tuple[datetime, datetime],
    *,
    issued_by: datetime,
    station: str = STATION,
) -> list[Temperature]:
    """Give the newest forecast of each time of a span issued up to an instant.

    Args:
        session: any.
        span: what it is for.
        issued_by: nothing issued after it is given.
        station: where.
    """
    statement = (
        select(WeatherForecast.ts, WeatherForecast.temperature_c)
        .ext(distinct_on(WeatherForecast.ts))
        .where(
            WeatherForecast.station == station,
            WeatherForecast.ts >= span[0] - AROUND,
            WeatherForecast.ts <= span[1] + AROUND,
            WeatherForecast.issued_at <= issued_by,
        )
        .order_by(WeatherForecast.ts, WeatherForecast.issued_at.desc())
    )
    return rows_as(Temperature, session, statement)


def day_ahead_temperatures(
    session: Session, span: tuple[datetime, datetime], *, station: str = STATION
) -> list[Temperature]:
    """Give for each time of a span what had been forecast for it before its office day began."""
    day = func.date_trunc("day", WeatherForecast.ts, office_zone().key)
    statement = (
        select(WeatherForecast.ts, WeatherForecast.temperature_c)
        .ext(distinct_on(WeatherForecast.ts))
        .where(
            WeatherForecast.station == station,
            WeatherForecast.ts >= span[0],
            WeatherForecast.ts < span[1],
            WeatherForecast.issued_at <= day,
        )
        .order_by(WeatherForecast.ts, WeatherForecast.issued_at.desc())
    )
    return rows_as(Temperature, session, statement)
