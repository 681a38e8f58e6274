"""What a customer may know of their case, and whether the code is theirs."""

import hmac

from sqlalchemy import select
from sqlalchemy.orm import Session

from customers.applications import books
from customers.applications.models import Application
from customers.applications.queries.cases import application_card
from customers.applications.queries.papers import papers
from customers.applications.rules import customer_needs, flow_of
from customers.applications.types import ApplicationKind, DocumentState, Progress, ProgressRefused
from foundation.db import keyed_hash
from foundation.errors import NotFound
from foundation.flow.engine import history
from foundation.overrides import values


def progress(session: Session, application_no: str) -> Progress:
    """Give what a customer may know of a case; who may is the caller's question.

    Raises:
        ProgressRefused: no case has this number.
    """
    try:
        card = application_card(session, application_no)
    except NotFound as error:
        raise ProgressRefused from error
    past = history(session, card.case_id)
    theirs = [paper for paper in papers(session, card) if paper.from_customer]
    owed = [
        paper.kind
        for paper in theirs
        if paper.state in {DocumentState.MISSING, DocumentState.PROMISED}
    ]
    missing = [] if card.ended_at else owed
    flow = books.flows().version(card.flow, card.flow_version)
    survey = card.answers.get("survey", {})
    return Progress(
        application_no=card.application_no,
        kind=card.kind,
        applicant_name=card.applicant_name,
        address=card.address,
        account_no=card.account_no,
        step=card.step,
        word=card.word,
        stages=flow.stages,
        passed=tuple((one.to_step, one.at) for one in past if one.from_step != one.to_step),
        needs=()
        if card.ended_at
        else customer_needs(card.step, paused=card.pause_reason, missing=missing),
        papers=tuple(missing),
        promise=card.clock("whole"),
        opened_at=card.opened_at,
        updated_at=past[-1].at,
        reason=past[-1].note if card.status == "refused" else None,
        contract_kw=survey.get("approved_kw"),
        meter_no=card.answers.get("fit_meter", {}).get("meter_no"),
    )


def code_fits(session: Session, application_no: str, code: str) -> bool:
    """Whether a code is that of a case; an unknown number fits none."""
    known = session.scalar(
        select(Application.code_hash).where(Application.application_no == application_no)
    )
    return hmac.compare_digest(known or b"", keyed_hash(f"progress{application_no}{code}"))


def promised_days(session: Session, kind: ApplicationKind) -> int | None:
    """Give in how many working days a case that begins now is promised to be done."""
    limit = books.promises().limits(flow_of(kind), values(session)).get("whole")
    return None if limit is None else limit.working_days
