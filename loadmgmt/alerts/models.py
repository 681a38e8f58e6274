"""Alerts and their history."""

from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Numeric, text
from sqlalchemy.orm import Mapped, mapped_column

from foundation.db import Base, pk, utc
from loadmgmt.alerts.types import AlertKind, AlertState, Severity


class Alert(Base):
    """One thing wrong at one subject, from its first interval to its end."""

    __tablename__ = "alert"
    __table_args__ = (
        Index(
            "uq_alert_standing",
            "subject",
            "kind",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_alert_standing_area", "area_id", postgresql_where=text("ended_at IS NULL")),
        Index(None, "raised_at"),
        Index(None, "point_id", "started_at"),
    )

    id: Mapped[pk]
    kind: Mapped[AlertKind]
    severity: Mapped[Severity]
    state: Mapped[AlertState] = mapped_column(default=AlertState.OPEN)
    subject: Mapped[str] = mapped_column(comment="point:1, area:1 or terminal:1")
    point_id: Mapped[int | None] = mapped_column(ForeignKey("metering.point.id"))
    area_id: Mapped[int | None] = mapped_column(ForeignKey("metering.transformer_area.id"))
    terminal_id: Mapped[int | None] = mapped_column(ForeignKey("metering.terminal.id"))
    feeder_id: Mapped[int] = mapped_column(ForeignKey("metering.feeder.id"))
    unit_id: Mapped[int] = mapped_column(
        ForeignKey("foundation.org_unit.id"), comment="who answers for the feeder"
    )
    parent_id: Mapped[int | None] = mapped_column(
        ForeignKey("loadmgmt.alert.id"), index=True, comment="the area alert it is folded into"
    )
    phases: Mapped[str] = mapped_column(default="")
    measured: Mapped[Decimal | None] = mapped_column(Numeric(12, 3), comment="worst so far")
    limit: Mapped[Decimal | None] = mapped_column(Numeric(12, 3))
    evidence: Mapped[dict[str, Any]]
    started_at: Mapped[utc] = mapped_column(comment="first interval out of band")
    raised_at: Mapped[utc] = mapped_column(comment="when it was written down")
    last_seen_at: Mapped[utc] = mapped_column(comment="last interval it was seen in")
    good_intervals: Mapped[int] = mapped_column(default=0, comment="in a row, up to now")
    last_good_at: Mapped[utc | None] = mapped_column(comment="interval counted last")
    condition_ended_at: Mapped[utc | None] = mapped_column(
        comment="values are good again, a person has yet to close it (theft)"
    )
    ended_at: Mapped[utc | None]
    suppressed_until: Mapped[utc | None]
    handler_id: Mapped[int | None] = mapped_column(ForeignKey("foundation.person.id"))
    handler: Mapped[str | None]
    ticket_no: Mapped[str | None]
    version: Mapped[int] = mapped_column(default=1)


class AlertHistory(Base):
    """One thing that happened to an alert."""

    __tablename__ = "alert_history"

    id: Mapped[pk]
    alert_id: Mapped[int] = mapped_column(ForeignKey("loadmgmt.alert.id"), index=True)
    at: Mapped[utc]
    what: Mapped[str] = mapped_column(comment="raised, acknowledged, cleared ...")
    from_state: Mapped[AlertState | None]
    to_state: Mapped[AlertState]
    actor_id: Mapped[int | None] = mapped_column(BigInteger)
    actor_name: Mapped[str]
    note: Mapped[str] = mapped_column(default="")
