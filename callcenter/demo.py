"""The demo town's crews."""

from sqlalchemy.orm import Session

from callcenter.crews.actions import add_crew
from callcenter.crews.types import CrewKind
from foundation.actor import Actor
from foundation.staff.queries import people

CREWS = {
    # name: kind, staff numbers
    "青禾一班": (CrewKind.REPAIR, ("3001", "3002")),
    "青禾二班": (CrewKind.REPAIR, ("3003",)),
    "白果坪抢修班": (CrewKind.REPAIR, ("3004",)),
    "青禾用检一组": (CrewKind.INSPECTION, ("4001", "4002")),
}


def build(session: Session, actor: Actor) -> None:
    """Make the crews."""
    persons = {person.staff_no: person for person in people(session)}
    for name, (kind, staff_nos) in CREWS.items():
        members = [persons[number] for number in staff_nos]
        add_crew(
            session,
            name,
            kind=kind,
            unit_id=members[0].unit_id,
            members=[person.id for person in members],
        )
