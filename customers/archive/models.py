"""Customer, premises, account: who is supplied where; and every change of it."""

from datetime import date
from decimal import Decimal

from sqlalchemy import ForeignKey, Index, LargeBinary, Numeric, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from customers.archive.types import Category
from foundation.db import Base, pk, sealed, utc


class Customer(Base):
    """A person or firm (客户)."""

    __tablename__ = "customer"
    __table_args__ = (Index(None, "phone_hash"), Index(None, "id_no_hash"))

    id: Mapped[pk]
    name: Mapped[str]
    contact_name: Mapped[str]
    phone: Mapped[sealed | None]
    phone_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    id_no: Mapped[sealed | None] = mapped_column(comment="identity or licence number")
    id_no_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    version: Mapped[int] = mapped_column(default=1)


class Premises(Base):
    """Where electricity is used (用电地址)."""

    __tablename__ = "premises"

    id: Mapped[pk]
    address: Mapped[str] = mapped_column(unique=True)


class Account(Base):
    """One customer supplied at one metering point (户)."""

    __tablename__ = "account"

    id: Mapped[pk]
    account_no: Mapped[str] = mapped_column(unique=True, comment="户号, ten digits")
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.customer.id"), index=True)
    premises_id: Mapped[int] = mapped_column(ForeignKey("customers.premises.id"))
    point_id: Mapped[int] = mapped_column(ForeignKey("metering.point.id"), unique=True)
    category: Mapped[Category]
    tariff_code: Mapped[str | None] = mapped_column(comment="电价码")
    contract_kw: Mapped[Decimal | None] = mapped_column(
        Numeric(10, 2), comment="contract capacity (合同容量) [kW]"
    )
    life_support_until: Mapped[date | None]
    important_grade: Mapped[int | None]
    second_area_id: Mapped[int | None] = mapped_column(
        ForeignKey("metering.transformer_area.id"),
        comment="where a second supply comes from (双电源)",
    )
    pv_kwp: Mapped[Decimal | None] = mapped_column(
        Numeric(9, 2), comment="the customer's own solar plant [kW]"
    )
    opened_at: Mapped[utc]
    version: Mapped[int] = mapped_column(default=1, comment="of the archive, one a closed case")


class Amendment(Base):
    """One version of an account's archive: which case wrote it, when, from when it holds."""

    __tablename__ = "amendment"
    __table_args__ = (UniqueConstraint("account_id", "version"), Index(None, "written_at"))

    id: Mapped[pk]
    account_id: Mapped[int] = mapped_column(ForeignKey("customers.account.id"))
    case_no: Mapped[str] = mapped_column(unique=True, comment="a case writes once")
    kind: Mapped[str] = mapped_column(comment="kind of business, e.g. new supply")
    version: Mapped[int]
    effective_on: Mapped[date]
    written_by: Mapped[str]
    written_at: Mapped[utc]


class AmendmentLine(Base):
    """One field of a change, before and after; sealed, for some are identity numbers."""

    __tablename__ = "amendment_line"
    __table_args__ = (Index(None, "amendment_id"),)

    id: Mapped[pk]
    amendment_id: Mapped[int] = mapped_column(ForeignKey("customers.amendment.id"))
    thing: Mapped[str]
    field: Mapped[str]
    before: Mapped[sealed | None]
    after: Mapped[sealed | None]
    source: Mapped[str] = mapped_column(comment="step of the case the value comes from")
