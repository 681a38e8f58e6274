"""Events of one call, in any order and number, make one call with one state."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime

from callcenter.calls.types import (
    AgentState,
    CallEvent,
    CallFacts,
    CallReason,
    CallState,
    EventKind,
)

_LIFE = {kind: place for place, kind in enumerate(EventKind)}


def in_order(events: Collection[CallEvent]) -> list[CallEvent]:
    """Order a call's events as they happened, each once.

    The switch's own count decides if every event has one, else its times; two events of
    one instant follow the life of a call. The order does not depend on that of arrival.

    Args:
        events: of one call, doubles included.
    """
    once = {one.event: one for one in sorted(events, key=_first_told, reverse=True)}.values()
    if all(one.sequence is not None for one in once):
        return sorted(once, key=lambda one: (one.sequence or 0, one.at, one.event))
    return sorted(once, key=lambda one: (one.at, _LIFE[one.kind], one.event))


def _first_told(one: CallEvent) -> tuple[str, datetime, str]:
    return (one.event, one.at, repr(one))


@dataclass(frozen=True, slots=True)
class _Line:
    """The line as the events so far leave it."""

    state: CallState = CallState.QUEUED
    extension: str = ""
    rang_at: datetime | None = None
    answered_at: datetime | None = None
    held_since: datetime | None = None
    held_s: int = 0
    ended_at: datetime | None = None
    seen: frozenset[EventKind] = field(default_factory=frozenset)


def merged(events: Collection[CallEvent]) -> CallFacts:
    """Say what all events of a call together mean.

    Nothing reopens a call that has ended: what the switch counts after the end adds its
    facts only.

    Args:
        events: of one call, at least one; order and doubles do not matter.

    Raises:
        ValueError: there is none.
    """
    ordered = in_order(events)
    if not ordered:
        raise ValueError("a call has at least one event")
    line = _Line()
    for one in ordered:
        line = _after(line, one)
    return CallFacts(
        state=line.state,
        caller=next((one.caller for one in ordered if one.caller), None),
        called=next((one.called for one in ordered if one.called), ""),
        extension=line.extension,
        reason=next(
            (one.reason for one in ordered if one.reason is not CallReason.NONE), CallReason.NONE
        ),
        started_at=min(one.at for one in ordered),
        rang_at=line.rang_at,
        answered_at=line.answered_at,
        held_since=line.held_since,
        held_s=line.held_s,
        ended_at=line.ended_at,
    )


def _after(line: _Line, one: CallEvent) -> _Line:
    if line.ended_at is not None:
        return line
    extension = one.extension or line.extension
    line = replace(line, extension=extension)
    match one.kind:
        case EventKind.RING | EventKind.TRANSFER:
            line = _off_hold(line, one.at)
            return replace(line, state=CallState.RINGING, rang_at=line.rang_at or one.at)
        case EventKind.ANSWER | EventKind.RESUME:
            line = _off_hold(line, one.at)
            return replace(line, state=CallState.TALKING, answered_at=line.answered_at or one.at)
        case EventKind.HOLD:
            return replace(line, state=CallState.HELD, held_since=line.held_since or one.at)
        case EventKind.HANGUP | EventKind.ABANDON:
            line = _off_hold(line, one.at)
            heard = line.answered_at is not None
            state = CallState.ENDED if heard else CallState.ABANDONED
            return replace(line, state=state, ended_at=one.at)
        case _:
            return line


def _off_hold(line: _Line, at: datetime) -> _Line:
    if line.held_since is None:
        return line
    seconds = max(0, int((at - line.held_since).total_seconds()))
    return replace(line, held_since=None, held_s=line.held_s + seconds)


def seat_for(state: CallState, *, answered: bool, finished: bool) -> AgentState:
    """Give the state a call leaves its agent in.

    Args:
        state: of the call.
        answered: whether it was answered.
        finished: whether somebody said what became of it.
    """
    if state in {CallState.RINGING, CallState.QUEUED}:
        return AgentState.RINGING
    if state.is_live:
        return AgentState.ON_CALL
    return AgentState.WRAP_UP if answered and not finished else AgentState.READY
