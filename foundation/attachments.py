"""Files people hand in: checked by their content, kept by their hash outside the web root.

The file is written first and its row in the caller's transaction, so that a row never
names a file that is not there; a file whose row was never committed is an orphan and is
removed by a job.
"""

import hashlib
import os
import re
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Index, delete, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from foundation import clock
from foundation.actor import Actor
from foundation.db import Base, pk, rows_as, utc
from foundation.errors import BadData, NotFound
from foundation.settings import settings

MEGABYTE = 1_000_000
KEEPING_LOCK = 0x66696C65  # shared by who keeps a file, alone by who clears away
LONGEST_NAME = 120
DRAFT = "draft"  # subject of a file whose case has not begun
TYPES = {
    "application/pdf": (b"%PDF-", b"%%EOF", "pdf"),
    "image/jpeg": (b"\xff\xd8\xff", b"\xff\xd9", "jpg"),
    "image/png": (b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82", "png"),
}
"""Media type: how its files begin, what stands near their end, how their names end."""
_TAIL = 2048  # how near the end


class FileRefused(BadData):
    """A file cannot be taken; facts: why (empty, too_large, not_a_document, broken), name."""

    code = "file_refused"


class Attachment(Base):
    """One file handed in for one record."""

    __tablename__ = "attachment"
    __table_args__ = (Index(None, "subject_type", "subject_no"), Index(None, "sha256"))

    id: Mapped[pk]
    subject_type: Mapped[str]
    subject_no: Mapped[str]
    name: Mapped[str] = mapped_column(comment="as the person called it, made harmless")
    media_type: Mapped[str]
    size: Mapped[int] = mapped_column(comment="bytes")
    sha256: Mapped[str] = mapped_column(comment="hexadecimal; also where the file lies")
    stored_at: Mapped[utc]
    stored_by_id: Mapped[int | None]
    stored_by: Mapped[str]


@dataclass(frozen=True, slots=True)
class AttachmentCard:
    """A kept file, as lists show it."""

    id: int
    subject_type: str
    subject_no: str
    name: str
    media_type: str
    size: int
    sha256: str
    stored_at: datetime
    stored_by: str


def media_type_of(content: bytes, *, name: str = "") -> str:
    """Say what a file is by its content; its name and what the browser says count for nothing.

    Raises:
        FileRefused: it is empty, of another kind, or cut off.
    """
    if not content:
        raise FileRefused(why="empty", name=name)
    for media_type, (head, tail, _) in TYPES.items():
        if content.startswith(head):
            if tail not in content[-_TAIL:]:
                raise FileRefused(why="broken", name=name)
            return media_type
    raise FileRefused(why="not_a_document", name=name)


def keep(
    session: Session, actor: Actor, *, subject: tuple[str, str], name: str, content: bytes
) -> AttachmentCard:
    """Keep a file for a record, within the caller's transaction.

    Args:
        session: the transaction of the row.
        actor: who hands it in.
        subject: type and number of the record.
        name: as the person called it.
        content: the bytes.

    Raises:
        FileRefused: too large, empty, or no PDF, JPEG or PNG.
    """
    said = harmless(name)
    if len(content) > settings().upload_mb * MEGABYTE:
        raise FileRefused(why="too_large", name=said, most_mb=settings().upload_mb)
    media_type = media_type_of(content, name=said)
    digest = hashlib.sha256(content).hexdigest()
    session.execute(text("SELECT pg_advisory_xact_lock_shared(:lock)"), {"lock": KEEPING_LOCK})
    _write(path_of(digest), content)
    row = Attachment(
        subject_type=subject[0],
        subject_no=subject[1],
        name=said,
        media_type=media_type,
        size=len(content),
        sha256=digest,
        stored_at=clock.now(),
        stored_by_id=actor.id,
        stored_by=actor.name,
    )
    session.add(row)
    session.flush()
    return attachments(session, [row.id])[row.id]


def draft_subject(actor: Actor) -> tuple[str, str]:
    """Give the record under which a person's files lie until their case begins."""
    return (DRAFT, str(actor.id))


def forget_drafts(session: Session, *, before: datetime, keep: Collection[int]) -> None:
    """Drop the rows of files put aside for cases that never began; the job removes the files.

    Args:
        session: the caller's transaction.
        before: only files put aside before this.
        keep: rows of files that drafts still name.
    """
    session.execute(
        delete(Attachment).where(
            Attachment.subject_type == DRAFT,
            Attachment.stored_at < before,
            Attachment.id.not_in(keep),
        )
    )


def attachments(session: Session, ids: Collection[int]) -> dict[int, AttachmentCard]:
    """Give several kept files by their row."""
    cards = rows_as(
        AttachmentCard,
        session,
        select(
            Attachment.id,
            Attachment.subject_type,
            Attachment.subject_no,
            Attachment.name,
            Attachment.media_type,
            Attachment.size,
            Attachment.sha256,
            Attachment.stored_at,
            Attachment.stored_by,
        ).where(Attachment.id.in_(ids)),
    )
    return {card.id: card for card in cards}


def path_of(sha256: str) -> Path:
    """Say where a file lies: two letters of its hash, then the hash, and no name of anybody's."""
    return settings().data_dir / "attachments" / sha256[:2] / sha256


def content_of(card: AttachmentCard) -> Path:
    """Give the file of a card, its content still what it was.

    Raises:
        NotFound: the file is gone.
        FileRefused: it is not what was kept.
    """
    path = path_of(card.sha256)
    if not path.is_file():
        raise NotFound(what="file", id=card.name)
    if hashlib.sha256(path.read_bytes()).hexdigest() != card.sha256:
        raise FileRefused(why="altered", name=card.name)
    return path


def clear_orphans(session: Session) -> int:
    """Remove files no row names; give how many. Waits for those who are keeping one now."""
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": KEEPING_LOCK})
    known = set(session.scalars(select(Attachment.sha256).distinct()))
    folder = settings().data_dir / "attachments"
    removed = 0
    for path in sorted(folder.glob("*/*")) if folder.is_dir() else []:
        if path.is_file() and path.name not in known:
            path.unlink(missing_ok=True)
            removed += 1
    return removed


def harmless(name: str) -> str:
    """Make a file's name fit to be shown and sent: no path, no control signs, not too long."""
    last = re.split(r"[/\\]", name)[-1]
    plain = re.sub(r'[\x00-\x1f\x7f"<>|:*?]', "", last).strip(". ") or "file"
    stem, dot, end = plain.rpartition(".")
    if dot and len(plain) > LONGEST_NAME:
        return f"{stem[: LONGEST_NAME - len(end) - 1]}.{end}"
    return plain[:LONGEST_NAME]


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; the same content is written once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file() and path.stat().st_size == len(content):
        return
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
