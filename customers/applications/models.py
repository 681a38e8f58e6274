"""Applications, their documents and remarks; where a case stands is its flow case's business."""

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, Numeric, text
from sqlalchemy.orm import Mapped, mapped_column

from customers.applications.types import ApplicationKind
from foundation.db import Base, pk, sealed, utc
from metering.api.types import Supply


class Application(Base):
    """One thing a customer has asked for."""

    __tablename__ = "application"
    __table_args__ = (
        Index(None, "opened_at"),
        Index(None, "id_no_hash"),
        Index(None, "phone_hash"),
        Index("ix_application_open", "unit_id", postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[pk]
    application_no: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[ApplicationKind]
    case_id: Mapped[int] = mapped_column(ForeignKey("foundation.flow_case.id"), unique=True)
    applicant_name: Mapped[str]
    contact_name: Mapped[str]
    phone: Mapped[sealed]
    phone_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    id_no: Mapped[sealed]
    id_no_hash: Mapped[bytes] = mapped_column(LargeBinary)
    address: Mapped[str] = mapped_column(index=True)
    customer_id: Mapped[int | None] = mapped_column(
        ForeignKey("customers.customer.id"), comment="a known customer who applied"
    )
    account_no: Mapped[str] = mapped_column(unique=True, comment="reserved at acceptance")
    area_id: Mapped[int | None] = mapped_column(ForeignKey("metering.transformer_area.id"))
    unit_id: Mapped[int | None] = mapped_column(
        ForeignKey("foundation.org_unit.id"), comment="department that answers for the place"
    )
    load_kw: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    supply: Mapped[Supply]
    source: Mapped[str] = mapped_column(comment="counter, phone or online")
    answers: Mapped[dict[str, Any]] = mapped_column(comment="by step: its form as last completed")
    locked: Mapped[sealed | None] = mapped_column(comment="the archive as it was when accepted")
    settled: Mapped[sealed | None] = mapped_column(comment="conflicts somebody has decided")
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, comment="of the customer's code")
    point_id: Mapped[int | None] = mapped_column(
        ForeignKey("metering.point.id"), comment="once the archive is written"
    )
    opened_by: Mapped[str]
    opened_at: Mapped[utc]
    ended_at: Mapped[utc | None]


class ApplicationDocument(Base):
    """A document handed in, or promised for later."""

    __tablename__ = "application_document"
    __table_args__ = (Index(None, "application_id"),)

    id: Mapped[pk]
    application_id: Mapped[int] = mapped_column(ForeignKey("customers.application.id"))
    kind: Mapped[str]
    attachment_id: Mapped[int | None] = mapped_column(
        ForeignKey("foundation.attachment.id"), comment="empty: promised"
    )
    promised_until: Mapped[date | None]
    added_by: Mapped[str]
    added_at: Mapped[utc]
    removed_at: Mapped[utc | None]


class ApplicationNoteRow(Base):
    """An internal remark."""

    __tablename__ = "application_note"
    __table_args__ = (Index(None, "application_id"),)

    id: Mapped[pk]
    application_id: Mapped[int] = mapped_column(ForeignKey("customers.application.id"))
    at: Mapped[utc]
    by: Mapped[str]
    text: Mapped[str]
