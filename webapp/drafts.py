"""Work not sent yet, kept on the server for thirty days: typed once, never lost."""

from datetime import timedelta
from typing import Any

from sqlalchemy import ForeignKey, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from foundation import clock
from foundation.actor import Actor
from foundation.attachments import forget_drafts
from foundation.db import Base, utc

KEPT = timedelta(days=30)


class Draft(Base):
    """What one person has typed into one form."""

    __tablename__ = "draft"

    person_id: Mapped[int] = mapped_column(ForeignKey("foundation.person.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[dict[str, Any]]
    saved_at: Mapped[utc]


def save(session: Session, actor: Actor, key: str, content: dict[str, Any]) -> None:
    """Keep what a person has typed; the last save of a key counts."""
    values = {"content": content, "saved_at": clock.now()}
    session.execute(
        insert(Draft)
        .values(person_id=actor.id, key=key, **values)
        .on_conflict_do_update(index_elements=["person_id", "key"], set_=values)
    )


def load(session: Session, actor: Actor, key: str) -> dict[str, Any]:
    """Give what a person has typed; empty if nothing, or too long ago."""
    found = session.execute(
        select(Draft.content, Draft.saved_at).where(Draft.person_id == actor.id, Draft.key == key)
    ).first()
    if found is None or found.saved_at < clock.now() - KEPT:
        return {}
    return dict(found.content)


def drop(session: Session, actor: Actor, key: str) -> None:
    """Forget a draft: it was sent, or given up."""
    session.execute(delete(Draft).where(Draft.person_id == actor.id, Draft.key == key))


def forget_old(session: Session, actor: Actor) -> None:  # noqa: ARG001 - a job's signature
    """Drop drafts nobody has touched for thirty days, and the files put aside with them."""
    forget_drafts(session, before=clock.now() - KEPT)
    session.execute(delete(Draft).where(Draft.saved_at < clock.now() - KEPT))
