"""Outages, the points they take, the reports that belong to them, and their history."""

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from foundation.db import Base, pk, utc
from loadmgmt.outages.types import OutageKind, OutageScope, OutageSource, OutageState, Power


class Outage(Base):
    """One loss of supply, from its first sign to its end."""

    __tablename__ = "outage"
    __table_args__ = (
        Index(
            "uq_outage_open_fault",
            "subject",
            unique=True,
            postgresql_where=text("restored_at IS NULL AND kind = 'fault'"),
        ),
        Index("ix_outage_open_area", "area_id", postgresql_where=text("restored_at IS NULL")),
        Index(None, "started_at"),
    )

    id: Mapped[pk]
    outage_no: Mapped[str] = mapped_column(unique=True, comment="TD-260618-031")
    kind: Mapped[OutageKind]
    scope: Mapped[OutageScope]
    subject: Mapped[str] = mapped_column(comment="area:1 or box:B-0712-06; one open fault each")
    state: Mapped[OutageState]
    source: Mapped[OutageSource]
    area_id: Mapped[int] = mapped_column(ForeignKey("metering.transformer_area.id"))
    box_no: Mapped[str | None]
    feeder_id: Mapped[int] = mapped_column(ForeignKey("metering.feeder.id"))
    unit_id: Mapped[int] = mapped_column(
        ForeignKey("foundation.org_unit.id"), comment="who answers for the feeder"
    )
    cause: Mapped[str] = mapped_column(default="")
    started_at: Mapped[utc]
    eta_at: Mapped[utc | None] = mapped_column(comment="expected back")
    planned_to: Mapped[utc | None] = mapped_column(comment="end of a planned window")
    restored_at: Mapped[utc | None]
    alert_id: Mapped[int | None] = mapped_column(ForeignKey("loadmgmt.alert.id"))
    ticket_no: Mapped[str | None] = mapped_column(comment="of the repair ticket that works on it")
    opened_by: Mapped[str]
    opened_at: Mapped[utc]
    version: Mapped[int] = mapped_column(default=1)


class OutageMemberRow(Base):
    """One point an outage takes."""

    __tablename__ = "outage_member"

    outage_id: Mapped[int] = mapped_column(ForeignKey("loadmgmt.outage.id"), primary_key=True)
    point_id: Mapped[int] = mapped_column(
        ForeignKey("metering.point.id"), primary_key=True, index=True
    )
    power: Mapped[Power]
    was_dark: Mapped[bool] = mapped_column(default=False)
    back_at: Mapped[utc | None]


class OutageReportRow(Base):
    """Somebody reported no power at a point; it may belong to an outage."""

    __tablename__ = "outage_report"
    __table_args__ = (
        UniqueConstraint("source", "ref"),
        Index(None, "area_id", "reported_at"),
        Index(None, "outage_id"),
    )

    id: Mapped[pk]
    source: Mapped[str] = mapped_column(comment="who keeps the report: call")
    ref: Mapped[int] = mapped_column(BigInteger, comment="its number there")
    point_id: Mapped[int] = mapped_column(ForeignKey("metering.point.id"))
    area_id: Mapped[int] = mapped_column(ForeignKey("metering.transformer_area.id"))
    box_no: Mapped[str]
    inside: Mapped[bool] = mapped_column(
        default=False, comment="the own meter had voltage: no evidence of an outage"
    )
    reported_at: Mapped[utc]
    outage_id: Mapped[int | None] = mapped_column(ForeignKey("loadmgmt.outage.id"))


class OutageHistory(Base):
    """One thing that happened to an outage."""

    __tablename__ = "outage_history"

    id: Mapped[pk]
    outage_id: Mapped[int] = mapped_column(ForeignKey("loadmgmt.outage.id"), index=True)
    at: Mapped[utc]
    what: Mapped[str] = mapped_column(comment="detected, confirmed, eta, restored ...")
    from_state: Mapped[OutageState | None]
    to_state: Mapped[OutageState]
    actor_id: Mapped[int | None]
    actor_name: Mapped[str]
    note: Mapped[str] = mapped_column(default="")
    eta_before: Mapped[utc | None]
    eta_at: Mapped[utc | None]
