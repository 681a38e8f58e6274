"""Reads of notices."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.messages.models import Delivery, OptOut
from callcenter.messages.types import DeliveryCard, DeliveryState
from foundation.db import keyed_hash, rows_as


def deliveries(
    session: Session,
    *,
    state: DeliveryState | None = None,
    about: Collection[str] | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> list[DeliveryCard]:
    """List notices newest first.

    Args:
        session: any.
        state: only these.
        about: only notices about these numbers.
        before_id: page on below this row.
        limit: at most so many.
    """
    statement = select(
        Delivery.id,
        Delivery.template,
        Delivery.lang,
        Delivery.phone,
        Delivery.text,
        Delivery.about_type,
        Delivery.about_no,
        Delivery.state,
        Delivery.reason,
        Delivery.attempts,
        Delivery.gateway,
        Delivery.created_at,
        Delivery.finished_at,
    ).order_by(Delivery.id.desc())
    if state is not None:
        statement = statement.where(Delivery.state == state)
    if about is not None:
        statement = statement.where(Delivery.about_no.in_(about))
    if before_id is not None:
        statement = statement.where(Delivery.id < before_id)
    return rows_as(DeliveryCard, session, statement.limit(limit))


def is_opted_out(session: Session, phone: str) -> bool:
    """Whether a number wants no notices."""
    return session.get(OptOut, keyed_hash(phone)) is not None
