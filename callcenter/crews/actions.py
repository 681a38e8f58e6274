"""Making crews."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from callcenter.crews.models import Crew, CrewMember
from callcenter.crews.types import CrewKind


def add_crew(
    session: Session, name: str, *, kind: CrewKind, unit_id: int, members: Collection[int]
) -> int:
    """Add a crew, or give the one of this name; members are added to it."""
    crew_id = session.scalar(select(Crew.id).where(Crew.name == name))
    if crew_id is None:
        row = Crew(name=name, kind=kind, unit_id=unit_id)
        session.add(row)
        session.flush()
        crew_id = row.id
    if members:
        session.execute(
            insert(CrewMember).on_conflict_do_nothing(),
            [{"crew_id": crew_id, "person_id": person} for person in members],
        )
    return crew_id
