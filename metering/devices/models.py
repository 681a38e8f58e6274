"""Terminals, meters, and how the last rounds with them went."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    Index,
    Integer,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from foundation.db import Base, pk, utc
from metering.devices.types import Framing, ImportState
from metering.network.types import Supply

SHARD = "get_byte(decode(md5((((host)::text || ':'::text) || (port)::text)), 'hex'::text), 0)"
"""The first byte of the MD5 of host:port; `shard_of` is the same in Python."""


class Terminal(Base):
    """Where a device of some profile stands and how it is reached (采集终端)."""

    __tablename__ = "terminal"
    __table_args__ = (
        UniqueConstraint("host", "port", "unit"),
        Index(None, "site", "shard"),
        CheckConstraint("(framing = 'serial') = (line <> '')", name="line_of_serial"),
        CheckConstraint("(framing = 'serial') = (host LIKE '/dev/%')", name="device_of_serial"),
    )

    id: Mapped[pk]
    terminal_no: Mapped[str] = mapped_column(unique=True, comment="ZD-1402")
    profile: Mapped[str] = mapped_column(comment="name of a profile file")
    host: Mapped[str] = mapped_column(comment="name or address; device file of a serial line")
    port: Mapped[int] = mapped_column(comment="TCP port; 0 on a serial line")
    unit: Mapped[int] = mapped_column(comment="Modbus unit id, 0 to 247")
    framing: Mapped[Framing] = mapped_column(
        default=Framing.MBAP, server_default=Framing.MBAP.value, comment="of its whole connection"
    )
    depth: Mapped[int] = mapped_column(
        default=1, server_default="1", comment="requests its gateway takes at a time, 1 to 16"
    )
    line: Mapped[str] = mapped_column(
        default="", server_default="", comment="how a serial line is set, 9600-8E1"
    )
    interval_s: Mapped[int] = mapped_column(comment="asked every so many seconds")
    own_interval: Mapped[bool] = mapped_column(
        default=True, comment="false: the interval follows the class of its meter's point"
    )
    site: Mapped[str] = mapped_column(default="", comment="only pollers of this site may ask it")
    shard: Mapped[int] = mapped_column(
        Integer, Computed(SHARD, persisted=True), comment="of its connection, 0 to 255"
    )
    in_service: Mapped[bool] = mapped_column(default=True)
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
    start_wh: Mapped[int | None] = mapped_column(
        BigInteger, comment="import register when it was fitted [Wh, primary] (装表示数)"
    )
    end_wh: Mapped[int | None] = mapped_column(
        BigInteger, comment="import register when it was removed [Wh, primary] (拆表示数)"
    )
    register_wh: Mapped[int | None] = mapped_column(
        BigInteger, comment="its registers go back to zero here [Wh, primary]; empty: never seen"
    )


class AskedSpan(Base):
    """From when to when a meter was to be read, and how often: what completeness is proved by."""

    __tablename__ = "asked_span"
    __table_args__ = (
        Index(
            "uq_asked_span_open", "meter_id", unique=True, postgresql_where=text("until IS NULL")
        ),
        Index(None, "meter_id", "since"),
        Index(None, "until", "since"),
    )

    id: Mapped[pk]
    meter_id: Mapped[int] = mapped_column(ForeignKey("metering.meter.id"))
    terminal_id: Mapped[int] = mapped_column(ForeignKey("metering.terminal.id"))
    interval_s: Mapped[int]
    since: Mapped[utc]
    until: Mapped[utc | None]


class DeviceImport(Base):
    """A list of devices somebody sent, looked at and perhaps written."""

    __tablename__ = "device_import"

    id: Mapped[pk]
    file_name: Mapped[str]
    state: Mapped[ImportState] = mapped_column(default=ImportState.CHECKED)
    sent_by: Mapped[str]
    sent_by_id: Mapped[int | None] = mapped_column(BigInteger, comment="person")
    sent_at: Mapped[utc]
    rows: Mapped[list[Any]] = mapped_column(comment="as read from the file, one object a row")
    written_by: Mapped[str | None]
    written_at: Mapped[utc | None]
    written: Mapped[dict[str, Any] | None] = mapped_column(comment="how many of what was added")


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
