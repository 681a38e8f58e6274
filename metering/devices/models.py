"""Terminals, meters, and how the last rounds with them went."""

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from foundation.db import Base, pk, utc
from metering.network.types import Supply


class Terminal(Base):
    """Where a device of some profile stands and how it is reached (采集终端)."""

    __tablename__ = "terminal"
    __table_args__ = (UniqueConstraint("host", "port", "unit"),)

    id: Mapped[pk]
    terminal_no: Mapped[str] = mapped_column(unique=True, comment="ZD-1402")
    profile: Mapped[str] = mapped_column(comment="name of a profile file")
    host: Mapped[str]
    port: Mapped[int]
    unit: Mapped[int] = mapped_column(comment="Modbus unit id, 0 to 247")
    interval_s: Mapped[int] = mapped_column(comment="asked every so many seconds")
    in_service: Mapped[bool] = mapped_column(default=True)
    last_ok_at: Mapped[utc | None]
    failed_rounds: Mapped[int] = mapped_column(default=0)
    silent_since: Mapped[utc | None] = mapped_column(comment="set after several failed rounds")
    last_error: Mapped[str | None] = mapped_column(comment="stable code of the last failure")


class Meter(Base):
    """A meter at a point, from fitting to removal (电能表)."""

    __tablename__ = "meter"
    __table_args__ = (
        Index(
            "uq_meter_at_point",
            "point_id",
            unique=True,
            postgresql_where=text("removed_at IS NULL"),
        ),
        Index(
            "uq_meter_at_terminal",
            "terminal_id",
            unique=True,
            postgresql_where=text("removed_at IS NULL"),
        ),
    )

    id: Mapped[pk]
    meter_no: Mapped[str] = mapped_column(unique=True, comment="M-0712-0431")
    point_id: Mapped[int] = mapped_column(ForeignKey("metering.point.id"))
    terminal_id: Mapped[int | None] = mapped_column(ForeignKey("metering.terminal.id"))
    ct: Mapped[int] = mapped_column(default=1, comment="CT ratio, 150/5 = 30")
    pt: Mapped[int] = mapped_column(default=1, comment="PT ratio, 10000/100 = 100")
    rated_a: Mapped[int] = mapped_column(
        default=5, comment="basic current Ib on the meter's side of the CT [A]"
    )
    installed_at: Mapped[utc]
    removed_at: Mapped[utc | None]


class StockMeter(Base):
    """A meter on the shelf with the terminal that belongs to it, until it is fitted (库存表)."""

    __tablename__ = "stock_meter"

    id: Mapped[pk]
    meter_no: Mapped[str] = mapped_column(unique=True)
    supply: Mapped[Supply] = mapped_column(comment="what it can measure")
    terminal_id: Mapped[int | None] = mapped_column(
        ForeignKey("metering.terminal.id"), unique=True, comment="out of service until fitted"
    )
    ct: Mapped[int] = mapped_column(default=1)
    pt: Mapped[int] = mapped_column(default=1)
    rated_a: Mapped[int] = mapped_column(default=5)
    unit_id: Mapped[int | None] = mapped_column(
        ForeignKey("foundation.org_unit.id"), comment="department whose store it lies in"
    )
    drawn_for: Mapped[str | None] = mapped_column(comment="number of the case it was drawn for")
    drawn_at: Mapped[utc | None]
    installed_at: Mapped[utc | None]
