"""Sending notices: the decision with the caller's change, the sending by a job."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from callcenter.messages.books import message_book, template_of
from callcenter.messages.gateways import gateway_of
from callcenter.messages.models import Delivery, OptOut
from callcenter.messages.queries import is_opted_out
from callcenter.messages.rules import held_until, reason_to_skip, text_of
from callcenter.messages.types import (
    QUIET_HOURS,
    DeliveryState,
    GatewayAway,
    NumberWrong,
    SkipReason,
    Template,
)
from customers.api.archive import plain_number
from foundation import clock
from foundation.actor import Actor
from foundation.audit import Act, record
from foundation.db import keyed_hash
from foundation.events import Signal
from foundation.flow.forms import PHONE
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
    """Send a notice, now or when quiet hours end, or note why not; give its row.

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
    row = Delivery(
        template=template,
        lang=lang,
        phone=phone or None,
        text=text_of(template, chosen, lang, facts),
        about_type=about[0],
        about_no=about[1],
        state=DeliveryState.WAITING,
        created_at=clock.now(),
    )
    later = _decide(session, row, chosen)
    _drop_held(session, template, about, SkipReason.SUPERSEDED, phone=phone)
    session.add(row)
    session.flush()
    if row.state is DeliveryState.WAITING:
        defer(session, DELIVER_JOB, {"delivery_id": row.id}, at=later)
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


def withdraw(session: Session, template: str, about: tuple[str, str]) -> None:
    """Take back the notices of a record that still wait, because they are no longer true."""
    _drop_held(session, template, about, SkipReason.WITHDRAWN)
    signal(session, Signal("deliveries"))


def _drop_held(
    session: Session,
    template: str,
    about: tuple[str, str],
    reason: SkipReason,
    *,
    phone: str | None = None,
) -> None:
    """Skip the notices of a record that wait for the end of quiet hours, of one number or all."""
    held = session.scalars(
        select(Delivery)
        .where(
            Delivery.template == template,
            Delivery.about_type == about[0],
            Delivery.about_no == about[1],
            Delivery.state == DeliveryState.WAITING,
            Delivery.reason == QUIET_HOURS,
        )
        .order_by(Delivery.id)
        .with_for_update()
    )
    for row in held:
        if phone is None or row.phone == phone:
            row.state, row.reason = DeliveryState.SKIPPED, reason.value
            row.finished_at = clock.now()


def deliver(session: Session, actor: Actor, *, delivery_id: int) -> None:
    """Hand one notice to the gateway; try again later while it is away, then give up."""
    row = session.scalar(
        select(Delivery)
        .where(Delivery.id == delivery_id, Delivery.state == DeliveryState.WAITING)
        .with_for_update()
    )
    if row is None:
        return
    later = _decide(session, row, template_of(row.template))
    if row.state is DeliveryState.WAITING and later is None:
        later = _attempt(row)
    if row.state is DeliveryState.WAITING:
        defer(session, DELIVER_JOB, {"delivery_id": row.id}, at=later)
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


def _decide(session: Session, row: Delivery, template: Template) -> datetime | None:
    """Skip a notice that never goes out; else give when it does, if not now."""
    phone = row.phone or ""
    skip = reason_to_skip(phone=phone, opted_out=bool(phone) and is_opted_out(session, phone))
    later = held_until(template, clock.now(), book=message_book(), zone=clock.office_zone())
    if skip is not None:
        row.state, row.reason, row.finished_at = DeliveryState.SKIPPED, skip.value, clock.now()
    else:
        row.reason = QUIET_HOURS if later else ""
    return later


def _attempt(row: Delivery) -> datetime | None:
    """Try the gateway; give when to try again, if that is worth it."""
    gateway, book = gateway_of(settings()), message_book()
    row.attempts += 1
    row.gateway = gateway.name
    try:
        gateway.send(row.id, row.phone or "", row.text)
    except GatewayAway as away:
        row.reason = str(away.facts.get("why", away.code))[:200]
        if row.attempts < book.attempts:
            return clock.now() + timedelta(minutes=book.retry_minutes)
        row.state = DeliveryState.FAILED
    else:
        row.state = DeliveryState.SENT
    row.finished_at = clock.now()
    return None


def opt_out(session: Session, actor: Actor, phone: str) -> None:
    """Send no more notices to a number.

    Raises:
        NumberWrong: no telephone number is like this.
    """
    plain = plain_number(phone)
    if not PHONE.fullmatch(plain):
        raise NumberWrong(field="phone")
    session.execute(
        insert(OptOut)
        .values(phone_hash=keyed_hash(plain), at=clock.now(), by=actor.name)
        .on_conflict_do_nothing()
    )
    record(session, actor, OPTED_OUT, subject=("number", f"…{plain[-4:]}"), ending=plain[-4:])
