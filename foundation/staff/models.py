"""Persons, departments, and who holds which role."""

from sqlalchemy import ForeignKey, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from foundation.actor import Role
from foundation.db import Base, pk, utc


class OrgUnit(Base):
    """A department, supply station or crew base (供电单位)."""

    __tablename__ = "org_unit"

    id: Mapped[pk]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("foundation.org_unit.id"))
    name_zh: Mapped[str] = mapped_column(unique=True)
    name_en: Mapped[str]
    desks: Mapped[list[str]] = mapped_column(
        ARRAY(String), server_default=text("'{}'"), comment="the work it does in flows (岗位)"
    )


class Person(Base):
    """Somebody who works here."""

    __tablename__ = "person"

    id: Mapped[pk]
    staff_no: Mapped[str] = mapped_column(unique=True, comment="工号, said aloud")
    name: Mapped[str]
    pinyin: Mapped[str] = mapped_column(comment="shown beside the name on English pages")
    unit_id: Mapped[int] = mapped_column(ForeignKey("foundation.org_unit.id"))
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[utc]
    version: Mapped[int] = mapped_column(default=1)


class RoleGrant(Base):
    """A role a person holds."""

    __tablename__ = "role_grant"
    __table_args__ = (UniqueConstraint("person_id", "role"),)

    id: Mapped[pk]
    person_id: Mapped[int] = mapped_column(ForeignKey("foundation.person.id"), index=True)
    role: Mapped[Role]
    granted_at: Mapped[utc]
    granted_by: Mapped[str]
