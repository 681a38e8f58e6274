"""Applications, as others see them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar

from foundation.errors import BadData, NotFound, Refused
from foundation.events import Event
from foundation.flow.limits import ClockState


class ApplicationKind(StrEnum):
    """Which business is asked for; each has a flow of the same name."""

    LOW_VOLTAGE_RESIDENT_NEW = "low_voltage_resident_new"  # 低压居民新装

    @property
    def prefix(self) -> str:
        """Give the letters its number begins with: YK for connections."""
        return "YK"


class DocumentState(StrEnum):
    """How it stands with a document a step needs (资料状态)."""

    RECEIVED = "received"  # 已收
    MISSING = "missing"  # 缺失
    PROMISED = "promised"  # 容缺
    NOT_YET = "not_yet"  # a later step needs it
    OPTIONAL = "optional"  # nobody needs it, it may be there


class StepBlocked(BadData):
    """The step cannot be completed yet; `blockers` say what is missing."""

    code = "step_blocked"

    def __init__(self, blockers: tuple["Blocker", ...], **facts: object) -> None:
        super().__init__(n=len(blockers), missing=[one.what for one in blockers], **facts)
        self.blockers = blockers


class DocumentUnknown(NotFound):
    """This business asks for no such document; facts: kind."""

    code = "document_unknown"


class PromiseRefused(Refused):
    """This document may not come later; facts: kind."""

    code = "promise_refused"


class CaseEnded(Refused):
    """The case has ended: nothing is added any more; facts: subject."""

    code = "case_ended"


class ProgressRefused(NotFound):
    """No case of this number with this code; which of both is wrong is not said."""

    code = "progress_refused"


@dataclass(frozen=True, slots=True)
class Blocker:
    """One thing that keeps a step from being completed.

    Attributes:
        kind: document or archive.
        what: which document, or which line of the archive.
    """

    kind: str
    what: str


@dataclass(frozen=True, slots=True)
class Submitted:
    """A case just taken in: its number, and the code the customer follows it with."""

    application_no: str
    code: str


@dataclass(frozen=True, slots=True)
class ApplicationCard:
    """A case as lists and pages see it; phone and id number in the open."""

    id: int
    application_no: str
    kind: ApplicationKind
    applicant_name: str
    contact_name: str
    phone: str
    id_no: str
    address: str
    customer_id: int | None
    account_no: str
    area_id: int | None
    unit_id: int | None
    load_kw: Decimal
    supply: str
    source: str
    point_id: int | None
    answers: Mapping[str, Any]
    opened_by: str
    opened_at: datetime
    ended_at: datetime | None
    case_id: int
    flow: str
    flow_version: int
    step: str
    status: str
    version: int
    entered_at: datetime
    holder_id: int | None
    holder_name: str | None
    held_at: datetime | None
    paused_at: datetime | None
    pause_reason: str | None
    returned_from: str | None
    limits: Mapping[str, Any] = field(default_factory=dict)
    clocks: tuple[ClockState, ...] = ()

    @property
    def word(self) -> str:
        """Name the case's state: paused and returned go before the flow's own word."""
        if self.paused_at is not None:
            return "paused"
        return "returned" if self.returned_from else self.status

    def clock(self, name: str) -> ClockState | None:
        """Give the newest clock of a promise or step."""
        found = [one for one in self.clocks if one.name == name]
        return max(found, key=lambda one: one.started_at, default=None)

    @property
    def running(self) -> ClockState | None:
        """Give the clock of the present step, or else the promise that is due next."""
        own = self.clock(self.step)
        if own is not None and own.met_at is None:
            return own
        return next((one for one in self.clocks if one.met_at is None), None)


@dataclass(frozen=True, slots=True)
class Paper:
    """One document of a case: what is asked, and what is there.

    Attributes:
        files: kept attachments, newest first: (attachment number, name, added by, added at).
        promised_until: day by which a promised one is owed.
    """

    kind: str
    state: DocumentState
    needed_at: str
    may_be_promised: bool
    from_customer: bool
    icon: str
    files: tuple[tuple[int, str, str, datetime], ...] = ()
    promised_until: date | None = None


@dataclass(frozen=True, slots=True)
class ApplicationNote:
    """An internal remark."""

    at: datetime
    by: str
    text: str


@dataclass(frozen=True, slots=True)
class Span:
    """A time a case spent at a step, or waited in it."""

    step: str
    start: datetime
    end: datetime
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """What a customer may know of their case.

    Attributes:
        needs: what is needed from them now: papers by kind, or `plan_reply`, `contract`.
        passed: steps with when the case came to them, oldest first.
    """

    application_no: str
    kind: ApplicationKind
    applicant_name: str
    address: str
    account_no: str
    step: str
    word: str
    stages: tuple[str, ...]
    passed: tuple[tuple[str, datetime], ...]
    needs: tuple[str, ...]
    papers: tuple[str, ...]
    promise: ClockState | None
    opened_at: datetime
    updated_at: datetime
    reason: str | None = None
    contract_kw: str | None = None
    meter_no: str | None = None


@dataclass(frozen=True, slots=True)
class LateStep:
    """A step or promise that runs past its due time."""

    application_no: str
    applicant_name: str
    step: str
    name: str
    due_at: datetime
    holder_name: str | None


@dataclass(frozen=True, slots=True)
class ApplicationAdvanced(Event):
    """Cases that moved; each entry: application_no, kind, from_step, step, status, account_no."""

    name: ClassVar[str] = "ApplicationAdvanced"
    applications: tuple[dict[str, Any], ...] = field(default=())
