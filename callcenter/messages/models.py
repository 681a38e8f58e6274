"""Notices that were to be sent, and who wants none."""

from sqlalchemy import Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.messages.types import DeliveryState
from foundation.db import Base, pk, sealed, utc


class Delivery(Base):
    """One notice to one number, and what became of it."""

    __tablename__ = "delivery"
    __table_args__ = (Index(None, "created_at"), Index(None, "about_type", "about_no"))

    id: Mapped[pk]
    template: Mapped[str]
    lang: Mapped[str]
    phone: Mapped[sealed | None]
    text: Mapped[sealed]
    about_type: Mapped[str] = mapped_column(comment="ticket, outage, case")
    about_no: Mapped[str]
    state: Mapped[DeliveryState]
    reason: Mapped[str] = mapped_column(default="")
    attempts: Mapped[int] = mapped_column(default=0)
    gateway: Mapped[str] = mapped_column(default="")
    created_at: Mapped[utc]
    finished_at: Mapped[utc | None]


class OptOut(Base):
    """A number that wants no notices."""

    __tablename__ = "opt_out"

    phone_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    at: Mapped[utc]
    by: Mapped[str]
