"""Crews and who belongs to them."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.crews.types import CrewKind
from foundation.db import Base, pk


class Crew(Base):
    """People who are sent together (班组)."""

    __tablename__ = "crew"

    id: Mapped[pk]
    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[CrewKind]
    unit_id: Mapped[int] = mapped_column(ForeignKey("foundation.org_unit.id"))
    on_shift: Mapped[bool] = mapped_column(default=True)


class CrewMember(Base):
    """One person of a crew."""

    __tablename__ = "crew_member"

    crew_id: Mapped[int] = mapped_column(ForeignKey("callcenter.crew.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(
        ForeignKey("foundation.person.id"), primary_key=True, index=True
    )
