"""Substation, feeder, transformer area, metering point."""

from datetime import date

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from foundation.db import Base, pk
from metering.network.types import AreaClass, PointClass, Supply


class Substation(Base):
    """变电站."""

    __tablename__ = "substation"

    id: Mapped[pk]
    name: Mapped[str] = mapped_column(unique=True)


class Feeder(Base):
    """A 10 kV line out of a substation (馈线)."""

    __tablename__ = "feeder"

    id: Mapped[pk]
    feeder_no: Mapped[str] = mapped_column(unique=True, comment="F07")
    name: Mapped[str]
    substation_id: Mapped[int] = mapped_column(ForeignKey("metering.substation.id"), index=True)
    unit_id: Mapped[int] = mapped_column(
        ForeignKey("foundation.org_unit.id"), comment="supply station that answers for it"
    )


class TransformerArea(Base):
    """What one distribution transformer supplies (台区)."""

    __tablename__ = "transformer_area"

    id: Mapped[pk]
    area_no: Mapped[str] = mapped_column(unique=True, comment="TG-0712")
    name: Mapped[str]
    feeder_id: Mapped[int] = mapped_column(ForeignKey("metering.feeder.id"), index=True)
    rated_kva: Mapped[int]
    area_class: Mapped[AreaClass] = mapped_column(default=AreaClass.URBAN)


class Point(Base):
    """A metering point (计量点): where energy is handed over and measured."""

    __tablename__ = "point"

    id: Mapped[pk]
    point_no: Mapped[str] = mapped_column(unique=True, comment="P-0712-0431")
    area_id: Mapped[int] = mapped_column(ForeignKey("metering.transformer_area.id"), index=True)
    box_no: Mapped[str] = mapped_column(comment="meter box (表箱), B-0712-06", index=True)
    never_cut: Mapped[str | None] = mapped_column(
        comment="why supply here is never taken away remotely; pushed down with the archive"
    )
    never_cut_until: Mapped[date | None] = mapped_column(comment="last day; empty: no end")
    supply: Mapped[Supply]
    point_class: Mapped[PointClass] = mapped_column(
        default=PointClass.LOW_VOLTAGE, comment="decides how often it is read"
    )
