"""Requests to the owner of a link: reads asked for now (召测), and approved switching (遥控)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from foundation.errors import BadData, LostRace, NotAllowed, Refused
from foundation.events import Event

RELAY = "relay"
"""The control of a profile that takes supply away and gives it back."""
REQUEST_CHANNEL = "metering_request"  # NOTIFY: the links' owner looks for requests


class NoTerminal(Refused):
    """This meter has no terminal, so nobody can ask it; facts: meter_no."""

    code = "no_terminal"


class RequestState(StrEnum):
    """What became of a request."""

    ASKED = "asked"
    ANSWERED = "answered"
    FAILED = "failed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class RawBlock:
    """One block as a terminal answered it.

    Attributes:
        function: of the read.
        address: of its first register, or first bit.
        data: the reply's data bytes, in hexadecimal.
    """

    function: int
    address: int
    data: str


@dataclass(frozen=True, slots=True)
class RawRead:
    """The newest on-demand read whose reply was kept."""

    at: datetime
    asked_by: str
    blocks: tuple[RawBlock, ...]


@dataclass(frozen=True, slots=True)
class ReadRequestCard:
    """An on-demand read as a screen shows it.

    Attributes:
        error: stable code of what went wrong, if it failed.
        is_fresh: its end is still news, whatever was read since.
        seconds: from asking to the answer, if there is one.
    """

    id: int
    meter_id: int
    state: RequestState
    asked_by: str
    asked_at: datetime
    answered_at: datetime | None
    error: str | None
    is_fresh: bool = False

    @property
    def seconds(self) -> float | None:
        """Give how long the answer took [s]."""
        if self.answered_at is None:
            return None
        return (self.answered_at - self.asked_at).total_seconds()


class WriteKind(StrEnum):
    """What a terminal is told; the first two are the commands of a profile's relay."""

    OPEN = "open"  # 分闸
    CLOSE = "close"  # 合闸
    SET_CLOCK = "set_clock"  # 对时


class WriteState(StrEnum):
    """Where a command stands; all but the first four are final."""

    AWAITING = "awaiting_review"  # 待复核
    SENT = "sent"  # 已下发: approved, the link's owner has not taken it yet
    RUNNING = "running"  # 执行中
    DONE = "done"  # 成功: the terminal itself says so
    FAILED = "failed"  # 失败
    TIMED_OUT = "timed_out"  # 超时: it may have been done, nobody knows
    REJECTED = "rejected"  # 驳回
    EXPIRED = "expired"  # 已过期: never sent
    WITHDRAWN = "withdrawn"  # 已撤回


class Check(StrEnum):
    """What is looked at before a command is asked for, and again before it is approved."""

    POSSIBLE = "possible"
    NOT_PROTECTED = "not_protected"
    NOTHING_PENDING = "nothing_pending"
    HOURS = "hours"
    NO_REPAIR = "no_repair"
    ANSWERS = "answers"


class WriteRefused(Refused):
    """A check forbids the command; facts: checks, meter_no."""

    code = "write_refused"


class WriteReasonMissing(BadData):
    """A command needs a reason of the list, and a sentence where the list says so."""

    code = "write_reason_missing"


class SecondPersonNeeded(NotAllowed):
    """Whoever asked for a command may not review it."""

    code = "second_person_needed"


class MeterNotConfirmed(BadData):
    """The reviewer did not type the last four characters of the meter's number."""

    code = "meter_not_confirmed"


class OpinionMissing(BadData):
    """A review needs an opinion."""

    code = "opinion_missing"


class NeverCut(Refused):
    """Supply here is never taken away remotely."""

    code = "never_cut"


class NoRelay(Refused):
    """The meter's profile has no relay to switch."""

    code = "no_relay"


class ClockNotSet(Refused):
    """The terminal took the time and goes on showing another, or none."""

    code = "clock_not_set"


class OrderVoid(Refused):
    """The time of a command was over before it was sent."""

    code = "order_void"


class WriteChanged(LostRace):
    """Somebody reviewed or withdrew the command first, or its time is over; facts: by, at."""

    code = "write_changed"


@dataclass(frozen=True, slots=True)
class NewWrite:
    """What a command is asked for with.

    Attributes:
        reason: a word of switching.toml.
        ticket_no: the ticket it belongs to, if any.
        is_repair_open: whether a repair is under way at this point; this room knows no
            tickets, so the caller says it.
    """

    meter_id: int
    kind: WriteKind
    reason: str
    note: str = ""
    ticket_no: str = ""
    is_repair_open: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
    """The answer to one check.

    Attributes:
        passed: None where it could not be looked at.
        is_binding: a check that only warns does not stop a command.
    """

    check: Check
    passed: bool
    is_binding: bool = True


@dataclass(frozen=True, slots=True)
class WriteCard:
    """A command as screens see it; all instants in UTC.

    Attributes:
        meter_ending: what the reviewer has to type.
        error: stable code of what went wrong at the terminal.
        read_back: what the terminal showed afterwards, as the profile's control reads it.
    """

    id: int
    command_no: str
    meter_id: int
    meter_no: str
    point_id: int
    kind: WriteKind
    state: WriteState
    reason: str
    note: str
    ticket_no: str
    asked_by_id: int | None
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    reviewed_by: str | None
    reviewed_at: datetime | None
    opinion: str
    taken_at: datetime | None
    answered_at: datetime | None
    error: str | None
    read_back: dict[str, Any] | None
    version: int

    @property
    def meter_ending(self) -> str:
        """Give the last four characters of the meter's number."""
        return self.meter_no[-4:]


@dataclass(frozen=True, slots=True)
class Order:
    """An approved command the link's owner has taken and must carry out once."""

    request_id: int
    command_no: str
    meter_id: int
    kind: WriteKind


@dataclass(frozen=True, slots=True)
class WritesVerified(Event):
    """Commands that came to an end; each entry: command_no, meter_id, point_id, kind, state."""

    name: ClassVar[str] = "WritesVerified"
    writes: tuple[dict[str, Any], ...]
