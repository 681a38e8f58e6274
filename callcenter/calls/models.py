"""Calls, the events they are made of, and the agents' seats."""

from sqlalchemy import ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.calls.types import AgentState, CallOutcome, CallReason, CallState, EventKind
from foundation.db import Base, pk, sealed, utc


class Call(Base):
    """One call, as all its events together say."""

    __tablename__ = "call"
    __table_args__ = (
        Index(None, "started_at"),
        Index(None, "caller_hash", "started_at"),
        Index(None, "point_id"),
        Index(None, "agent_id", "started_at"),
        Index("ix_call_live", "started_at", postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[pk]
    switch_call_id: Mapped[str] = mapped_column(unique=True, comment="the switch's own number")
    state: Mapped[CallState]
    reason: Mapped[CallReason]
    caller: Mapped[sealed | None] = mapped_column(comment="empty where it is withheld")
    caller_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    called: Mapped[str] = mapped_column(default="")
    extension: Mapped[str] = mapped_column(default="")
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("foundation.person.id"))
    point_id: Mapped[int | None] = mapped_column(
        ForeignKey("metering.point.id"), comment="the account the call is about"
    )
    started_at: Mapped[utc]
    rang_at: Mapped[utc | None]
    answered_at: Mapped[utc | None]
    held_since: Mapped[utc | None]
    held_s: Mapped[int] = mapped_column(default=0)
    ended_at: Mapped[utc | None]
    outcome: Mapped[CallOutcome | None]
    outcome_at: Mapped[utc | None]
    outcome_by: Mapped[str | None]
    ticket_no: Mapped[str | None] = mapped_column(index=True)
    outage_id: Mapped[int | None] = mapped_column(ForeignKey("loadmgmt.outage.id"), index=True)
    note: Mapped[str] = mapped_column(default="")
    contact_name: Mapped[str | None]
    contact_phone: Mapped[sealed | None]
    notify: Mapped[bool] = mapped_column(default=False, comment="wants notices")
    callback: Mapped[bool] = mapped_column(default=False, comment="wants to be called back")
    changed_by: Mapped[str | None] = mapped_column(comment="who last chose or finished")
    changed_at: Mapped[utc | None]
    version: Mapped[int] = mapped_column(default=1, comment="of what people changed")


class CallEventRow(Base):
    """One event as the switch posted it."""

    __tablename__ = "call_event"

    id: Mapped[pk]
    event: Mapped[str] = mapped_column(unique=True, comment="the switch's number of the event")
    call_id: Mapped[int] = mapped_column(ForeignKey("callcenter.call.id"), index=True)
    kind: Mapped[EventKind]
    at: Mapped[utc]
    sequence: Mapped[int | None]
    caller: Mapped[sealed | None]
    called: Mapped[str]
    extension: Mapped[str]
    reason: Mapped[CallReason]
    taken_at: Mapped[utc]


class Seat(Base):
    """Where an agent sits, and whether they can be called."""

    __tablename__ = "seat"

    person_id: Mapped[int] = mapped_column(
        ForeignKey("foundation.person.id"), primary_key=True, autoincrement=False
    )
    extension: Mapped[str | None] = mapped_column(unique=True, comment="分机")
    state: Mapped[AgentState]
    since: Mapped[utc]
    until: Mapped[utc | None] = mapped_column(comment="a wrap-up ends by itself then")
    call_id: Mapped[int | None] = mapped_column(ForeignKey("callcenter.call.id"))


class SeatHistory(Base):
    """One change of an agent's state."""

    __tablename__ = "seat_history"
    __table_args__ = (Index(None, "person_id", "at"),)

    id: Mapped[pk]
    person_id: Mapped[int] = mapped_column(ForeignKey("foundation.person.id"))
    at: Mapped[utc]
    from_state: Mapped[AgentState | None]
    to_state: Mapped[AgentState]
    actor_name: Mapped[str]
