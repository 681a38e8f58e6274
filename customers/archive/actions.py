"""Writing the archive."""

from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from customers.archive.models import Account, Customer, Premises
from customers.archive.rules import plain_number
from customers.archive.types import Category
from foundation import clock
from foundation.actor import Actor
from foundation.audit import Act, record
from foundation.db import keyed_hash

ACCOUNT_OPENED = Act.of("account.opened", "customer", "address", "point_id", "category")


def open_account(
    session: Session,
    actor: Actor,
    account_no: str,
    *,
    customer_name: str,
    contact_name: str,
    phone: str | None,
    id_no: str | None,
    address: str,
    point_id: int,
    category: Category,
    life_support_until: date | None = None,
    important_grade: int | None = None,
    pv_kwp: Decimal | None = None,
) -> int:
    """Open an account for a new customer at a point; an account that exists is left alone.

    Args:
        session: the caller's transaction.
        actor: who opens it.
        account_no: ten digits.
        customer_name: person or firm.
        contact_name: whom to call.
        phone: sealed; found again by its keyed hash.
        id_no: identity or licence number, sealed likewise.
        address: premises, made if new.
        point_id: metering point.
        category: 用电类别.
        life_support_until: end of the life-support registration.
        important_grade: 1 or 2.
        pv_kwp: rated power of the customer's own solar plant [kW].

    Returns:
        The account's row number.
    """
    known = session.scalar(select(Account.id).where(Account.account_no == account_no))
    if known is not None:
        return known
    customer = Customer(
        name=customer_name,
        contact_name=contact_name,
        phone=phone,
        phone_hash=keyed_hash(plain_number(phone)) if phone else None,
        id_no=id_no,
        id_no_hash=keyed_hash(id_no) if id_no else None,
    )
    session.add(customer)
    premises = session.scalar(select(Premises).where(Premises.address == address))
    if premises is None:
        premises = Premises(address=address)
        session.add(premises)
    session.flush()
    account = Account(
        account_no=account_no,
        customer_id=customer.id,
        premises_id=premises.id,
        point_id=point_id,
        category=category,
        life_support_until=life_support_until,
        important_grade=important_grade,
        pv_kwp=pv_kwp,
        opened_at=clock.now(),
    )
    session.add(account)
    session.flush()
    record(
        session,
        actor,
        ACCOUNT_OPENED,
        subject=("account", account_no),
        customer=customer.id,
        address=address,
        point_id=point_id,
        category=category,
    )
    return account.id
