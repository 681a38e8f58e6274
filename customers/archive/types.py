"""The customer archive, as others see it."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar

from foundation.errors import LostRace, Refused
from foundation.events import Event
from metering.api.types import Supply


class Category(StrEnum):
    """用电类别."""

    RESIDENTIAL = "residential"  # 居民生活
    COMMERCIAL = "commercial"  # 一般工商业
    INDUSTRIAL = "industrial"  # 大工业
    AGRICULTURAL = "agricultural"  # 农业生产


class AccountNoTaken(Refused):
    """An account of this number stands already; facts: account_no."""

    code = "account_no_taken"


class ArchiveConflict(LostRace):
    """The archive changed since the case was accepted; facts: n, fields."""

    code = "archive_conflict"


class ArchiveIncomplete(Refused):
    """What is to be written is not all known yet; facts: fields."""

    code = "archive_incomplete"


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


@dataclass(frozen=True, slots=True)
class CustomerCard:
    """A customer with the accounts in their name; phone and id number in the open."""

    id: int
    name: str
    contact_name: str
    phone: str | None
    id_no: str | None
    version: int
    account_nos: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AccountCard:
    """An account with its customer; phone and id number in the open."""

    id: int
    account_no: str
    customer_id: int
    customer_name: str
    contact_name: str
    phone: str | None
    id_no: str | None
    address: str
    point_id: int
    category: Category
    tariff_code: str | None
    contract_kw: Decimal | None
    life_support_until: date | None
    important_grade: int | None
    opened_at: datetime
    version: int
    second_area_id: int | None = None
    pv_kwp: Decimal | None = None


class LineState(StrEnum):
    """How sure a line of a planned change is."""

    FIXED = "fixed"  # 已定
    UNSAVED_STAGE = "unsaved_stage"  # 待提交
    MISSING = "missing"  # 待填
    WRITTEN = "written"  # 已写入
    CONFLICT = "conflict"  # 冲突


@dataclass(frozen=True, slots=True)
class Line:
    """One field of the archive as a case will write it, or has written it.

    Attributes:
        thing: customer, premises, account, supply_point, meter or terminal.
        field: which of its fields.
        locked: what the archive said when the case was accepted.
        current: what it says now; before the change, once it is written.
        after: what it will say.
        source: step of the case the value comes from.
    """

    thing: str
    field: str
    locked: str | None
    current: str | None
    after: str | None
    source: str
    state: LineState

    @property
    def key(self) -> str:
        """Name the line: customer.phone."""
        return f"{self.thing}.{self.field}"


@dataclass(frozen=True, slots=True)
class NewSupply:
    """Everything a new supply writes: customer, premises, point, account, meter, terminal.

    Attributes:
        customer_id: a known customer, or None for a new one.
        for_no: number of the case; also what the meter was drawn for.
        fitted_at: when the meter was fitted on site.
    """

    for_no: str
    account_no: str
    customer_id: int | None
    customer_name: str
    contact_name: str
    phone: str
    id_no: str
    address: str
    category: Category
    tariff_code: str
    contract_kw: Decimal
    area_id: int
    box_no: str
    supply: Supply
    meter_no: str
    fitted_at: datetime


@dataclass(frozen=True, slots=True)
class Written:
    """What the archive wrote."""

    account_id: int
    account_no: str
    point_id: int
    meter_id: int
    amendment_id: int
    version: int


@dataclass(frozen=True, slots=True)
class AmendmentCard:
    """One change of the archive that was written, with its lines."""

    id: int
    case_no: str
    account_no: str
    kind: str
    version: int
    effective_on: date
    written_by: str
    written_at: datetime
    lines: tuple[Line, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class ArchiveChanged(Event):
    """Archive versions that were written; each entry: account_no, point_id, case_no, version."""

    name: ClassVar[str] = "ArchiveChanged"
    changes: tuple[dict[str, Any], ...]
