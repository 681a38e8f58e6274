"""Promised limits: calendar minutes or working days, and the chip a clock deserves."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from foundation.worktime import WorkCalendar, add_working_days, resumed_due

ChipKind = Literal["ok", "warn", "due", "over", "pause", "done"]
PRESSING = 50
"""From this share of its time on a promise is running out [%]."""
_DUE = 75


@dataclass(frozen=True, slots=True)
class Limit:
    """A promise: so many calendar minutes, or so many working days."""

    minutes: int | None = None
    working_days: int | None = None

    def __post_init__(self) -> None:
        if (self.minutes is None) == (self.working_days is None):
            raise ValueError("give either minutes or working_days")

    def due(self, start: datetime, calendar: WorkCalendar) -> datetime:
        """Give the instant by which the promise must be kept."""
        if self.minutes is not None:
            return start + timedelta(minutes=self.minutes)
        return add_working_days(start, self.working_days or 0, calendar)

    def resumed_due(
        self, due: datetime, paused: datetime, resumed: datetime, calendar: WorkCalendar
    ) -> datetime:
        """Give the due time after a pause: minutes run on, working days are counted anew."""
        if self.minutes is not None:
            return due + (resumed - paused)
        return resumed_due(due, paused, resumed, calendar)

    def as_json(self) -> dict[str, int | None]:
        """Give it as kept with a case."""
        return {"minutes": self.minutes, "working_days": self.working_days}


@dataclass(frozen=True, slots=True)
class LateClock:
    """A clock that ran past its due time: whose case, which promise or step."""

    subject: str
    name: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class ClockState:
    """One promise of one case as a screen shows it."""

    name: str
    started_at: datetime
    due_at: datetime
    met_at: datetime | None = None
    paused_at: datetime | None = None

    def kind(self, at: datetime) -> ChipKind:
        """Name the chip: done, pause, over, or by the share of time used."""
        if self.met_at is not None:
            return "done"
        if self.paused_at is not None:
            return "pause"
        if at > self.due_at:
            return "over"
        used = self.used_pct(at)
        return "due" if used >= _DUE else "warn" if used >= PRESSING else "ok"

    def used_pct(self, at: datetime) -> int:
        """Give the share of the promised time that is used, 0 to 100."""
        total = (self.due_at - self.started_at).total_seconds()
        used = ((self.paused_at or at) - self.started_at).total_seconds()
        return 100 if total <= 0 else min(100, max(0, int(100 * used / total)))

    @property
    def was_late(self) -> bool:
        """Whether it was met after it was due."""
        return self.met_at is not None and self.met_at > self.due_at
