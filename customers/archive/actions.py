"""Writing the archive."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from customers.archive.models import Account, Amendment, AmendmentLine, Customer, Premises
from customers.archive.rules import never_cut, plain_number
from customers.archive.types import (
    AccountNoTaken,
    ArchiveChanged,
    Category,
    Line,
    NewSupply,
    Written,
)
from foundation import clock
from foundation.actor import Actor
from foundation.audit import Act, record
from foundation.db import keyed_hash
from foundation.events import Signal
from foundation.outbox import publish, signal
from metering.api.devices import install_from_stock
from metering.api.network import new_point, protect_point

ACCOUNT_OPENED = Act.of("account.opened", "customer", "address", "point_id", "category")
ARCHIVE_WRITTEN = Act.of("archive.written", "case_no", "version", "fields")


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
    customer_id: int | None = None,
    tariff_code: str | None = None,
    contract_kw: Decimal | None = None,
    life_support_until: date | None = None,
    important_grade: int | None = None,
    second_area_id: int | None = None,
    pv_kwp: Decimal | None = None,
) -> int:
    """Open an account at a point; an account that exists is left alone.

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
        customer_id: a known customer, who is brought up to date; None makes a new one.
        tariff_code: 电价码.
        contract_kw: contract capacity [kW].
        life_support_until: end of the life-support registration.
        important_grade: 1 or 2.
        second_area_id: transformer area of a second supply.
        pv_kwp: capacity of the customer's own panels [kW].

    Returns:
        The account's row number.
    """
    known = session.scalar(select(Account.id).where(Account.account_no == account_no))
    if known is not None:
        return known
    customer = _customer(session, customer_id)
    customer.name, customer.contact_name = customer_name, contact_name
    customer.phone, customer.phone_hash = phone, keyed_hash(plain_number(phone)) if phone else None
    customer.id_no, customer.id_no_hash = id_no, keyed_hash(id_no) if id_no else None
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
        tariff_code=tariff_code,
        contract_kw=contract_kw,
        life_support_until=life_support_until,
        important_grade=important_grade,
        second_area_id=second_area_id,
        pv_kwp=pv_kwp,
        opened_at=clock.now(),
    )
    session.add(account)
    session.flush()
    reason, until = never_cut(life_support_until, important_grade)
    protect_point(session, point_id, reason=reason, until=until)
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


def _customer(session: Session, customer_id: int | None) -> Customer:
    if customer_id is None:
        made = Customer()
        session.add(made)
        return made
    known = session.get_one(Customer, customer_id, with_for_update=True)
    known.version += 1
    return known


def connect_supply(
    session: Session, actor: Actor, new: NewSupply, *, kind: str, lines: Sequence[Line]
) -> Written:
    """Write a new supply: customer, premises, point, account, meter and terminal, or nothing.

    Args:
        session: the one transaction of it all.
        actor: who writes.
        new: the values.
        kind: kind of business.
        lines: the same, before and after, kept with the case.

    Raises:
        AccountNoTaken: an account of this number stands already.
        StockMeterTaken, StockMeterUnfit, MeterNoTaken, PointOccupied: the meter cannot be fitted.
    """
    if session.scalar(select(Account.id).where(Account.account_no == new.account_no)) is not None:
        raise AccountNoTaken(account_no=new.account_no)
    point_id = new_point(session, area_id=new.area_id, box_no=new.box_no, supply=new.supply)
    account_id = open_account(
        session,
        actor,
        new.account_no,
        customer_name=new.customer_name,
        contact_name=new.contact_name,
        phone=new.phone,
        id_no=new.id_no,
        address=new.address,
        point_id=point_id,
        category=new.category,
        customer_id=new.customer_id,
        tariff_code=new.tariff_code,
        contract_kw=new.contract_kw,
    )
    meter_id = install_from_stock(
        session, new.meter_no, for_no=new.for_no, point_id=point_id, installed_at=new.fitted_at
    )
    amendment = _keep(session, actor, account_id, new.for_no, kind, lines)
    _tell(session, actor, new, point_id, amendment, lines)
    return Written(
        account_id=account_id,
        account_no=new.account_no,
        point_id=point_id,
        meter_id=meter_id,
        amendment_id=amendment.id,
        version=amendment.version,
    )


def _keep(
    session: Session,
    actor: Actor,
    account_id: int,
    case_no: str,
    kind: str,
    lines: Sequence[Line],
) -> Amendment:
    version = session.scalars(select(Account.version).where(Account.id == account_id)).one()
    row = Amendment(
        account_id=account_id,
        case_no=case_no,
        kind=kind,
        version=version,
        effective_on=clock.business_date(),
        written_by=actor.name,
        written_at=clock.now(),
    )
    session.add(row)
    session.flush()
    session.add_all(
        AmendmentLine(
            amendment_id=row.id,
            thing=line.thing,
            field=line.field,
            before=line.current,
            after=line.after,
            source=line.source,
        )
        for line in lines
    )
    session.flush()
    return row


def _tell(
    session: Session,
    actor: Actor,
    new: NewSupply,
    point_id: int,
    amendment: Amendment,
    lines: Sequence[Line],
) -> None:
    record(
        session,
        actor,
        ARCHIVE_WRITTEN,
        subject=("account", new.account_no),
        case_no=new.for_no,
        version=amendment.version,
        fields=[line.key for line in lines],
    )
    entry = {
        "account_no": new.account_no,
        "point_id": point_id,
        "case_no": new.for_no,
        "version": amendment.version,
    }
    publish(session, actor, ArchiveChanged((entry,)))
    signal(session, Signal("archive"), Signal("account", new.account_no, amendment.version))
