"""Events leave with the change that made them: a row, and one job per handler.

Signals to screens are a NOTIFY without content; they may be lost and are never relied on.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from foundation import clock, jobs
from foundation.actor import Actor
from foundation.db import Base, pk, utc
from foundation.events import Event, Signal
from foundation.metrics import EVENTS

SIGNAL_CHANNEL = "gridhall_signal"


class EventRow(Base):
    """One published event."""

    __tablename__ = "event"

    id: Mapped[pk]
    at: Mapped[utc]
    name: Mapped[str] = mapped_column(index=True)
    actor_name: Mapped[str]
    payload: Mapped[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Handler:
    """Which room's action an event calls; the action must be safe to run again."""

    event: type[Event]
    function: Callable[[Session, Actor, dict[str, Any]], None]
    why: str

    @property
    def job_name(self) -> str:
        """Name the job that delivers the event to this handler."""
        room = self.function.__module__.partition(".")[0]
        return f"{self.event.name} → {room}.{self.function.__name__}"

    def job(self) -> jobs.Job:
        """Give the job that delivers one event to this handler."""

        def deliver(session: Session, actor: Actor, *, event_id: int) -> None:
            payload = session.execute(
                select(EventRow.payload).where(EventRow.id == event_id)
            ).scalar_one()
            self.function(session, actor, payload)

        return jobs.Job(self.job_name, deliver, self.why)


_subscribed: dict[str, list[str]] = defaultdict(list)


def subscribe(handlers: Iterable[Handler]) -> None:
    """Tell the outbox who listens; called once by the wiring of each process."""
    _subscribed.clear()
    for handler in handlers:
        _subscribed[handler.event.name].append(handler.job_name)


def publish(session: Session, actor: Actor, event: Event) -> None:
    """Publish an event within the caller's transaction: it leaves if and only if that commits."""
    row = EventRow(at=clock.now(), name=event.name, actor_name=actor.name, payload=event.payload())
    session.add(row)
    session.flush()
    for job_name in _subscribed[event.name]:
        jobs.defer(session, job_name, {"event_id": row.id})
    EVENTS.labels(event.name).inc()


def signal(session: Session, *signals: Signal) -> None:
    """Hint to open screens, delivered when the caller commits."""
    for one in signals:
        content = json.dumps({"topic": one.topic, "id": one.id, "version": one.version})
        session.execute(
            text("SELECT pg_notify(:channel, :content)"),
            {"channel": SIGNAL_CHANNEL, "content": content},
        )
