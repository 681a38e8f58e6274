"""When to call again, when to stop, and which answer reopens a ticket."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from callcenter.callbacks.types import Answer, CallbackRules
from foundation.worktime import quiet_until


def next_attempt_at(now: datetime, *, rule: CallbackRules, zone: ZoneInfo) -> datetime:
    """Give when to try again: some hours later, never in quiet hours.

    Args:
        now: of the attempt that failed.
        rule: hours between attempts, quiet hours.
        zone: the office's time zone.
    """
    return first_attempt_at(now + timedelta(hours=rule.retry_hours), rule=rule, zone=zone)


def first_attempt_at(now: datetime, *, rule: CallbackRules, zone: ZoneInfo) -> datetime:
    """Give when one may call: now, or at the end of quiet hours."""
    return quiet_until(now, rule.quiet, zone) or now


def reopens(answer: Answer, rule: CallbackRules) -> bool:
    """Whether an answer begins a new round: not solved, or dissatisfied."""
    if not answer.solved:
        return True
    return answer.satisfaction is not None and answer.satisfaction <= rule.dissatisfied_to
