"""Cases: where each stands, how it came there, and what was promised."""

from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from foundation.db import Base, pk, utc


class FlowCase(Base):
    """One case on its way through one version of a flow."""

    __tablename__ = "flow_case"
    __table_args__ = (Index(None, "flow", "step"),)

    id: Mapped[pk]
    flow: Mapped[str]
    flow_version: Mapped[int]
    subject: Mapped[str] = mapped_column(comment="the number people say")
    step: Mapped[str]
    status: Mapped[str] = mapped_column(index=True)
    limits: Mapped[dict[str, Any]] = mapped_column(comment="what was promised when it began")
    version: Mapped[int] = mapped_column(default=1)
    started_at: Mapped[utc]
    entered_at: Mapped[utc] = mapped_column(comment="when it came to this step")
    ended_at: Mapped[utc | None]
    holder_id: Mapped[int | None] = mapped_column(comment="who has taken the step")
    holder_name: Mapped[str | None]
    held_at: Mapped[utc | None]
    paused_at: Mapped[utc | None] = mapped_column(comment="since when it waits")
    pause_reason: Mapped[str | None] = mapped_column(comment="one of the flow's reasons")
    returned_from: Mapped[str | None] = mapped_column(comment="step that sent it back here")


class FlowHistory(Base):
    """One move of one case."""

    __tablename__ = "flow_history"
    __table_args__ = (UniqueConstraint("case_id", "version"),)

    id: Mapped[pk]
    case_id: Mapped[int] = mapped_column(ForeignKey("foundation.flow_case.id"))
    version: Mapped[int] = mapped_column(comment="the case's version after the move")
    move: Mapped[str]
    from_step: Mapped[str | None]
    to_step: Mapped[str]
    actor_id: Mapped[int | None] = mapped_column(BigInteger)
    actor_name: Mapped[str]
    at: Mapped[utc] = mapped_column(comment="when it was recorded")
    done_at: Mapped[utc] = mapped_column(comment="when it was done, by the doer's own clock")
    note: Mapped[str] = mapped_column(default="")
    form: Mapped[dict[str, Any]]


class FlowClock(Base):
    """One promise of one case: when it is due, and when it was met."""

    __tablename__ = "flow_clock"
    __table_args__ = (
        Index("ix_flow_clock_running", "due_at", postgresql_where=text("met_at IS NULL")),
        Index(None, "case_id"),
    )

    id: Mapped[pk]
    case_id: Mapped[int] = mapped_column(ForeignKey("foundation.flow_case.id"))
    name: Mapped[str]
    started_at: Mapped[utc]
    due_at: Mapped[utc]
    met_at: Mapped[utc | None]
    paused_at: Mapped[utc | None]
    late_noted_at: Mapped[utc | None] = mapped_column(comment="when lateness was told, once")
