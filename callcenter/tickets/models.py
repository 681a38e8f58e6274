"""Tickets and remarks on them; where a ticket stands is its flow case's business."""

from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.tickets.types import Priority, TicketKind, TicketSource
from foundation.db import Base, pk, sealed, utc


class Ticket(Base):
    """One piece of promised work (工单)."""

    __tablename__ = "ticket"
    __table_args__ = (
        Index(
            "uq_ticket_of_alert", "alert_id", unique=True, postgresql_where=text("ended_at IS NULL")
        ),
        Index(
            "uq_ticket_of_outage",
            "outage_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_ticket_open", "crew_id", postgresql_where=text("ended_at IS NULL")),
        Index(None, "point_id"),
        Index(None, "opened_at"),
    )

    id: Mapped[pk]
    ticket_no: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[TicketKind]
    source: Mapped[TicketSource]
    title: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    priority: Mapped[Priority]
    case_id: Mapped[int] = mapped_column(ForeignKey("foundation.flow_case.id"), unique=True)
    point_id: Mapped[int | None] = mapped_column(ForeignKey("metering.point.id"))
    area_id: Mapped[int | None] = mapped_column(ForeignKey("metering.transformer_area.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("foundation.org_unit.id"))
    alert_id: Mapped[int | None] = mapped_column(ForeignKey("loadmgmt.alert.id"))
    crew_id: Mapped[int | None] = mapped_column(ForeignKey("callcenter.crew.id"))
    outage_id: Mapped[int | None] = mapped_column(
        ForeignKey("loadmgmt.outage.id"), comment="the outage it works on; one open ticket each"
    )
    contact_name: Mapped[str | None] = mapped_column(comment="who asked, if not the account's")
    contact_phone: Mapped[sealed | None]
    notify: Mapped[bool] = mapped_column(
        default=False, server_default=text("false"), comment="the contact wants notices"
    )
    apart: Mapped[bool] = mapped_column(
        default=False, server_default=text("false"), comment="kept apart from outages by hand"
    )
    round: Mapped[int] = mapped_column(
        default=1, server_default=text("1"), comment="above one: reopened after a call-back"
    )
    merged_into: Mapped[str | None] = mapped_column(comment="ticket that does its work")
    evidence: Mapped[dict[str, Any]] = mapped_column(comment="of the alert, as it was")
    opened_by: Mapped[str]
    opened_at: Mapped[utc]
    proved_at: Mapped[utc | None] = mapped_column(comment="when the meter proved it")
    ended_at: Mapped[utc | None]


class TicketNoteRow(Base):
    """An internal remark on a ticket."""

    __tablename__ = "ticket_note"

    id: Mapped[pk]
    ticket_id: Mapped[int] = mapped_column(ForeignKey("callcenter.ticket.id"), index=True)
    at: Mapped[utc]
    by: Mapped[str]
    text: Mapped[str]
