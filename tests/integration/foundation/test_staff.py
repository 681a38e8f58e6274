"""Persons and their roles; somebody always remains to administer the office."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from foundation.actor import Actor, Role
from foundation.audit import entries
from foundation.errors import NotFound
from foundation.staff.actions import add_person, add_unit, change_person
from foundation.staff.queries import active_admins, actor_of, people, person, units
from foundation.staff.types import LastAdminKept, PersonChanged, StaffNoTaken
from tests.factories import foundation
from tests.factories.foundation import SYSTEM


def change(session: Session, one: Actor, **facts: object) -> None:
    card = person(session, one.id or 0)
    said: dict[str, object] = {
        "version": card.version,
        "name": card.name,
        "pinyin": card.pinyin,
        "unit_id": card.unit_id,
        "active": card.active,
        "roles": card.roles,
    }
    change_person(session, SYSTEM, card.id, **said | facts)  # type: ignore[arg-type]


def test_a_department_of_a_name_exists_once(session: Session) -> None:
    first = add_unit(session, name_zh="试验一所", name_en="One")
    assert add_unit(session, name_zh="试验一所", name_en="Uno") == first
    second = add_unit(session, name_zh="试验二所", name_en="Two", parent_id=first)
    listed = {unit.id: unit for unit in units(session)}
    assert (listed[first].name_en, listed[second].parent_id) == ("One", first)


def test_a_person_acts_with_their_roles_in_the_order_of_the_office(session: Session) -> None:
    one = foundation.person(session, Role.ADMIN, Role.AGENT)
    assert one.roles == {Role.ADMIN, Role.AGENT}
    assert person(session, one.id or 0).roles == (Role.AGENT, Role.ADMIN)
    assert one.staff_no


def test_a_staff_number_belongs_to_one_person_and_the_refusal_says_whose(session: Session) -> None:
    one = foundation.person(session, Role.CREW)
    with pytest.raises(StaffNoTaken) as refused:
        add_person(
            session,
            SYSTEM,
            staff_no=one.staff_no,
            name="另一人",
            pinyin="Other",
            unit_id=one.unit_id or 0,
            roles=[Role.CREW],
        )
    assert refused.value.facts == {"staff_no": one.staff_no, "name": one.name}


def test_adding_and_changing_are_audited_with_before_and_after(session: Session) -> None:
    one = foundation.person(session, Role.CREW)
    change(session, one, name="改名", roles=[Role.CREW, Role.INSPECTOR])
    changed, added = entries(session, act="person.", subject_no=one.staff_no)
    assert added.facts["roles"] == ["crew"]
    assert (changed.facts["before"]["name"], changed.facts["after"]["name"]) == (one.name, "改名")
    assert changed.facts["after"]["roles"] == ["crew", "inspector"]


def test_roles_that_do_not_change_keep_when_they_were_granted(session: Session) -> None:
    one = foundation.person(session, Role.CREW)
    query = text("SELECT id FROM foundation.role_grant WHERE person_id = :id")
    before = session.execute(query, {"id": one.id}).scalars().all()
    change(session, one, name="改名")
    assert session.execute(query, {"id": one.id}).scalars().all() == before


def test_who_saves_second_is_told_that_somebody_saved_first(session: Session) -> None:
    one = foundation.person(session, Role.CREW)
    change(session, one, name="改名")
    with pytest.raises(PersonChanged) as lost:
        change(session, one, version=1)
    assert lost.value.facts == {"name": "改名"}


def test_a_disabled_person_no_longer_acts(session: Session) -> None:
    one = foundation.person(session, Role.CREW)
    change(session, one, active=False)
    assert actor_of(session, one.id or 0) is None
    assert actor_of(session, -1) is None


@pytest.mark.parametrize("facts", [{"active": False}, {"roles": [Role.AGENT]}])
def test_the_last_administrator_stays(session: Session, facts: dict[str, object]) -> None:
    one = foundation.person(session, Role.ADMIN)
    assert active_admins(session) == 1
    with pytest.raises(LastAdminKept) as refused:
        change(session, one, **facts)
    assert refused.value.facts == {"name": one.name}
    foundation.person(session, Role.ADMIN)
    change(session, one, **facts)
    assert active_admins(session) == 1


def test_the_last_administrator_may_be_renamed(session: Session) -> None:
    one = foundation.person(session, Role.ADMIN)
    change(session, one, name="改名")
    assert person(session, one.id or 0).name == "改名"


def test_nobody_has_a_number_that_was_never_given(session: Session) -> None:
    with pytest.raises(NotFound):
        person(session, -1)
    with pytest.raises(NotFound):
        change_person(
            session, SYSTEM, -1, version=1, name="", pinyin="", unit_id=1, active=True, roles=[]
        )


@pytest.mark.parametrize("by", ["name", "pinyin", "staff_no"])
def test_people_are_found_by_part_of_name_pinyin_or_number(session: Session, by: str) -> None:
    one = foundation.person(session, Role.CREW)
    foundation.person(session, Role.CREW)
    said = getattr(person(session, one.id or 0), by)
    assert [card.id for card in people(session, search=said[1:].lower())] == [one.id]
    assert people(session, search="%") == people(session, search="_") == []


def test_a_person_without_a_role_is_listed_with_none(session: Session) -> None:
    one = foundation.person(session)
    assert person(session, one.id or 0).roles == ()
