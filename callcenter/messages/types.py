"""Notices, as others see them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from foundation.errors import BadData, Unreachable
from foundation.worktime import DailySpan


class DeliveryState(StrEnum):
    """What became of a notice."""

    WAITING = "waiting"
    SENT = "sent"
    SKIPPED = "skipped"
    FAILED = "failed"


class SkipReason(StrEnum):
    """Why a notice was not sent."""

    NO_PHONE = "no_phone"
    OPTED_OUT = "opted_out"
    SUPERSEDED = "superseded"  # while it waited a newer one of the same was written
    WITHDRAWN = "withdrawn"  # while it waited it became untrue


QUIET_HOURS = "quiet_hours"
"""The reason of a notice that waits for the end of quiet hours."""


class TemplateUnknown(BadData):
    """No template has this name, or a fact of its text is missing; facts: template, fact."""

    code = "template_unknown"


class NumberWrong(BadData):
    """What was given is no telephone number."""

    code = "number_wrong"


class GatewayAway(Unreachable):
    """The gateway does not take the notice; facts: gateway, why."""

    code = "gateway_away"


@dataclass(frozen=True, slots=True)
class Template:
    """One notice in both languages.

    Attributes:
        urgent: whether it goes out in quiet hours too.
    """

    zh: str
    en: str
    urgent: bool


@dataclass(frozen=True, slots=True)
class Words:
    """A word of a notice in both languages."""

    zh: str
    en: str

    def of(self, lang: str) -> str:
        """Give it in one of them."""
        return self.en if lang == "en" else self.zh


@dataclass(frozen=True, slots=True)
class MessageBook:
    """What templates.toml says.

    Attributes:
        stages: what customers are told of steps of their case; of others they hear nothing.
    """

    source: str
    attempts: int
    retry_minutes: int
    quiet: tuple[DailySpan, ...]
    templates: dict[str, Template]
    stages: dict[str, Words]


@dataclass(frozen=True, slots=True)
class DeliveryCard:
    """A notice and what became of it.

    Attributes:
        reason: why it was skipped or waits, or what its last attempt said.
    """

    id: int
    template: str
    lang: str
    phone: str | None
    text: str
    about_type: str
    about_no: str
    state: DeliveryState
    reason: str
    attempts: int
    gateway: str
    created_at: datetime
    finished_at: datetime | None
