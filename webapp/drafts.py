"""Unsent work, kept on the server: a form's fields survive a closed browser and a dead server.

A draft belongs to one person and one form (`call:12`); it goes when the form is sent.
Its content is sealed: what people type about customers is nobody else's business.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, UniqueConstraint, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from foundation import clock
from foundation.db import Base, pk, sealed, utc
from foundation.errors import BadData

LONGEST = 20_000  # signs of one draft
KEPT = timedelta(days=7)
Fields = dict[str, list[str]]


class DraftTooLong(BadData):
    """More was typed than a draft keeps; facts: longest."""

    code = "draft_too_long"


class DraftRow(Base):
    """One person's unsent form."""

    __tablename__ = "draft"
    __table_args__ = (UniqueConstraint("person_id", "key"),)

    id: Mapped[pk]
    person_id: Mapped[int] = mapped_column(ForeignKey("foundation.person.id"))
    key: Mapped[str] = mapped_column(comment="which form: call:12")
    fields: Mapped[sealed] = mapped_column(comment="JSON: values by field")
    version: Mapped[int] = mapped_column(default=1)
    saved_at: Mapped[utc] = mapped_column(index=True)


@dataclass(frozen=True, slots=True)
class Draft:
    """A form as somebody left it."""

    fields: Fields
    version: int
    saved_at: datetime

    def first(self, name: str, default: str = "") -> str:
        """Give a field's only value."""
        return next(iter(self.fields.get(name, [])), default)


def keep_draft(
    session: Session, person_id: int, key: str, fields: Mapping[str, list[str]]
) -> Draft:
    """Keep a form's fields, over what was kept before.

    Raises:
        DraftTooLong: there is more than a draft keeps.
    """
    content = json.dumps({name: list(values) for name, values in fields.items()})
    if len(content) > LONGEST:
        raise DraftTooLong(longest=LONGEST)
    row = insert(DraftRow).values(
        person_id=person_id, key=key, fields=content, version=1, saved_at=clock.now()
    )
    version = session.scalar(
        row.on_conflict_do_update(
            index_elements=["person_id", "key"],
            set_={
                "fields": row.excluded.fields,
                "version": DraftRow.version + 1,
                "saved_at": row.excluded.saved_at,
            },
        ).returning(DraftRow.version)
    )
    return Draft(json.loads(content), int(version or 1), clock.now())


def draft_of(session: Session, person_id: int, key: str) -> Draft | None:
    """Give a person's draft of a form, if one is kept."""
    row = session.execute(
        select(DraftRow.fields, DraftRow.version, DraftRow.saved_at).where(
            DraftRow.person_id == person_id, DraftRow.key == key
        )
    ).first()
    return Draft(json.loads(row[0]), row[1], row[2]) if row else None


def drop_draft(session: Session, person_id: int, key: str) -> None:
    """Forget a draft: its form was sent."""
    session.execute(delete(DraftRow).where(DraftRow.person_id == person_id, DraftRow.key == key))


def drop_old(session: Session) -> None:
    """Forget drafts nobody came back to."""
    session.execute(delete(DraftRow).where(DraftRow.saved_at < clock.now() - KEPT))
