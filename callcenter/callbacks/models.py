"""Call-backs and the attempts at them."""

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.callbacks.types import AttemptResult, CallbackState
from foundation.db import Base, pk, sealed, utc


class Callback(Base):
    """One person to be asked whether it helped."""

    __tablename__ = "callback"
    __table_args__ = (
        UniqueConstraint("ticket_id", "round", "asked"),
        Index("ix_callback_waiting", "due_at", postgresql_where=text("closed_at IS NULL")),
    )

    id: Mapped[pk]
    ticket_id: Mapped[int] = mapped_column(ForeignKey("callcenter.ticket.id"))
    round: Mapped[int] = mapped_column(comment="of the ticket")
    asked: Mapped[str] = mapped_column(comment="ticket, or call:12; one call-back each")
    point_id: Mapped[int | None] = mapped_column(ForeignKey("metering.point.id"))
    name: Mapped[str | None]
    phone: Mapped[sealed]
    state: Mapped[CallbackState]
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[utc] = mapped_column(comment="not to be called before")
    created_at: Mapped[utc]
    closed_at: Mapped[utc | None]
    closed_by: Mapped[str | None]
    solved: Mapped[bool | None]
    satisfaction: Mapped[int | None] = mapped_column(comment="5 very satisfied to 1")
    note: Mapped[str] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=1)


class CallbackAttempt(Base):
    """One time somebody called."""

    __tablename__ = "callback_attempt"

    id: Mapped[pk]
    callback_id: Mapped[int] = mapped_column(ForeignKey("callcenter.callback.id"), index=True)
    at: Mapped[utc]
    by: Mapped[str]
    result: Mapped[AttemptResult]
    note: Mapped[str] = mapped_column(default="")
