"""Readings (wide, by day), the newest of each meter, days, and batches to be judged."""

from datetime import date

from sqlalchemy import REAL, BigInteger, Date, Index, Integer, SmallInteger, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from foundation.db import Base, pk, utc


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


class Daily(Base):
    """One office day of one meter."""

    __tablename__ = "daily"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    meter_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    wh_import: Mapped[int | None] = mapped_column(BigInteger, comment="register at day's end")
    used_wh: Mapped[int | None] = mapped_column(BigInteger)
    p_max: Mapped[float | None] = mapped_column(REAL)
    u_min: Mapped[float | None] = mapped_column(REAL)
    u_max: Mapped[float | None] = mapped_column(REAL)
    points: Mapped[int] = mapped_column(SmallInteger, comment="readings it was made from")


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
