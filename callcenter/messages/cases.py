"""Customers hear where their application stands (办电进度通知)."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.messages.actions import send
from callcenter.messages.books import message_book
from callcenter.messages.models import Delivery
from customers.api.applications import application_card
from foundation.actor import Actor

TEMPLATE = "case_moved"
LANGUAGE = "zh-CN"


def tell_case_moved(session: Session, actor: Actor, payload: dict[str, Any]) -> None:
    """Write to whoever applied that a case has moved on; steps without words are our own affair.

    Told twice of the same move, it writes once: the last notice of the case says it already.

    Args:
        session: the job's transaction.
        actor: the job.
        payload: of ApplicationAdvanced.
    """
    for entry in payload["applications"]:
        words = message_book().stages.get(entry["step"])
        if words is None:
            continue
        card = application_card(session, entry["application_no"])
        about = ("application", card.application_no)
        facts = {"case_no": card.application_no, "stage": words.of(LANGUAGE)}
        last = session.scalar(
            select(Delivery.text)
            .where(Delivery.about_type == about[0], Delivery.about_no == about[1])
            .order_by(Delivery.id.desc())
            .limit(1)
        )
        if last is None or facts["stage"] not in last:
            send(session, actor, TEMPLATE, to=card.phone, lang=LANGUAGE, facts=facts, about=about)
