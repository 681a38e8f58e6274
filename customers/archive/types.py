"""The customer archive, as others see it."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum


class Category(StrEnum):
    """用电类别."""

    RESIDENTIAL = "residential"  # 居民生活
    COMMERCIAL = "commercial"  # 一般工商业
    INDUSTRIAL = "industrial"  # 大工业
    AGRICULTURAL = "agricultural"  # 农业生产


@dataclass(frozen=True, slots=True)
class SupplyCard:
    """Who is supplied at a metering point, and what must be known before acting.

    Attributes:
        life_support_until: a medical device at home depends on supply, registered until.
        important_grade: 重要客户 grade 1 or 2; None for others.
        pv_kwp: rated power of the customer's own solar plant [kW]; it may feed back.
    """

    point_id: int
    account_no: str
    customer_name: str
    category: Category
    address: str
    life_support_until: date | None
    important_grade: int | None
    pv_kwp: Decimal | None = None

    @property
    def is_sensitive(self) -> bool:
        """Whether an outage here is urgent by itself."""
        return self.life_support_until is not None or self.important_grade is not None


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to call at an account."""

    account_no: str
    name: str
    phone: str | None
