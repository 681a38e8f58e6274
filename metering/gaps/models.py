"""The gap list."""

from sqlalchemy import Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from foundation.db import Base, utc


class Gap(Base):
    """One interval of one meter without a reading; gone as soon as the reading is there."""

    __tablename__ = "gap"
    __table_args__ = (
        Index("ix_gap_asked", "asked_at", postgresql_where=text("asked_at IS NOT NULL")),
    )

    ts: Mapped[utc] = mapped_column(primary_key=True, comment="start of the interval")
    meter_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    interval_s: Mapped[int] = mapped_column(Integer)
    why: Mapped[str | None] = mapped_column(comment="code of the reason, if it is known")
    asked_at: Mapped[utc | None] = mapped_column(
        comment="when somebody asked for it to be read again"
    )
    asked_by: Mapped[str | None] = mapped_column(comment="who did")


class GapMark(Base):
    """From when to when intervals were looked at; one row."""

    __tablename__ = "gap_mark"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    since: Mapped[utc] = mapped_column(comment="intervals that ended after it are judged")
    checked_to: Mapped[utc] = mapped_column(comment="and those that ended by then")
