"""Taking in what a customer asks for."""

import secrets
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from customers.applications import books
from customers.applications.effects import checked_area, take_intake
from customers.applications.models import Application
from customers.applications.queries.cases import reserved_numbers
from customers.applications.queries.plan import archive_now, as_kept
from customers.applications.rules import flow_of
from customers.applications.types import ApplicationAdvanced, ApplicationKind, Submitted
from customers.archive.queries import highest_account_no
from foundation import clock
from foundation.actor import Actor
from foundation.audit import Act, record
from foundation.db import keyed_hash
from foundation.errors import NotFound
from foundation.events import Signal
from foundation.flow import engine
from foundation.flow.calendar import office_calendar
from foundation.numbering import next_daily, next_running
from foundation.outbox import publish, signal
from foundation.overrides import values
from metering.api.types import Supply

ACCOUNT_PREFIX, ACCOUNT_DIGITS = "9900", 6
CODE_SIGNS, CODE_LENGTH = "23456789ABCDEFGHJKMNPQRSTUVWXYZ", 8  # nothing that looks alike

SUBMITTED = Act.of("application.submitted", "kind", "account_no", "address", "customer")
CODE_ISSUED = Act.of("application.code_issued")


def submit(
    session: Session,
    actor: Actor,
    kind: ApplicationKind,
    form: Mapping[str, Any],
    *,
    customer_id: int | None = None,
) -> Submitted:
    """Take a request in: a case at its first step, an account number reserved.

    Args:
        session: the caller's transaction.
        actor: who takes it in.
        kind: which business.
        form: the intake form as filled in, text by field.
        customer_id: a known customer; the archive as it is now is kept to compare with.

    Returns:
        The number, and the code with which the customer follows the case; only its hash
        is kept.

    Raises:
        FormRefused: fields are missing or wrong.
        NotFound: no such customer.
    """
    clean = books.forms().check("intake", form)
    place = checked_area(session, str(clean["area_no"]))
    application_no = next_daily(session, kind.prefix)
    flow = books.flows().current(flow_of(kind))
    case = engine.start(
        session,
        actor,
        flow,
        subject=application_no,
        limits=books.promises().limits(flow.name, values(session)),
        calendar=office_calendar(),
    )
    code = _new_code()
    row = Application(
        application_no=application_no,
        kind=kind,
        case_id=case.id,
        customer_id=customer_id,
        account_no=_reserve_account_no(session),
        area_id=place.area_id,
        unit_id=place.unit_id,
        load_kw=Decimal(clean["load_kw"]),
        supply=Supply(clean["supply"]),
        answers={},
        locked=as_kept(archive_now(session, customer_id)),
        settled=as_kept({}),
        code_hash=_hash(application_no, code),
        opened_by=actor.name,
        opened_at=clock.now(),
    )
    take_intake(session, actor, row, clean)
    session.add(row)
    session.flush()
    _tell(session, actor, row)
    return Submitted(application_no, code)


def _reserve_account_no(session: Session) -> str:
    above = max(
        highest_account_no(session, ACCOUNT_PREFIX, digits=ACCOUNT_DIGITS),
        reserved_numbers(session, ACCOUNT_PREFIX),
    )
    return next_running(session, ACCOUNT_PREFIX, digits=ACCOUNT_DIGITS, above=above)


def _tell(session: Session, actor: Actor, row: Application) -> None:
    record(
        session,
        actor,
        SUBMITTED,
        subject=("application", row.application_no),
        kind=row.kind,
        account_no=row.account_no,
        address=row.address,
        customer=row.customer_id,
    )
    entry = {
        "application_no": row.application_no,
        "kind": row.kind.value,
        "from_step": None,
        "step": "accept",
        "status": "in_progress",
        "account_no": row.account_no,
    }
    publish(session, actor, ApplicationAdvanced((entry,)))
    signal(session, Signal("apps"), Signal("app", row.application_no, 1))


def issue_code(session: Session, actor: Actor, application_no: str) -> str:
    """Give the customer's progress page a new code; the old one no longer fits.

    Raises:
        NotFound: no case has this number.
    """
    row = session.scalar(
        select(Application).where(Application.application_no == application_no).with_for_update()
    )
    if row is None:
        raise NotFound(what="application", id=application_no)
    code = _new_code()
    row.code_hash = _hash(application_no, code)
    record(session, actor, CODE_ISSUED, subject=("application", application_no))
    return code


def _new_code() -> str:
    return "".join(secrets.choice(CODE_SIGNS) for _ in range(CODE_LENGTH))


def _hash(application_no: str, code: str) -> bytes:
    return keyed_hash(f"progress{application_no}{code}")
