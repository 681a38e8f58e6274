"""Sending notices: the decision with the caller's change, the sending by a job."""

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from callcenter.messages.books import message_book, template_of
from callcenter.messages.gateways import gateway_of
from callcenter.messages.models import Delivery, OptOut
from callcenter.messages.queries import is_opted_out
from callcenter.messages.rules import reason_to_skip, text_of
from callcenter.messages.types import DeliveryState, GatewayAway
from customers.api.archive import plain_number
from foundation import clock
from foundation.actor import Actor
from foundation.audit import Act, record
from foundation.db import keyed_hash
from foundation.events import Signal
from foundation.jobs import defer
from foundation.outbox import signal
from foundation.settings import settings

DELIVER_JOB = "callcenter.deliver"
WRITTEN = Act.of("message.written", "template", "state", "reason")
DELIVERED = Act.of("message.delivered", "template", "state", "attempts")
OPTED_OUT = Act.of("message.opted_out", "ending")


def send(
    session: Session,
    actor: Actor,
    template: str,
    *,
    to: str | None,
    lang: str = "zh-CN",
    facts: Mapping[str, object],
    about: tuple[str, str],
) -> int:
    """Send a notice, or note why not; give its row.

    The row is written in the caller's transaction, the sending follows by a job.

    Args:
        session: the caller's transaction.
        actor: on whose account.
        template: name of a template.
        to: telephone number, if one is known.
        lang: zh-CN or en.
        facts: what its text needs.
        about: kind and number of the record it is about.

    Raises:
        TemplateUnknown: no such template, or a fact is missing.
    """
    chosen = template_of(template)
    phone = plain_number(to or "")
    skip = reason_to_skip(
        chosen,
        phone=phone,
        opted_out=bool(phone) and is_opted_out(session, phone),
        at=clock.now(),
        zone=clock.office_zone(),
        book=message_book(),
    )
    row = Delivery(
        template=template,
        lang=lang,
        phone=phone or None,
        text=text_of(template, chosen, lang, facts),
        about_type=about[0],
        about_no=about[1],
        state=DeliveryState.SKIPPED if skip else DeliveryState.WAITING,
        reason=skip.value if skip else "",
        created_at=clock.now(),
        finished_at=clock.now() if skip else None,
    )
    session.add(row)
    session.flush()
    if skip is None:
        defer(session, DELIVER_JOB, {"delivery_id": row.id})
    record(
        session,
        actor,
        WRITTEN,
        subject=about,
        template=template,
        state=row.state,
        reason=row.reason,
    )
    signal(session, Signal("deliveries"))
    return row.id


def deliver(session: Session, actor: Actor, *, delivery_id: int) -> None:
    """Hand one notice to the gateway; try again later while it is away, then give up."""
    row = session.scalar(
        select(Delivery)
        .where(Delivery.id == delivery_id, Delivery.state == DeliveryState.WAITING)
        .with_for_update()
    )
    if row is None or row.phone is None:
        return
    gateway, book = gateway_of(settings()), message_book()
    row.attempts += 1
    row.gateway = gateway.name
    try:
        gateway.send(row.id, row.phone, row.text)
    except GatewayAway as away:
        row.reason = str(away.facts.get("why", away.code))[:200]
        if row.attempts >= book.attempts:
            row.state, row.finished_at = DeliveryState.FAILED, clock.now()
        else:
            later = clock.now() + timedelta(minutes=book.retry_minutes)
            defer(session, DELIVER_JOB, {"delivery_id": row.id}, at=later)
    else:
        row.state, row.reason, row.finished_at = DeliveryState.SENT, "", clock.now()
    record(
        session,
        actor,
        DELIVERED,
        subject=(row.about_type, row.about_no),
        template=row.template,
        state=row.state,
        attempts=row.attempts,
    )
    signal(session, Signal("deliveries"))


def opt_out(session: Session, actor: Actor, phone: str) -> None:
    """Send no more notices to a number."""
    plain = plain_number(phone)
    if not plain:
        return
    session.execute(
        insert(OptOut)
        .values(phone_hash=keyed_hash(plain), at=clock.now(), by=actor.name)
        .on_conflict_do_nothing()
    )
    record(session, actor, OPTED_OUT, subject=("number", f"…{plain[-4:]}"), ending=plain[-4:])
