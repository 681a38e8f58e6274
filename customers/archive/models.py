"""Customer, premises, account: who is supplied where."""

from datetime import date
from decimal import Decimal

from sqlalchemy import ForeignKey, Index, LargeBinary, Numeric
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
    life_support_until: Mapped[date | None]
    important_grade: Mapped[int | None]
    pv_kwp: Mapped[Decimal | None] = mapped_column(
        Numeric(9, 2), comment="the customer's own solar plant [kW]"
    )
    opened_at: Mapped[utc]
    version: Mapped[int] = mapped_column(default=1)
