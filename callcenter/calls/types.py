"""Calls and seats, as others see them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from customers.api.types import SupplyCard
from foundation.errors import BadData, LostRace, NotAllowed, Refused, Unreachable


class EventKind(StrEnum):
    """What the phone switch tells of a call; the order is that of one call's life."""

    QUEUE = "queue"  # 排队
    RING = "ring"  # 振铃
    ANSWER = "answer"  # 接听
    HOLD = "hold"  # 保持
    RESUME = "resume"  # 恢复
    TRANSFER = "transfer"  # 转接
    HANGUP = "hangup"  # 挂断
    ABANDON = "abandon"  # 呼损

    @property
    def ends(self) -> bool:
        """Whether nothing can follow."""
        return self in {EventKind.HANGUP, EventKind.ABANDON}


class CallState(StrEnum):
    """Where a call stands."""

    QUEUED = "queued"
    RINGING = "ringing"
    TALKING = "talking"
    HELD = "held"
    ENDED = "ended"
    ABANDONED = "abandoned"

    @property
    def is_live(self) -> bool:
        """Whether the line is open."""
        return self not in {CallState.ENDED, CallState.ABANDONED}


class CallReason(StrEnum):
    """What the caller chose before the queue (IVR)."""

    FAULT = "fault"  # 1 故障报修
    OUTAGE = "outage"  # 2 停电查询
    BILL = "bill"  # 3 电费查询
    BUSINESS = "business"  # 4 业务办理
    COMPLAINT = "complaint"  # 5 投诉举报建议
    NONE = "none"  # 0 人工


class CallOutcome(StrEnum):
    """What became of a call."""

    TICKET = "ticket"  # 已建单
    OUTAGE = "outage"  # 已关联停电
    ADDED = "added"  # 已补充到工单
    ANSWERED = "answered"  # 已答复
    INSIDE = "inside"  # 户内故障，已指导
    WRONG_NUMBER = "wrong_number"  # 打错
    DROPPED = "dropped"  # 中断


class AgentState(StrEnum):
    """Where an agent stands (坐席状态)."""

    READY = "ready"  # 就绪
    RINGING = "ringing"  # 振铃
    ON_CALL = "on_call"  # 通话中
    WRAP_UP = "wrap_up"  # 整理
    BREAK = "break"  # 小休
    DESK_WORK = "desk_work"  # 案头
    SIGNED_OUT = "signed_out"  # 离线


CHOSEN_STATES = (AgentState.READY, AgentState.BREAK, AgentState.DESK_WORK, AgentState.SIGNED_OUT)
"""What an agent may choose; the telephone makes the others."""


NOTHING = "none"
"""The answer that nothing is dangerous."""

SYMPTOMS = ("no_power", "part_power", "low_voltage", "flicker", "trips", "meter", "other")
DANGERS = ("line_down", "smoke", "shock", "lift", "life_support", NOTHING)
BACKUPS = ("enough", "short", "none")
"""How long the backup of a life-support customer lasts: two hours or more, less, not at all."""


class SignatureRefused(NotAllowed):
    """A request of the switch is not signed as it must be; facts: why (missing, stale, wrong)."""

    code = "signature_refused"


class SwitchAway(Unreachable):
    """The door does not answer the simulated switch; facts: why."""

    code = "switch_away"


class EventKnown(Refused):
    """The event was taken before: it is not taken twice; facts: event."""

    code = "event_known"


class CallFinished(LostRace):
    """Somebody finished the call first; facts: by, at, outcome, number."""

    code = "call_finished"


class CallChanged(LostRace):
    """Somebody chose another account first; facts: by, at."""

    code = "call_changed"


class ExtensionTaken(Refused):
    """Another person sits at this extension; facts: extension, name."""

    code = "extension_taken"


class AgentBusy(Refused):
    """An agent on a call cannot choose a state; facts: agent_state."""

    code = "agent_busy"


