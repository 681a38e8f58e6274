"""Readings (wide, by day), the newest of each meter, hours, days, events, batches to judge."""

from datetime import date
from typing import Any

from sqlalchemy import REAL, BigInteger, Date, Index, Integer, SmallInteger, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from foundation.db import Base, pk, utc
from metering.readings.types import EventKind


class _Values:
    """The value columns; order 8, 4, 2 bytes keeps rows small."""

    wh_import: Mapped[int | None] = mapped_column(BigInteger)
    wh_export: Mapped[int | None] = mapped_column(BigInteger)
    varh_import: Mapped[int | None] = mapped_column(BigInteger)
    u_a: Mapped[float | None] = mapped_column(REAL)
    u_b: Mapped[float | None] = mapped_column(REAL)
    u_c: Mapped[float | None] = mapped_column(REAL)
    i_a: Mapped[float | None] = mapped_column(REAL)
    i_b: Mapped[float | None] = mapped_column(REAL)
    i_c: Mapped[float | None] = mapped_column(REAL)
    i_n: Mapped[float | None] = mapped_column(REAL)
    p: Mapped[float | None] = mapped_column(REAL)
    p_a: Mapped[float | None] = mapped_column(REAL)
    p_b: Mapped[float | None] = mapped_column(REAL)
    p_c: Mapped[float | None] = mapped_column(REAL)
    q: Mapped[float | None] = mapped_column(REAL)
    q_a: Mapped[float | None] = mapped_column(REAL)
    q_b: Mapped[float | None] = mapped_column(REAL)
    q_c: Mapped[float | None] = mapped_column(REAL)
    pf: Mapped[float | None] = mapped_column(REAL)
    f: Mapped[float | None] = mapped_column(REAL)
    quality: Mapped[int] = mapped_column(SmallInteger)
    source: Mapped[int] = mapped_column(SmallInteger)
    inputs: Mapped[int | None] = mapped_column(SmallInteger)


class Reading(_Values, Base):
    """One meter, one interval; key (ts, meter_id), so a repeated poll changes nothing."""

    __tablename__ = "reading"
    __table_args__ = ({"postgresql_partition_by": "RANGE (ts)"},)

    ts: Mapped[utc] = mapped_column(primary_key=True, comment="start of the nominal interval")
    meter_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    read_off_s: Mapped[int] = mapped_column(SmallInteger, comment="real reading after ts [s]")


class Latest(_Values, Base):
    """The newest reading of each meter, on-demand reads included."""

    __tablename__ = "latest"
    __table_args__ = ({"postgresql_with": {"fillfactor": 60}},)

    meter_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    ts: Mapped[utc]
    read_at: Mapped[utc]


class _Sums:
    """What a stretch of readings adds up to."""

    used_wh: Mapped[int | None] = mapped_column(BigInteger)
    exported_wh: Mapped[int | None] = mapped_column(BigInteger)
    p_avg: Mapped[float | None] = mapped_column(REAL)
    p_max: Mapped[float | None] = mapped_column(REAL)
    u_min: Mapped[float | None] = mapped_column(REAL)
    u_avg: Mapped[float | None] = mapped_column(REAL)
    u_max: Mapped[float | None] = mapped_column(REAL)


class Hourly(_Sums, Base):
    """One hour of one meter, by the readings in it and the one at its end; parts by month."""

    __tablename__ = "hourly"
    __table_args__ = ({"postgresql_partition_by": "RANGE (hour)"},)

    hour: Mapped[utc] = mapped_column(primary_key=True)
    meter_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    wh_first: Mapped[int | None] = mapped_column(
        BigInteger, comment="import register of its first reading"
    )
    wh_last: Mapped[int | None] = mapped_column(
        BigInteger, comment="of its last, the next hour's first if that is exactly at its end"
    )
    covered_s: Mapped[int] = mapped_column(
        SmallInteger, comment="seconds of it that used_wh covers; 3600 is all"
    )
    points: Mapped[int] = mapped_column(SmallInteger, comment="readings in it")
    late: Mapped[int] = mapped_column(SmallInteger, comment="of them read late or from memory")
    estimated: Mapped[int] = mapped_column(SmallInteger, comment="of them")
    resets: Mapped[int] = mapped_column(
        SmallInteger, comment="steps not counted: register reset, or faster than the meter could"
    )


class Daily(_Sums, Base):
    """One office day of one meter."""

    __tablename__ = "daily"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    meter_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    wh_import: Mapped[int | None] = mapped_column(BigInteger, comment="register at day's end")
    covered_s: Mapped[int | None] = mapped_column(comment="seconds of it that used_wh covers")
    points: Mapped[int] = mapped_column(comment="readings it was made from")
    late: Mapped[int | None] = mapped_column(comment="of them")
    estimated: Mapped[int | None] = mapped_column(comment="of them")
    resets: Mapped[int | None] = mapped_column(comment="steps not counted")


class RollupDue(Base):
    """Meters of an hour that had been added up already when another reading came; only grows."""

    __tablename__ = "rollup_due"

    id: Mapped[pk]
    hour: Mapped[utc] = mapped_column(index=True)
    meter_ids: Mapped[list[int]] = mapped_column(ARRAY(Integer))


class RollupMark(Base):
    """Up to where every hour was added up; one row."""

    __tablename__ = "rollup_mark"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    rolled_to: Mapped[utc] = mapped_column(comment="end of the last hour added up")


class ReadingDay(Base):
    """A sealed day of readings that was sorted by meter."""

    __tablename__ = "reading_day"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    sorted_at: Mapped[utc]
    readings: Mapped[int] = mapped_column(BigInteger)


class ReadingEvent(Base):
    """Something a meter or its terminal told: tamper, exception, clock, doubt."""

    __tablename__ = "reading_event"
    __table_args__ = (
        Index(
            "uq_reading_event_open",
            "meter_id",
            "kind",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index(None, "meter_id", "at"),
        Index(None, "at"),
    )

    id: Mapped[pk]
    meter_id: Mapped[int] = mapped_column(Integer)
    kind: Mapped[EventKind]
    at: Mapped[utc]
    ended_at: Mapped[utc | None] = mapped_column(comment="empty while it lasts")
    facts: Mapped[dict[str, Any]]


class ReadingBatch(Base):
    """One flush: which meters have a new reading for a slot, and whether it was judged."""

    __tablename__ = "reading_batch"
    __table_args__ = (
        Index("ix_reading_batch_waiting", "id", postgresql_where=text("judged_at IS NULL")),
    )

    id: Mapped[pk]
    slot: Mapped[utc]
    meter_ids: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    stored_at: Mapped[utc]
    judged_at: Mapped[utc | None]
