"""Requests to read a meter now."""

from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from foundation.db import Base, pk, utc
from metering.requests.types import RequestState


class ReadRequest(Base):
    """One on-demand read, from asking to its answer or expiry."""

    __tablename__ = "read_request"
    __table_args__ = (
        Index("ix_read_request_asked", "id", postgresql_where=text("state = 'asked'")),
        Index(None, "meter_id", "id"),
    )

    id: Mapped[pk]
    meter_id: Mapped[int] = mapped_column(ForeignKey("metering.meter.id"))
    state: Mapped[RequestState] = mapped_column(default=RequestState.ASKED)
    asked_by: Mapped[str]
    asked_at: Mapped[utc]
    expires_at: Mapped[utc]
    answered_at: Mapped[utc | None]
    error: Mapped[str | None] = mapped_column(comment="stable code of what went wrong")
    raw: Mapped[list[Any] | None] = mapped_column(
        comment="what was answered: function, address and data of each block"
    )
