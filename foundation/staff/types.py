"""What others see of persons and departments."""

from dataclasses import dataclass

from foundation.actor import Desk, Role
from foundation.errors import LostRace, Refused


class LastAdminKept(Refused):
    """The last active administrator cannot be disabled or lose the role."""

    code = "last_admin_kept"


class StaffNoTaken(Refused):
    """Another person has this staff number."""

    code = "staff_no_taken"


class PersonChanged(LostRace):
    """Somebody else saved this person first."""

    code = "person_changed"


@dataclass(frozen=True, slots=True)
class Unit:
    """A department."""

    id: int
    name_zh: str
    name_en: str
    parent_id: int | None = None
    desks: tuple[Desk, ...] = ()


@dataclass(frozen=True, slots=True)
class PersonCard:
    """A person with department and roles."""

    id: int
    staff_no: str
    name: str
    pinyin: str
    unit_id: int
    unit_zh: str
    unit_en: str
    active: bool
    version: int
    roles: tuple[Role, ...]
    desks: tuple[Desk, ...] = ()
