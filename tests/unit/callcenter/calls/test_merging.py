"""Events of one call in any order and number make one call."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.calls.rules.merging import in_order, merged, seat_for
from callcenter.calls.types import (
    AgentState,
    CallEvent,
    CallReason,
    CallState,
    EventKind,
)

START = datetime(2026, 6, 18, 11, 47, 20, tzinfo=UTC)
K = EventKind


def event(
    number: int, kind: EventKind, second: float, *, sequence: int | None = None, extension: str = ""
) -> CallEvent:
    return CallEvent(
        event=f"e{number}",
        call="c1",
        kind=kind,
        at=START + timedelta(seconds=second),
        sequence=sequence,
        caller="13000000421" if kind is K.QUEUE else None,
        called="95598" if kind is K.QUEUE else "",
        extension=extension or ("2047" if kind is K.RING else ""),
        reason=CallReason.FAULT if kind is K.QUEUE else CallReason.NONE,
    )


LIFE = [
    event(1, K.QUEUE, 0),
    event(2, K.RING, 5),
    event(3, K.ANSWER, 9),
    event(4, K.HOLD, 60),
    event(5, K.RESUME, 75),
    event(6, K.HANGUP, 200),
]


def test_a_whole_life_in_order() -> None:
    facts = merged(LIFE)
    assert facts.state is CallState.ENDED
    assert (facts.caller, facts.called, facts.extension) == ("13000000421", "95598", "2047")
    assert facts.reason is CallReason.FAULT
    assert facts.started_at == START
    assert facts.rang_at == START + timedelta(seconds=5)
    assert facts.answered_at == START + timedelta(seconds=9)
    assert facts.held_s == 15
    assert facts.held_since is None
    assert facts.ended_at == START + timedelta(seconds=200)


@pytest.mark.parametrize(
    ("upto", "state"),
    [
        (1, CallState.QUEUED),
        (2, CallState.RINGING),
        (3, CallState.TALKING),
        (4, CallState.HELD),
        (5, CallState.TALKING),
        (6, CallState.ENDED),
    ],
)
def test_each_event_moves_the_call_on(upto: int, state: CallState) -> None:
    assert merged(LIFE[:upto]).state is state


def test_a_call_nobody_answered_is_abandoned_however_the_switch_calls_its_end() -> None:
    for kind in (K.ABANDON, K.HANGUP):
        assert merged([LIFE[0], LIFE[1], event(9, kind, 30)]).state is CallState.ABANDONED


def test_a_transfer_rings_at_the_other_extension_and_keeps_the_first_answer() -> None:
    facts = merged([*LIFE[:3], event(7, K.TRANSFER, 40, extension="2048")])
    assert (facts.state, facts.extension) == (CallState.RINGING, "2048")
    assert facts.answered_at == START + timedelta(seconds=9)


def test_the_end_stands_whatever_comes_after_it() -> None:
    late = event(8, K.RESUME, 300)
    assert merged([*LIFE, late]).state is CallState.ENDED
    assert merged([*LIFE, late]).ended_at == START + timedelta(seconds=200)


def test_the_switchs_own_count_decides_against_its_clock() -> None:
    counted = [
        event(1, K.QUEUE, 9, sequence=1),
        event(2, K.RING, 8, sequence=2),
        event(3, K.ANSWER, 7, sequence=3),
    ]
    assert merged(counted).state is CallState.TALKING


def test_one_uncounted_event_makes_the_clock_decide_for_all() -> None:
    mixed = [event(1, K.RING, 1, sequence=9), event(2, K.ANSWER, 2, sequence=None)]
    assert [one.kind for one in in_order(mixed)] == [K.RING, K.ANSWER]


def test_two_events_of_one_instant_follow_the_life_of_a_call() -> None:
    same = [event(3, K.HANGUP, 5), event(2, K.ANSWER, 5), event(1, K.RING, 5)]
    assert merged(same).state is CallState.ENDED


def test_a_call_without_events_is_none() -> None:
    with pytest.raises(ValueError, match="at least one"):
        merged([])


EVENTS = st.lists(
    st.builds(
        event,
        number=st.integers(1, 12),
        kind=st.sampled_from(EventKind),
        second=st.integers(0, 600),
        sequence=st.none() | st.integers(0, 30),
        extension=st.sampled_from(["", "2047", "2048"]),
    ),
    min_size=1,
    max_size=12,
)


@given(events=EVENTS, seed=st.randoms(use_true_random=False), doubles=st.integers(0, 5))
def test_order_and_doubles_never_matter(
    events: list[CallEvent], seed: random.Random, doubles: int
) -> None:
    shuffled = [*events, *events[:doubles]]
    seed.shuffle(shuffled)
    assert merged(shuffled) == merged(events)


@given(events=EVENTS)
def test_a_merged_call_never_contradicts_itself(events: list[CallEvent]) -> None:
    facts = merged(events)
    assert facts.state.is_live is (facts.ended_at is None)
    assert (facts.held_since is not None) is (facts.state is CallState.HELD)
    assert facts.held_s >= 0
    if facts.state is CallState.ENDED:
        assert facts.answered_at is not None
    if facts.state is CallState.ABANDONED:
        assert facts.answered_at is None
    assert all(facts.started_at <= one.at for one in events)


@pytest.mark.parametrize(
    ("state", "answered", "finished", "expected"),
    [
        (CallState.QUEUED, False, False, AgentState.RINGING),
        (CallState.RINGING, False, False, AgentState.RINGING),
        (CallState.TALKING, True, False, AgentState.ON_CALL),
        (CallState.HELD, True, True, AgentState.ON_CALL),
        (CallState.ENDED, True, False, AgentState.WRAP_UP),
        (CallState.ENDED, True, True, AgentState.READY),
        (CallState.ABANDONED, False, False, AgentState.READY),
    ],
)
def test_a_seat_follows_its_call(
    state: CallState, *, answered: bool, finished: bool, expected: AgentState
) -> None:
    assert seat_for(state, answered=answered, finished=finished) is expected
