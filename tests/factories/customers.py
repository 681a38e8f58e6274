"""The least of a customer."""

from datetime import date
from itertools import count

from sqlalchemy.orm import Session

from customers.archive.actions import open_account
from customers.archive.types import Category
from tests.factories.foundation import SYSTEM

_NUMBERS = count(9_100_000_001)


def account(
    session: Session,
    point_id: int,
    *,
    name: str = "吴小满",
    address: str = "青禾镇试验路 1 号",
    phone: str | None = "13800138000",
    life_support_until: date | None = None,
) -> str:
    """Open an account at a point; give its number."""
    account_no = str(next(_NUMBERS))
    open_account(
        session,
        SYSTEM,
        account_no,
        customer_name=name,
        contact_name=name,
        phone=phone,
        id_no=None,
        address=address,
        point_id=point_id,
        category=Category.RESIDENTIAL,
        life_support_until=life_support_until,
    )
    return account_no
