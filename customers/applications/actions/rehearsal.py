"""Trying out the write of the archive without leaving anything behind (预演)."""

from sqlalchemy.orm import Session

from customers.applications.effects import written_from
from customers.applications.queries.cases import application_card
from foundation.actor import Actor
from foundation.errors import GridhallError


def rehearse(session: Session, actor: Actor, application_no: str) -> GridhallError | None:
    """Write the archive as the archive step would, and take it all back.

    Returns:
        What would be refused; None if all of it could be written.

    Raises:
        NotFound: no case has this number.
    """
    card = application_card(session, application_no)
    point = session.begin_nested()
    try:
        written_from(session, actor, card)
    except GridhallError as refused:
        return refused
    finally:
        point.rollback()
        session.expire_all()
    return None
