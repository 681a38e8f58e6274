"""The least of a person."""

from itertools import count

from sqlalchemy.orm import Session

from foundation.actor import Actor, Role
from foundation.staff.actions import add_person, add_unit
from foundation.staff.queries import actor_of

_NUMBERS = count(7000)
SYSTEM = Actor.system("test")


def unit(session: Session, name: str = "试验供电所") -> int:
    """Give a department."""
    return add_unit(session, name_zh=name, name_en="Test supply station")


def person(session: Session, *roles: Role, unit_id: int | None = None) -> Actor:
    """Give a person with roles."""
    number = str(next(_NUMBERS))
    person_id = add_person(
        session,
        SYSTEM,
        staff_no=number,
        name=f"试验{number}",
        pinyin=f"Test {number}",
        unit_id=unit_id or unit(session),
        roles=roles,
    )
    actor = actor_of(session, person_id)
    assert actor is not None
    return actor
