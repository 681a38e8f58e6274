"""Changes of persons and their roles, audited."""

from collections.abc import Collection

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from foundation import clock
from foundation.actor import Actor, Desk, Role
from foundation.audit import Act, record
from foundation.errors import NotFound
from foundation.staff import queries
from foundation.staff.models import OrgUnit, Person, RoleGrant
from foundation.staff.types import LastAdminKept, PersonChanged, StaffNoTaken

STAFF_LOCK = 0x7374616666  # one change at a time: two admins never disable each other
PERSON_ADDED = Act.of("person.added", "name", "unit_id", "roles")
DESKS_SET = Act.of("unit.desks_set", "before", "after")
PERSON_CHANGED = Act.of("person.changed", "before", "after")


def add_unit(
    session: Session,
    *,
    name_zh: str,
    name_en: str,
    parent_id: int | None = None,
    desks: Collection[Desk] = (),
) -> int:
    """Add a department, or give the number of the one that has this name."""
    known = session.scalar(select(OrgUnit.id).where(OrgUnit.name_zh == name_zh))
    if known is not None:
        return known
    unit = OrgUnit(name_zh=name_zh, name_en=name_en, parent_id=parent_id, desks=sorted(desks))
    session.add(unit)
    session.flush()
    return unit.id


def set_desks(session: Session, actor: Actor, unit_id: int, desks: Collection[Desk]) -> None:
    """Say which work of flows a department does.

    Raises:
        NotFound: no such department.
    """
    unit = session.get(OrgUnit, unit_id, with_for_update=True)
    if unit is None:
        raise NotFound(what="unit", id=unit_id)
    before = list(unit.desks)
    if set(before) == set(desks):
        return
    unit.desks = sorted(desks)
    record(
        session,
        actor,
        DESKS_SET,
        subject=("unit", unit.name_zh),
        before=before,
        after=sorted(desks),
    )


def add_person(
    session: Session,
    actor: Actor,
    *,
    staff_no: str,
    name: str,
    pinyin: str,
    unit_id: int,
    roles: Collection[Role],
) -> int:
    """Add a person with roles; give their number.

    Raises:
        StaffNoTaken: the staff number is in use; facts: staff_no, name of its holder.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": STAFF_LOCK})
    holder = session.scalar(select(Person.name).where(Person.staff_no == staff_no))
    if holder is not None:
        raise StaffNoTaken(staff_no=staff_no, name=holder)
    person = Person(
        staff_no=staff_no, name=name, pinyin=pinyin, unit_id=unit_id, created_at=clock.now()
    )
    session.add(person)
    session.flush()
    _grant(session, actor, person.id, roles)
    record(
        session,
        actor,
        PERSON_ADDED,
        subject=("person", staff_no),
        name=name,
        unit_id=unit_id,
        roles=sorted(roles),
    )
    return person.id


def change_person(
    session: Session,
    actor: Actor,
    person_id: int,
    *,
    version: int,
    name: str,
    pinyin: str,
    unit_id: int,
    active: bool,
    roles: Collection[Role],
) -> None:
    """Save a person's data and roles as one form shows them.

    Raises:
        NotFound: nobody has this number.
        PersonChanged: somebody saved in between.
        LastAdminKept: nobody would be left to administer the office.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": STAFF_LOCK})
    row = session.get(Person, person_id, with_for_update=True)
    if row is None:
        raise NotFound(what="person", id=person_id)
    if row.version != version:
        raise PersonChanged(name=row.name)
    before = queries.person(session, person_id)
    was_admin = Role.ADMIN in before.roles and before.active
    if was_admin and not (active and Role.ADMIN in roles) and queries.active_admins(session) == 1:
        raise LastAdminKept(name=row.name)
    row.name, row.pinyin, row.unit_id, row.active = name, pinyin, unit_id, active
    row.version += 1
    if set(roles) != set(before.roles):
        session.execute(delete(RoleGrant).where(RoleGrant.person_id == person_id))
        _grant(session, actor, person_id, roles)
    record(
        session,
        actor,
        PERSON_CHANGED,
        subject=("person", row.staff_no),
        before=_facts(before.name, before.unit_id, before.roles, active=before.active),
        after=_facts(name, unit_id, roles, active=active),
    )


def _facts(name: str, unit_id: int, roles: Collection[Role], *, active: bool) -> dict[str, object]:
    return {"name": name, "unit_id": unit_id, "active": active, "roles": sorted(roles)}


def _grant(session: Session, actor: Actor, person_id: int, roles: Collection[Role]) -> None:
    session.add_all(
        RoleGrant(person_id=person_id, role=role, granted_at=clock.now(), granted_by=actor.name)
        for role in sorted(roles)
    )
    session.flush()
