"""Histories of loads, published vintages, how they did, and what could not be forecast."""

from datetime import date

from sqlalchemy import (
    REAL,
    BigInteger,
    CheckConstraint,
    Date,
    Double,
    ForeignKey,
    Index,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from foundation.db import Base, pk, utc
from loadmgmt.forecast.types import ForecastState, LoadSource


class LoadHistory(Base):
    """The load of a subject in one quarter hour: telemetry taken in, or a sum of meters."""

    __tablename__ = "load_history"
    __table_args__ = (Index(None, "subject", "source"),)

    subject: Mapped[str] = mapped_column(primary_key=True, comment="system, feeder:3, point:12")
    ts: Mapped[utc] = mapped_column(primary_key=True, comment="start of the quarter hour")
    kw: Mapped[float | None] = mapped_column(Double, comment="mean load; empty where unknown")
    share: Mapped[float | None] = mapped_column(
        REAL, comment="share of the expected points that were read; empty for telemetry"
    )
    source: Mapped[LoadSource]


class Forecast(Base):
    """One published vintage: a day of one subject by one model; the database keeps it as it is."""

    __tablename__ = "forecast"
    __table_args__ = (
        UniqueConstraint("subject", "target_day", "model", "known_until"),
        Index(None, "target_day"),
        CheckConstraint(
            "cardinality(kw) > 0 AND cardinality(kw) = cardinality(low_kw)"
            " AND cardinality(kw) = cardinality(high_kw)",
            name="whole",
        ),
    )

    id: Mapped[pk]
    subject: Mapped[str]
    target_day: Mapped[date] = mapped_column(Date, comment="office day")
    model: Mapped[str]
    model_version: Mapped[str]
    known_until: Mapped[utc] = mapped_column(comment="nothing measured from here on was used")
    made_at: Mapped[utc]
    trained_from: Mapped[utc]
    input_share: Mapped[float] = mapped_column(REAL, comment="share of the history that was known")
    last_week_wape: Mapped[float | None] = mapped_column(
        REAL, comment="error on the last days of the history, kept back"
    )
    used_temperature: Mapped[bool]
    level: Mapped[float] = mapped_column(REAL, comment="share the interval is meant to hold")
    kw: Mapped[list[float]] = mapped_column(ARRAY(Double), comment="by quarter hour of the day")
    low_kw: Mapped[list[float]] = mapped_column(ARRAY(Double))
    high_kw: Mapped[list[float]] = mapped_column(ARRAY(Double))


class ForecastAccuracy(Base):
    """How a vintage did, as far as its day is known."""

    __tablename__ = "forecast_accuracy"

    forecast_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("loadmgmt.forecast.id"), primary_key=True, autoincrement=False
    )
    judged_at: Mapped[utc]
    share: Mapped[float] = mapped_column(REAL, comment="share of the day's slots that are known")
    wape: Mapped[float | None] = mapped_column(REAL, comment="empty while too little is known")
    mape: Mapped[float | None] = mapped_column(REAL)
    rmse: Mapped[float | None] = mapped_column(REAL, comment="kW")
    peak: Mapped[float | None] = mapped_column(REAL, comment="highest forecast over actual, less 1")
    coverage: Mapped[float | None] = mapped_column(REAL)


class ForecastAttempt(Base):
    """How the last attempt to forecast a subject with a model went."""

    __tablename__ = "forecast_attempt"

    subject: Mapped[str] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[utc]
    known_until: Mapped[utc] = mapped_column(comment="of attempts the one that knew most is kept")
    state: Mapped[ForecastState]
    days_known: Mapped[int]
    days_needed: Mapped[int]
    why: Mapped[str | None]
