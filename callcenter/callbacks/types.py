"""Call-backs, as others see them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from foundation.errors import BadData, LostRace, Refused
from foundation.worktime import DailySpan


class CallbackState(StrEnum):
    """Where a call-back stands."""

    WAITING = "waiting"  # 待回访
    SATISFIED = "satisfied"  # 已回访
    REOPENED = "reopened"  # 未解决，重派
    GIVEN_UP = "given_up"  # 未联系上
    DROPPED = "dropped"  # 不再需要


class AttemptResult(StrEnum):
    """What became of one attempt."""

    REACHED = "reached"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    WRONG_NUMBER = "wrong_number"
    LATER = "later"


class CallbackChanged(LostRace):
    """Somebody else called first; facts: by, at, result."""

    code = "callback_changed"


class QuietHours(Refused):
    """Customers are not called now unless they asked to be; facts: until."""

    code = "quiet_hours"


class ReasonNeeded(BadData):
    """A ticket is not reopened without the reason the customer gives."""

    code = "callback_reason_missing"


@dataclass(frozen=True, slots=True)
class CallbackRules:
    """What callbacks.toml says."""

    source: str
    attempts: int
    retry_hours: int
    dissatisfied_to: int
    quiet: tuple[DailySpan, ...]


@dataclass(frozen=True, slots=True)
class CallbackCard:
    """One person to be asked whether it helped.

    Attributes:
        due_at: not to be called before.
        satisfaction: 1 to 5; None where it was not said.
    """

    id: int
    ticket_id: int
    ticket_no: str
    ticket_title: str
    point_id: int | None
    name: str | None
    phone: str
    state: CallbackState
    attempts: int
    due_at: datetime
    created_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    solved: bool | None
    satisfaction: int | None
    note: str
    round: int
    version: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One time somebody called."""

    at: datetime
    by: str
    result: AttemptResult
    note: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the customer said."""

    solved: bool
    satisfaction: int | None
    note: str = ""
