"""States of outages, and what their meters prove."""

from datetime import UTC, datetime, timedelta

import pytest

from loadmgmt.outages.books import outage_rules
from loadmgmt.outages.rules.moves import MOVES, may_move, moves_later, state_by_meters
from loadmgmt.outages.types import OutageState

RULE = outage_rules().restore
AT = datetime(2026, 6, 18, tzinfo=UTC)


def test_every_state_has_its_moves_and_nothing_leaves_the_end() -> None:
    assert set(MOVES) == set(OutageState)
    assert not any(may_move(OutageState.RESTORED, one) for one in OutageState)
    assert not may_move(OutageState.PLANNED, OutageState.REPAIRING)


@pytest.mark.parametrize(
    ("was_dark", "back", "expected"),
    [
        (0, 0, OutageState.REPAIRING),
        (68, 0, OutageState.REPAIRING),
        (68, 1, OutageState.PARTLY_RESTORED),
        (68, 64, OutageState.PARTLY_RESTORED),
        (68, 65, OutageState.RESTORED),
        (20, 19, OutageState.RESTORED),
        (19, 18, OutageState.PARTLY_RESTORED),
        (1, 1, OutageState.RESTORED),
    ],
)
def test_ninety_five_percent_of_the_dark_meters_prove_it_over(
    was_dark: int, back: int, expected: OutageState
) -> None:
    assert (
        state_by_meters(OutageState.REPAIRING, was_dark=was_dark, back=back, rule=RULE) is expected
    )


def test_meters_do_not_move_what_is_over_or_planned() -> None:
    for state in (OutageState.RESTORED, OutageState.PLANNED):
        assert state_by_meters(state, was_dark=9, back=9, rule=RULE) is state


def test_what_went_dark_again_does_not_undo_the_state() -> None:
    partly = OutageState.PARTLY_RESTORED
    assert state_by_meters(partly, was_dark=9, back=0, rule=RULE) is partly


def test_later_is_later_by_a_second_and_a_first_expectation_never_is() -> None:
    assert moves_later(AT, AT + timedelta(seconds=1))
    assert not moves_later(AT, AT)
    assert not moves_later(None, AT)
