"""Who did what to which record: append only, sealed in chained batches.

The database refuses UPDATE and DELETE on the entries, for the owner too. A job seals
entries in batches: each seal is a hash over the batch and the seal before it, so that
an altered or missing row shows in `gridhall doctor`.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from foundation import clock
from foundation.actor import Actor
from foundation.db import Base, pk, utc

SEAL_LOCK = 0x7365616C  # one sealer at a time
SETTLE = timedelta(minutes=2)  # a transaction open for longer ends at its statement timeout


@dataclass(frozen=True, slots=True)
class Act:
    """One kind of audited act, with exactly the facts it records."""

    name: str
    fields: frozenset[str]

    @classmethod
    def of(cls, name: str, *fields: str) -> "Act":
        """Declare an act."""
        return cls(name, frozenset(fields))


class AuditEntry(Base):
    """One act by one actor on one record."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index(None, "at"), Index(None, "subject_type", "subject_no"))

    id: Mapped[pk]
    at: Mapped[utc]
    act: Mapped[str]
    actor_id: Mapped[int | None] = mapped_column(
        BigInteger, comment="person; empty when the system acted"
    )
    actor_name: Mapped[str]
    subject_type: Mapped[str]
    subject_no: Mapped[str] = mapped_column(comment="the number people say, or the row's id")
    facts: Mapped[dict[str, Any]]


class AuditSeal(Base):
    """A batch of entries, hashed together with the seal before it."""

    __tablename__ = "audit_seal"

    id: Mapped[pk]
    at: Mapped[utc]
    digest: Mapped[bytes] = mapped_column(LargeBinary)


class AuditSealed(Base):
    """Which seal covers which entry."""

    __tablename__ = "audit_sealed"

    entry_id: Mapped[int] = mapped_column(
        ForeignKey("foundation.audit_entry.id"), primary_key=True, autoincrement=False
    )
    seal_id: Mapped[int] = mapped_column(ForeignKey("foundation.audit_seal.id"), index=True)


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An entry as the audit page shows it."""

    id: int
    at: datetime
    act: str
    actor_name: str
    subject_type: str
    subject_no: str
    facts: dict[str, Any]


def record(
    session: Session, actor: Actor, act: Act, *, subject: tuple[str, object], **facts: object
) -> None:
    """Write one entry into the caller's transaction.

    Args:
        session: the transaction of the change itself.
        actor: who acts.
        act: the declared kind.
        subject: type and number of the record.
        **facts: exactly the declared fields; plain values.

    Raises:
        ValueError: a fact is missing or was not declared.
    """
    if facts.keys() != act.fields:
        odd = sorted(facts.keys() ^ act.fields)
        raise ValueError(f"{act.name}: facts differ from their declaration: {odd}")
    session.add(
        AuditEntry(
            at=clock.now(),
            act=act.name,
            actor_id=actor.id,
            actor_name=actor.name,
            subject_type=subject[0],
            subject_no=str(subject[1]),
            facts=json.loads(json.dumps(facts, default=str)),
        )
    )


def entries(
    session: Session,
    *,
    actor_name: str = "",
    act: str = "",
    subject_no: str = "",
    before_id: int | None = None,
    limit: int = 50,
) -> list[AuditRow]:
    """List entries newest first, filtered by what their field starts with."""
    statement = select(
        AuditEntry.id,
        AuditEntry.at,
        AuditEntry.act,
        AuditEntry.actor_name,
        AuditEntry.subject_type,
        AuditEntry.subject_no,
        AuditEntry.facts,
    ).order_by(AuditEntry.id.desc())
    for column, wanted in (
        (AuditEntry.actor_name, actor_name),
        (AuditEntry.act, act),
        (AuditEntry.subject_no, subject_no),
    ):
        if wanted:
            statement = statement.where(column.istartswith(wanted, autoescape=True))
    if before_id is not None:
        statement = statement.where(AuditEntry.id < before_id)
    return [AuditRow(*row) for row in session.execute(statement.limit(limit))]


def seal(session: Session) -> int:
    """Seal what is settled and not yet sealed; give how many entries were sealed.

    Entries younger than two minutes wait: a transaction with an earlier number may
    still be open.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": SEAL_LOCK})
    last = session.scalar(select(AuditSeal).order_by(AuditSeal.id.desc()).limit(1))
    rows = session.scalars(
        select(AuditEntry)
        .outerjoin(AuditSealed, AuditSealed.entry_id == AuditEntry.id)
        .where(AuditSealed.entry_id.is_(None), AuditEntry.at < clock.now() - SETTLE)
        .order_by(AuditEntry.id)
        .limit(5000)
    ).all()
    if not rows:
        return 0
    sealed_now = AuditSeal(at=clock.now(), digest=_digest(last.digest if last else b"", rows))
    session.add(sealed_now)
    session.flush()
    session.execute(
        insert(AuditSealed), [{"entry_id": row.id, "seal_id": sealed_now.id} for row in rows]
    )
    return len(rows)


def first_broken_seal(session: Session) -> int | None:
    """Recompute the chain; give the number of the first seal that does not fit."""
    before = b""
    for sealed_batch in session.scalars(select(AuditSeal).order_by(AuditSeal.id)).all():
        rows = session.scalars(
            select(AuditEntry)
            .join(AuditSealed, AuditSealed.entry_id == AuditEntry.id)
            .where(AuditSealed.seal_id == sealed_batch.id)
            .order_by(AuditEntry.id)
        ).all()
        if _digest(before, rows) != sealed_batch.digest:
            return sealed_batch.id
        before = sealed_batch.digest
    return None


def _digest(before: bytes, rows: Sequence[AuditEntry]) -> bytes:
    chain = hashlib.sha256(before)
    for row in rows:
        line = [
            row.id,
            row.at.isoformat(),
            row.act,
            row.actor_id,
            row.actor_name,
            row.subject_type,
            row.subject_no,
            row.facts,
        ]
        chain.update(json.dumps(line, sort_keys=True, ensure_ascii=False).encode())
    return chain.digest()