class SafetyUnasked(BadData):
    """A fault is not logged before the safety questions are answered."""

    code = "safety_unasked"


class PlaceMissing(BadData):
    """A crew needs a place to go: an account, or an address in words."""

    code = "place_missing"


class PointMissing(BadData):
    """Only a call with a known supply point can belong to an outage."""

    code = "point_missing"


class NoteNeeded(BadData):
    """A call that leaves no ticket needs a line that says what was told."""

    code = "note_needed"


@dataclass(frozen=True, slots=True)
class CallEvent:
    """One event as the switch posts it.

    Attributes:
        sequence: the switch's own count within the call, if it has one.
        caller: telephone number; None where it is withheld.
    """

    event: str
    call: str
    kind: EventKind
    at: datetime
    sequence: int | None = None
    caller: str | None = None
    called: str = ""
    extension: str = ""
    reason: CallReason = CallReason.NONE


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What all events of a call say together.

    Attributes:
        held_s: seconds on hold that have ended.
        held_since: when the present hold began.
    """

    state: CallState
    caller: str | None
    called: str
    extension: str
    reason: CallReason
    started_at: datetime
    rang_at: datetime | None
    answered_at: datetime | None
    held_since: datetime | None
    held_s: int
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Taken:
    """What the door answers to an event."""

    call_id: int
    state: CallState
    agent_id: int | None


@dataclass(frozen=True, slots=True)
class CallCard:
    """A call as lists and the desk see it."""

    id: int
    switch_call_id: str
    state: CallState
    reason: CallReason
    caller: str | None
    extension: str
    agent_id: int | None
    agent_name: str | None
    point_id: int | None
    started_at: datetime
    rang_at: datetime | None
    answered_at: datetime | None
    held_since: datetime | None
    ended_at: datetime | None
    outcome: CallOutcome | None
    outcome_at: datetime | None
    outcome_by: str | None
    ticket_no: str | None
    outage_id: int | None
    note: str
    version: int

    @property
    def is_live(self) -> bool:
        """Whether the line is open."""
        return self.state.is_live

    @property
    def is_finished(self) -> bool:
        """Whether somebody said what became of it."""
        return self.outcome is not None


@dataclass(frozen=True, slots=True)
class SeatCard:
    """Somebody's seat.

    Attributes:
        until: when a wrap-up ends by itself.
        call_id: the call on the line, or being wrapped up.
    """

    person_id: int
    name: str
    extension: str | None
    state: AgentState
    since: datetime
    until: datetime | None
    call_id: int | None


@dataclass(frozen=True, slots=True)
class Contact:
    """One thing we had to do with a customer before."""

    at: datetime
    kind: str
    number: str
    text: str


@dataclass(frozen=True, slots=True)
class CallerView:
    """Who calls: the accounts of the number, and the one that is meant.

    Attributes:
        chosen: the account the call is about, if it is known.
        choices: all accounts of the number, the most recently used first.
    """

    chosen: SupplyCard | None
    choices: tuple[SupplyCard, ...]


@dataclass(frozen=True, slots=True)
class FaultReport:
    """What the operator logs about a fault.

    Attributes:
        title: one line that says what is wrong where.
        symptom: code of what is wrong.
        dangers: codes of what is dangerous; empty if nothing is.
        safety_asked: whether the safety questions were answered at all.
        backup: how long a life-support customer's backup lasts; empty if not asked.
        crew_id: whom to send; None leaves the ticket to the dispatcher.
    """

    title: str
    symptom: str
    dangers: tuple[str, ...]
    safety_asked: bool
    contact_name: str = ""
    contact_phone: str = ""
    address: str = ""
    description: str = ""
    backup: str = ""
    crew_id: int | None = None
    notify: bool = True
    callback: bool = True


@dataclass(frozen=True, slots=True)
class Logged:
    """What became of a logged fault."""

    outcome: CallOutcome
    ticket_no: str | None
    outage_no: str | None
