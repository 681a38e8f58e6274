"""The documents of a case: what is asked, and what is there."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from customers.applications import books
from customers.applications.models import ApplicationDocument
from customers.applications.rules import state_of
from customers.applications.types import ApplicationCard, Paper
from foundation.attachments import AttachmentCard, attachments
from foundation.errors import NotFound


def papers(session: Session, card: ApplicationCard) -> list[Paper]:
    """List the documents of a case in the order of the flow, with what is there of each."""
    rows = session.execute(
        select(
            ApplicationDocument.kind,
            ApplicationDocument.attachment_id,
            ApplicationDocument.promised_until,
        )
        .where(
            ApplicationDocument.application_id == card.id, ApplicationDocument.removed_at.is_(None)
        )
        .order_by(ApplicationDocument.id.desc())
    ).all()
    kept = attachments(session, [row[1] for row in rows if row[1] is not None])
    stages = books.flows().version(card.flow, card.flow_version).stages
    found = []
    for kind, rule in books.documents().flows.get(card.flow, {}).items():
        files = [kept[row[1]] for row in rows if row[0] == kind and row[1] in kept]
        promised = [row[2] for row in rows if row[0] == kind and row[1] is None]
        state = state_of(
            rule, has_file=bool(files), is_promised=bool(promised), step=card.step, stages=stages
        )
        found.append(
            Paper(
                kind=kind,
                state=state,
                needed_at=rule.needed_at,
                may_be_promised=_may_be_promised(rule.promised_until, card.step, stages),
                from_customer=rule.from_customer,
                icon=rule.icon,
                files=tuple((f.id, f.name, f.stored_by, f.stored_at) for f in files),
                promised_until=promised[0] if promised else None,
            )
        )
    return found


def _may_be_promised(until: str, step: str, stages: Sequence[str]) -> bool:
    return bool(until) and step in stages and stages.index(step) < stages.index(until)


def document_file(session: Session, card: ApplicationCard, attachment_id: int) -> AttachmentCard:
    """Give a file of a case.

    Raises:
        NotFound: the case has no such file, or it was removed.
    """
    known = session.scalar(
        select(ApplicationDocument.id).where(
            ApplicationDocument.application_id == card.id,
            ApplicationDocument.attachment_id == attachment_id,
            ApplicationDocument.removed_at.is_(None),
        )
    )
    if known is None:
        raise NotFound(what="file", id=attachment_id)
    return attachments(session, [attachment_id])[attachment_id]
