"""Weather observed, and weather as it was forecast at some time."""

from sqlalchemy import REAL
from sqlalchemy.orm import Mapped, mapped_column

from foundation.db import Base, utc


class WeatherObservation(Base):
    """What a station measured."""

    __tablename__ = "weather_observation"

    station: Mapped[str] = mapped_column(primary_key=True)
    ts: Mapped[utc] = mapped_column(primary_key=True)
    temperature_c: Mapped[float] = mapped_column(REAL)


class WeatherForecast(Base):
    """What was forecast for a station, by when; a later forecast overwrites none."""

    __tablename__ = "weather_forecast"

    station: Mapped[str] = mapped_column(primary_key=True)
    issued_at: Mapped[utc] = mapped_column(primary_key=True)
    ts: Mapped[utc] = mapped_column(primary_key=True)
    temperature_c: Mapped[float] = mapped_column(REAL)
