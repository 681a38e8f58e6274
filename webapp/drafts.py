"""Work not sent yet, kept on the server for thirty days: typed once, never lost.

A draft belongs to one person and one form (`call:12`); it goes when the form is sent.
Its content is sealed: what people type about customers is nobody else's business.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from foundation import clock
from foundation.actor import Actor
from foundation.attachments import forget_drafts
from foundation.db import Base, sealed, utc
from foundation.errors import BadData

LONGEST = 20_000  # signs of one draft
KEPT = timedelta(days=30)


class DraftTooLong(BadData):
    """More was typed than a draft keeps; facts: longest."""

    code = "draft_too_long"


class Draft(Base):
    """What one person has typed into one form."""

    __tablename__ = "draft"

    person_id: Mapped[int] = mapped_column(ForeignKey("foundation.person.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True, comment="which form: call:12")
    content: Mapped[sealed] = mapped_column(comment="JSON")
    saved_at: Mapped[utc] = mapped_column(index=True)


@dataclass(frozen=True, slots=True)
class Kept:
    """A form as somebody left it."""

    content: dict[str, Any]
    saved_at: datetime


def save(session: Session, actor: Actor, key: str, content: dict[str, Any]) -> None:
    """Keep what a person has typed; the last save of a key counts.

    Raises:
        DraftTooLong: there is more than a draft keeps.
    """
    text = json.dumps(content, ensure_ascii=False)
    if len(text) > LONGEST:
        raise DraftTooLong(longest=LONGEST)
    values = {"content": text, "saved_at": clock.now()}
    session.execute(
        insert(Draft)
        .values(person_id=actor.id, key=key, **values)
        .on_conflict_do_update(index_elements=["person_id", "key"], set_=values)
    )


def kept(session: Session, actor: Actor, key: str) -> Kept | None:
    """Give a person's draft of a form with its time; None if nothing, or too long ago."""
    found = session.execute(
        select(Draft.content, Draft.saved_at).where(Draft.person_id == actor.id, Draft.key == key)
    ).first()
    if found is None or found.saved_at < clock.now() - KEPT:
        return None
    return Kept(json.loads(found.content), found.saved_at)


def load(session: Session, actor: Actor, key: str) -> dict[str, Any]:
    """Give what a person has typed; empty if nothing, or too long ago."""
    found = kept(session, actor, key)
    return found.content if found else {}


def drop(session: Session, actor: Actor, key: str) -> None:
    """Forget a draft: it was sent, or given up."""
    session.execute(delete(Draft).where(Draft.person_id == actor.id, Draft.key == key))


def forget_old(session: Session, actor: Actor) -> None:  # noqa: ARG001 - a job's signature
    """Drop drafts nobody has touched for thirty days, and the files put aside with them."""
    before = clock.now() - KEPT
    session.execute(delete(Draft).where(Draft.saved_at < before))
    living = map(json.loads, session.scalars(select(Draft.content)))
    named = {number for content in living for _, number in content.get("files", [])}
    forget_drafts(session, before=before, keep=named)
