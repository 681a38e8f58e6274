"""When a command may be asked for, reviewed and sent (遥控), and where it stands."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from foundation.worktime import WorkCalendar
from metering.requests.types import Check, Checked, WriteKind, WriteState


@dataclass(frozen=True, slots=True)
class Reasons:
    """The words people choose from, by command, and those that need a sentence more."""

    open: tuple[str, ...]
    close: tuple[str, ...]
    set_clock: tuple[str, ...]
    explained: tuple[str, ...]

    def of(self, kind: WriteKind) -> tuple[str, ...]:
        """Give the reasons of a command."""
        reasons: tuple[str, ...] = getattr(self, kind.value)
        return reasons


@dataclass(frozen=True, slots=True)
class Switching:
    """What switching.toml says.

    Attributes:
        review_minutes: a request is void after this [min].
        answer_seconds: an approved command must have shown by then [s].
        opens_from: start of the hours in which supply may be taken away, office time zone.
        opens_until: their end.
    """

    source: str
    review_minutes: int
    answer_seconds: int
    opens_from: str
    opens_until: str
    opens_on_working_days_only: bool
    reasons: Reasons

    @property
    def answer(self) -> timedelta:
        """Give how long an approved command may take."""
        return timedelta(seconds=self.answer_seconds)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a meter before it is switched.

    Attributes:
        never_cut: why supply is never taken away here, if so.
        never_cut_until: last day of that, None without end.
    """

    commands: frozenset[str]
    never_cut: str | None
    never_cut_until: date | None
    is_pending: bool
    is_silent: bool
    is_repair_open: bool


def is_protected(never_cut: str | None, until: date | None, today: date) -> bool:
    """Whether supply at a point is never taken away remotely on a day."""
    return never_cut is not None and (until is None or today <= until)


def is_within_hours(rules: Switching, at: datetime, calendar: WorkCalendar) -> bool:
    """Whether supply may be taken away at an instant."""
    local = at.astimezone(calendar.zone)
    if rules.opens_on_working_days_only and not calendar.is_working_day(local.date()):
        return False
    first, last = time.fromisoformat(rules.opens_from), time.fromisoformat(rules.opens_until)
    return first <= local.time() < last


def checks(
    kind: WriteKind, standing: Standing, *, rules: Switching, at: datetime, calendar: WorkCalendar
) -> list[Checked]:
    """Give every check of a command with its answer, binding ones first."""
    found = [
        Checked(Check.POSSIBLE, kind.value in standing.commands),
        Checked(Check.NOTHING_PENDING, not standing.is_pending),
    ]
    if kind is WriteKind.OPEN:
        today = at.astimezone(calendar.zone).date()
        protected = is_protected(standing.never_cut, standing.never_cut_until, today)
        found += [
            Checked(Check.NOT_PROTECTED, not protected),
            Checked(Check.NO_REPAIR, not standing.is_repair_open),
            Checked(Check.HOURS, is_within_hours(rules, at, calendar)),
        ]
    return [*found, Checked(Check.ANSWERS, not standing.is_silent, is_binding=False)]


def forbidding(found: list[Checked]) -> list[Check]:
    """Give the binding checks that failed."""
    return [one.check for one in found if one.is_binding and not one.passed]


@dataclass(frozen=True, slots=True)
class Progress:
    """The instants that decide where a command stands, all in UTC."""

    ended_as: WriteState | None
    expires_at: datetime
    send_before: datetime | None
    taken_at: datetime | None
    answered_at: datetime | None
    is_verified: bool | None


def state_of(progress: Progress, *, now: datetime, patience: timedelta) -> WriteState:
    """Say where a command stands.

    A command that was taken and never answered is timed out: it may have been done. One
    that nobody took in time has certainly not been sent.
    """
    if progress.ended_as is not None:
        return progress.ended_as
    if progress.answered_at is not None:
        return _verdict(progress)
    if progress.taken_at is not None:
        running = now < progress.taken_at + patience
        return WriteState.RUNNING if running else WriteState.TIMED_OUT
    limit = progress.send_before or progress.expires_at
    if now >= limit:
        return WriteState.EXPIRED
    return WriteState.SENT if progress.send_before else WriteState.AWAITING


def _verdict(progress: Progress) -> WriteState:
    if progress.is_verified:
        return WriteState.DONE
    return WriteState.FAILED if progress.is_verified is False else WriteState.TIMED_OUT


FINAL = frozenset(WriteState) - {WriteState.AWAITING, WriteState.SENT, WriteState.RUNNING}
