"""Reads of crews."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.crews.models import Crew, CrewMember
from callcenter.crews.types import CrewCard
from foundation.db import rows_as


def crews(session: Session) -> list[CrewCard]:
    """List crews by name."""
    statement = select(Crew.id, Crew.name, Crew.kind, Crew.unit_id, Crew.on_shift)
    return rows_as(CrewCard, session, statement.order_by(Crew.name))


def crews_of(session: Session, person_id: int | None) -> frozenset[int]:
    """Give the crews a person belongs to."""
    statement = select(CrewMember.crew_id).where(CrewMember.person_id == person_id)
    return frozenset(session.scalars(statement))
