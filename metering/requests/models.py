"""Requests to read a meter now, and to command it."""

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from foundation.db import Base, pk, utc
from metering.requests.types import RequestState, WriteKind, WriteState


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


class WriteRequest(Base):
    """A command for a meter's relay, from asking to its end; the poller may only read it."""

    __tablename__ = "write_request"
    __table_args__ = (
        Index(
            "uq_write_request_pending",
            "meter_id",
            unique=True,
            postgresql_where=text("ended_as IS NULL"),
        ),
        CheckConstraint(
            "reviewed_by_id IS NULL OR reviewed_by_id <> asked_by_id", name="two_persons"
        ),
        CheckConstraint(
            "approved_at IS NULL OR reviewed_by_id IS NOT NULL", name="approved_by_somebody"
        ),
    )

    id: Mapped[pk]
    command_no: Mapped[str] = mapped_column(unique=True, comment="ZL-260618-0004")
    meter_id: Mapped[int] = mapped_column(ForeignKey("metering.meter.id"))
    kind: Mapped[WriteKind]
    reason: Mapped[str] = mapped_column(comment="a word of switching.toml")
    note: Mapped[str]
    ticket_no: Mapped[str]
    asked_by_id: Mapped[int] = mapped_column(ForeignKey("foundation.person.id"))
    asked_by: Mapped[str]
    asked_at: Mapped[utc]
    expires_at: Mapped[utc] = mapped_column(comment="void if nobody reviewed it by then")
    reviewed_by_id: Mapped[int | None] = mapped_column(ForeignKey("foundation.person.id"))
    reviewed_by: Mapped[str | None]
    reviewed_at: Mapped[utc | None]
    opinion: Mapped[str] = mapped_column(default="")
    approved_at: Mapped[utc | None]
    send_before: Mapped[utc | None] = mapped_column(comment="never sent after this")
    ended_as: Mapped[WriteState | None] = mapped_column(comment="final state, once booked")
    ended_at: Mapped[utc | None]
    version: Mapped[int] = mapped_column(default=1)


class WriteOutcome(Base):
    """What the link's owner did with an approved command; one row per command, ever.

    A table of its own, so that the poller's database account can neither make nor approve
    a command.
    """

    __tablename__ = "write_outcome"

    request_id: Mapped[int] = mapped_column(
        ForeignKey("metering.write_request.id"), primary_key=True, autoincrement=False
    )
    taken_at: Mapped[utc] = mapped_column(comment="before the first byte is sent")
    taken_by: Mapped[str] = mapped_column(comment="poller")
    answered_at: Mapped[utc | None]
    is_verified: Mapped[bool | None] = mapped_column(comment="the terminal shows what was asked")
    error: Mapped[str | None] = mapped_column(comment="stable code of what went wrong")
    read_back: Mapped[dict[str, Any] | None] = mapped_column(comment="what the terminal showed")
