"""Documents of a case: handed in, promised for later, taken out again."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from customers.applications import books
from customers.applications.models import Application, ApplicationDocument
from customers.applications.queries.cases import SUBJECT, application_card
from customers.applications.queries.papers import papers
from customers.applications.types import CaseEnded, DocumentUnknown, PromiseRefused
from foundation import clock
from foundation.actor import Actor
from foundation.attachments import Attachment, AttachmentCard, draft_subject, keep
from foundation.audit import Act, record
from foundation.errors import NotFound
from foundation.events import Signal
from foundation.outbox import signal

OWED_DAYS = 10
"""Days within which a promised document is owed, if its step does not come sooner."""

ADDED = Act.of("document.added", "kind", "name", "sha256", "size")
PROMISED = Act.of("document.promised", "kind", "until")
REMOVED = Act.of("document.removed", "kind", "file")


def add_document(
    session: Session, actor: Actor, application_no: str, kind: str, *, name: str, content: bytes
) -> AttachmentCard:
    """Keep a document of a case.

    Raises:
        NotFound: no case has this number.
        DocumentUnknown: this business asks for no such document.
        CaseEnded: the case has ended.
        FileRefused: the file cannot be taken.
    """
    row = _open_case(session, application_no, kind)
    kept = keep(session, actor, subject=(SUBJECT, application_no), name=name, content=content)
    _add(session, actor, row, kind, attachment_id=kept.id)
    record(
        session,
        actor,
        ADDED,
        subject=(SUBJECT, application_no),
        kind=kind,
        name=kept.name,
        sha256=kept.sha256,
        size=kept.size,
    )
    return kept


def adopt_document(
    session: Session, actor: Actor, application_no: str, kind: str, attachment_id: int
) -> None:
    """Hand in a file its owner had put aside before the case began.

    Raises:
        NotFound: no such case, or no such file of this person's.
        DocumentUnknown, CaseEnded: as for handing one in.
    """
    row = _open_case(session, application_no, kind)
    kept = session.get(Attachment, attachment_id, with_for_update=True)
    if kept is None or (kept.subject_type, kept.subject_no) != draft_subject(actor):
        raise NotFound(what="file", id=attachment_id)
    kept.subject_type, kept.subject_no = SUBJECT, application_no
    _add(session, actor, row, kind, attachment_id=kept.id)
    record(
        session,
        actor,
        ADDED,
        subject=(SUBJECT, application_no),
        kind=kind,
        name=kept.name,
        sha256=kept.sha256,
        size=kept.size,
    )


def promise_document(session: Session, actor: Actor, application_no: str, kind: str) -> None:
    """Write down that the customer brings a document later (容缺).

    Raises:
        NotFound, DocumentUnknown, CaseEnded: as for handing one in.
        PromiseRefused: this one may not come later, or not any more.
    """
    row = _open_case(session, application_no, kind)
    card = application_card(session, application_no)
    known = next(paper for paper in papers(session, card) if paper.kind == kind)
    if not known.may_be_promised:
        raise PromiseRefused(kind=kind)
    if known.promised_until is not None:
        return
    until = clock.business_date() + timedelta(days=OWED_DAYS)
    document = _add(session, actor, row, kind, attachment_id=None)
    document.promised_until = until
    record(session, actor, PROMISED, subject=(SUBJECT, application_no), kind=kind, until=until)


def remove_document(
    session: Session, actor: Actor, application_no: str, attachment_id: int
) -> None:
    """Take a wrong file out of a case; it is kept, no longer shown.

    Raises:
        NotFound: the case has no such file.
        CaseEnded: the case has ended.
    """
    row = _open_case(session, application_no, None)
    document = session.scalar(
        select(ApplicationDocument)
        .where(
            ApplicationDocument.application_id == row.id,
            ApplicationDocument.attachment_id == attachment_id,
            ApplicationDocument.removed_at.is_(None),
        )
        .with_for_update()
    )
    if document is None:
        raise NotFound(what="file", id=attachment_id)
    document.removed_at = clock.now()
    subject = (SUBJECT, application_no)
    record(session, actor, REMOVED, subject=subject, kind=document.kind, file=attachment_id)
    signal(session, Signal("app", application_no))


def _open_case(session: Session, application_no: str, kind: str | None) -> Application:
    row = session.scalar(
        select(Application).where(Application.application_no == application_no).with_for_update()
    )
    if row is None:
        raise NotFound(what="application", id=application_no)
    if kind is not None and kind not in books.documents().flows.get(row.kind.value, {}):
        raise DocumentUnknown(kind=kind)
    if row.ended_at is not None:
        raise CaseEnded(subject=application_no)
    return row


def _add(
    session: Session, actor: Actor, row: Application, kind: str, *, attachment_id: int | None
) -> ApplicationDocument:
    document = ApplicationDocument(
        application_id=row.id,
        kind=kind,
        attachment_id=attachment_id,
        added_by=actor.name,
        added_at=clock.now(),
    )
    session.add(document)
    session.flush()
    signal(session, Signal("app", row.application_no))
    return document
