"""Reads of the customer archive."""

from collections.abc import Collection
from dataclasses import replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from customers.archive.models import Account, Amendment, AmendmentLine, Customer, Premises
from customers.archive.rules import plain_number
from customers.archive.types import (
    AccountCard,
    AmendmentCard,
    Contact,
    CustomerCard,
    Line,
    LineState,
    SupplyCard,
)
from foundation.actor import Scope
from foundation.db import Query, keyed_hash, rows_as
from foundation.errors import NotFound

LEAST_DIGITS = 7  # of what may be a phone or an identity number


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


def _accounts() -> Query:
    return (
        select(
            Account.id,
            Account.account_no,
            Customer.id,
            Customer.name,
            Customer.contact_name,
            Customer.phone,
            Customer.id_no,
            Premises.address,
            Account.point_id,
            Account.category,
            Account.tariff_code,
            Account.contract_kw,
            Account.life_support_until,
            Account.important_grade,
            Account.opened_at,
            Account.version,
            Account.second_area_id,
            Account.pv_kwp,
        )
        .join(Customer, Customer.id == Account.customer_id)
        .join(Premises, Premises.id == Account.premises_id)
    )


def account_cards(
    session: Session, scope: Scope, *, search: str = "", after_no: str = "", limit: int = 50
) -> list[AccountCard]:
    """List accounts by number: those a search finds, or all.

    A search is the beginning of an account number, a part of a name or address, or a whole
    phone or identity number.
    """
    del scope  # every role that may see customers sees those of all departments
    statement = _accounts().order_by(Account.account_no).limit(limit)
    if after_no:
        statement = statement.where(Account.account_no > after_no)
    if search:
        plain = search.replace(" ", "")
        found = (
            Account.account_no.startswith(plain, autoescape=True)
            | Customer.name.icontains(search, autoescape=True)
            | Premises.address.icontains(search, autoescape=True)
        )
        if _may_be_secret(plain):
            digest = keyed_hash(plain)
            found |= (Customer.phone_hash == digest) | (Customer.id_no_hash == digest)
        statement = statement.where(found)
    return rows_as(AccountCard, session, statement)


def _may_be_secret(plain: str) -> bool:
    return sum(sign.isdigit() for sign in plain) >= LEAST_DIGITS


def account_card(session: Session, account_no: str) -> AccountCard:
    """Give one account.

    Raises:
        NotFound: no account has this number.
    """
    statement = _accounts().where(Account.account_no == account_no)
    found = rows_as(AccountCard, session, statement)
    if not found:
        raise NotFound(what="account", id=account_no)
    return found[0]


def find_customers(session: Session, search: str, *, limit: int = 10) -> list[CustomerCard]:
    """List customers by a part of their name, or a whole phone, identity or account number."""
    plain = search.replace(" ", "")
    if not plain:
        return []
    found = Customer.name.icontains(search.strip(), autoescape=True)
    if _may_be_secret(plain):
        found |= Customer.id_no_hash == keyed_hash(plain)
        found |= Customer.phone_hash == keyed_hash(plain_number(plain))
        of_account = select(Account.customer_id).where(Account.account_no == plain)
        found |= Customer.id.in_(of_account)
    return _customers(session, _customer_rows().where(found).limit(limit))


def customer_card(session: Session, customer_id: int) -> CustomerCard:
    """Give one customer.

    Raises:
        NotFound: no such customer.
    """
    found = _customers(session, _customer_rows().where(Customer.id == customer_id))
    if not found:
        raise NotFound(what="customer", id=customer_id)
    return found[0]


def _customer_rows() -> Query:
    return select(
        Customer.id,
        Customer.name,
        Customer.contact_name,
        Customer.phone,
        Customer.id_no,
        Customer.version,
    ).order_by(Customer.name, Customer.id)


def _customers(session: Session, statement: Query) -> list[CustomerCard]:
    cards = rows_as(CustomerCard, session, statement)
    numbers: dict[int, list[str]] = {card.id: [] for card in cards}
    rows = session.execute(
        select(Account.customer_id, Account.account_no)
        .where(Account.customer_id.in_(numbers))
        .order_by(Account.account_no)
    )
    for customer_id, account_no in rows:
        numbers[customer_id].append(account_no)
    return [replace(card, account_nos=tuple(numbers[card.id])) for card in cards]


def same_person_or_place(
    session: Session, *, id_no: str, address: str, limit: int = 5
) -> list[AccountCard]:
    """List accounts with the same identity number or the same address."""
    found = Premises.address == address.strip()
    if id_no.strip():
        found |= Customer.id_no_hash == keyed_hash(id_no)
    statement = _accounts().where(found).order_by(Account.account_no).limit(limit)
    return rows_as(AccountCard, session, statement)


def highest_account_no(session: Session, prefix: str, *, digits: int) -> int:
    """Give the highest number in use behind a prefix, 0 if there is none."""
    pattern = f"^{prefix}[0-9]{{{digits}}}$"
    highest = session.scalar(
        select(func.max(Account.account_no)).where(Account.account_no.regexp_match(pattern))
    )
    return int(highest[len(prefix) :]) if highest else 0


def amendments(
    session: Session,
    *,
    case_no: str = "",
    account_no: str = "",
    before_id: int | None = None,
    limit: int = 50,
) -> list[AmendmentCard]:
    """List changes of the archive that were written, newest first, with their lines."""
    statement = (
        select(
            Amendment.id,
            Amendment.case_no,
            Account.account_no,
            Amendment.kind,
            Amendment.version,
            Amendment.effective_on,
            Amendment.written_by,
            Amendment.written_at,
        )
        .join(Account, Account.id == Amendment.account_id)
        .order_by(Amendment.id.desc())
        .limit(limit)
    )
    if case_no:
        statement = statement.where(Amendment.case_no == case_no)
    if account_no:
        statement = statement.where(Account.account_no == account_no)
    if before_id is not None:
        statement = statement.where(Amendment.id < before_id)
    cards = rows_as(AmendmentCard, session, statement)
    lines = _lines(session, [card.id for card in cards])
    return [replace(card, lines=tuple(lines[card.id])) for card in cards]


def _lines(session: Session, amendment_ids: Collection[int]) -> dict[int, list[Line]]:
    found: dict[int, list[Line]] = {number: [] for number in amendment_ids}
    rows = session.execute(
        select(
            AmendmentLine.amendment_id,
            AmendmentLine.thing,
            AmendmentLine.field,
            AmendmentLine.before,
            AmendmentLine.after,
            AmendmentLine.source,
        )
        .where(AmendmentLine.amendment_id.in_(found))
        .order_by(AmendmentLine.id)
    )
    for number, thing, field, before, after, source in rows:
        line = Line(thing, field, before, before, after, source, LineState.WRITTEN)
        found[number].append(line)
    return found
