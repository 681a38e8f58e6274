"""Reads of persons, departments and roles."""

from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from foundation.actor import Actor, Desk, Role
from foundation.errors import NotFound
from foundation.staff.models import OrgUnit, Person, RoleGrant
from foundation.staff.types import PersonCard, Unit

_ORDER = {role: place for place, role in enumerate(Role)}


def units(session: Session) -> list[Unit]:
    """List departments by name."""
    statement = select(
        OrgUnit.id, OrgUnit.name_zh, OrgUnit.name_en, OrgUnit.parent_id, OrgUnit.desks
    )
    return [
        Unit(*row[:4], desks=_desks(row[4]))
        for row in session.execute(statement.order_by(OrgUnit.id))
    ]


def _desks(words: Collection[str]) -> tuple[Desk, ...]:
    return tuple(desk for desk in Desk if desk.value in words)


def people(
    session: Session, *, ids: Collection[int] | None = None, search: str = "", limit: int = 500
) -> list[PersonCard]:
    """List persons by staff number, roles in the order of `Role`."""
    roles = func.coalesce(
        func.array_agg(RoleGrant.role).filter(RoleGrant.role.is_not(None)), []
    ).label("roles")
    statement = (
        select(
            Person.id,
            Person.staff_no,
            Person.name,
            Person.pinyin,
            Person.unit_id,
            OrgUnit.name_zh,
            OrgUnit.name_en,
            Person.active,
            Person.version,
            roles,
            OrgUnit.desks,
        )
        .join(OrgUnit, OrgUnit.id == Person.unit_id)
        .outerjoin(RoleGrant, RoleGrant.person_id == Person.id)
        .group_by(Person.id, OrgUnit.id)
        .order_by(Person.staff_no)
        .limit(limit)
    )
    if ids is not None:
        statement = statement.where(Person.id.in_(ids))
    if search:
        name, staff_no, pinyin = (
            column.icontains(search, autoescape=True)
            for column in (Person.name, Person.staff_no, Person.pinyin)
        )
        statement = statement.where(name | staff_no | pinyin)
    return [
        PersonCard(
            *row[:9],
            roles=tuple(sorted((Role(r) for r in row[9]), key=_ORDER.__getitem__)),
            desks=_desks(row[10]),
        )
        for row in session.execute(statement)
    ]


def person(session: Session, person_id: int) -> PersonCard:
    """Give one person.

    Raises:
        NotFound: nobody has this number.
    """
    found = people(session, ids=[person_id])
    if not found:
        raise NotFound(what="person", id=person_id)
    return found[0]


def actor_of(session: Session, person_id: int) -> Actor | None:
    """Give the actor a signed-in person is; None once they are disabled."""
    found = people(session, ids=[person_id])
    if not found or not found[0].active:
        return None
    card = found[0]
    return Actor(
        id=card.id,
        name=card.name,
        roles=frozenset(card.roles),
        unit_id=card.unit_id,
        staff_no=card.staff_no,
        desks=frozenset(card.desks),
    )


def active_admins(session: Session) -> int:
    """Count active administrators."""
    statement = (
        select(func.count())
        .select_from(RoleGrant)
        .join(Person, Person.id == RoleGrant.person_id)
        .where(RoleGrant.role == Role.ADMIN, Person.active)
    )
    return int(session.scalar(statement) or 0)
