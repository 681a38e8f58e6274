"""Dated, audited settings an office lays over the packaged TOML defaults."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Mapped, Session, mapped_column

from foundation import clock
from foundation.actor import Actor
from foundation.audit import Act, record
from foundation.db import Base, pk, utc

OVERRIDDEN = Act.of("setting.overridden", "before", "after", "reason")


class Override(Base):
    """One value that replaces a packaged default from an instant on."""

    __tablename__ = "override"

    id: Mapped[pk]
    key: Mapped[str] = mapped_column(index=True, comment="file.table.key")
    value: Mapped[dict[str, Any]] = mapped_column(comment='{"value": ...}')
    valid_from: Mapped[utc]
    set_by: Mapped[str]
    reason: Mapped[str]


def values(session: Session, *, at: datetime | None = None) -> dict[str, Any]:
    """Give the overriding value of every key that has one at an instant."""
    rows = session.execute(
        select(Override.key, Override.value)
        .ext(distinct_on(Override.key))
        .where(Override.valid_from <= (at or clock.now()))
        .order_by(Override.key, Override.valid_from.desc(), Override.id.desc())
    )
    return {key: value["value"] for key, value in rows}


def override(
    session: Session,
    actor: Actor,
    key: str,
    value: object,
    *,
    reason: str,
    valid_from: datetime | None = None,
) -> None:
    """Lay a value over a packaged default; running cases keep what they began with."""
    before = values(session).get(key)
    row = Override(
        key=key,
        value={"value": value},
        valid_from=valid_from or clock.now(),
        set_by=actor.name,
        reason=reason,
    )
    session.add(row)
    record(
        session,
        actor,
        OVERRIDDEN,
        subject=("setting", key),
        before=before,
        after=value,
        reason=reason,
    )
