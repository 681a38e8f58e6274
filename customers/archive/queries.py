"""Reads of the customer archive."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from customers.archive.models import Account, Customer, Premises
from customers.archive.rules import plain_number
from customers.archive.types import Contact, SupplyCard
from foundation.db import Query, keyed_hash, rows_as


def _cards() -> Query:
    return (
        select(
            Account.point_id,
            Account.account_no,
            Customer.name,
            Account.category,
            Premises.address,
            Account.life_support_until,
            Account.important_grade,
            Account.pv_kwp,
        )
        .join(Customer, Customer.id == Account.customer_id)
        .join(Premises, Premises.id == Account.premises_id)
    )


def supply_cards(session: Session, point_ids: Collection[int]) -> dict[int, SupplyCard]:
    """Give who is supplied at several points; a point without an account is absent."""
    cards = rows_as(SupplyCard, session, _cards().where(Account.point_id.in_(point_ids)))
    return {card.point_id: card for card in cards}


def contact_at(session: Session, point_id: int) -> Contact | None:
    """Give whom to call about a point, phone number in the open."""
    found = rows_as(
        Contact,
        session,
        select(Account.account_no, Customer.contact_name, Customer.phone)
        .join(Customer, Customer.id == Account.customer_id)
        .where(Account.point_id == point_id),
    )
    return found[0] if found else None


def contacts_at(session: Session, point_ids: Collection[int]) -> dict[int, Contact]:
    """Give whom to call about several points; a point without an account is absent."""
    rows = session.execute(
        select(Account.point_id, Account.account_no, Customer.contact_name, Customer.phone)
        .join(Customer, Customer.id == Account.customer_id)
        .where(Account.point_id.in_(point_ids))
    )
    return {row[0]: Contact(*row[1:]) for row in rows}


def match_phone(session: Session, number: str, *, limit: int = 50) -> list[SupplyCard]:
    """Give what the customers with a telephone number are supplied with, by account number."""
    plain = plain_number(number)
    if not plain:
        return []
    statement = _cards().where(Customer.phone_hash == keyed_hash(plain))
    return rows_as(SupplyCard, session, statement.order_by(Account.account_no).limit(limit))


def points_of_search(session: Session, search: str, *, limit: int = 200) -> list[int]:
    """List the points whose account number, customer or address matches."""
    statement = (
        select(Account.point_id)
        .join(Customer, Customer.id == Account.customer_id)
        .join(Premises, Premises.id == Account.premises_id)
        .where(
            Account.account_no.startswith(search.replace(" ", ""), autoescape=True)
            | Customer.name.icontains(search, autoescape=True)
            | Premises.address.icontains(search, autoescape=True)
        )
        .order_by(Account.account_no)
        .limit(limit)
    )
    return list(session.scalars(statement))
