"""Which state an outage may go to from which, and what its meters make of it."""

from datetime import datetime
from decimal import Decimal

from loadmgmt.outages.types import OutageState, Restoration

MOVES: dict[OutageState, frozenset[OutageState]] = {
    OutageState.DETECTED: frozenset(
        {
            OutageState.CONFIRMED,
            OutageState.SENT,
            OutageState.REPAIRING,
            OutageState.PARTLY_RESTORED,
            OutageState.RESTORED,
        }
    ),
    OutageState.CONFIRMED: frozenset(
        {
            OutageState.SENT,
            OutageState.REPAIRING,
            OutageState.PARTLY_RESTORED,
            OutageState.RESTORED,
        }
    ),
    OutageState.SENT: frozenset(
        {
            OutageState.CONFIRMED,
            OutageState.REPAIRING,
            OutageState.PARTLY_RESTORED,
            OutageState.RESTORED,
        }
    ),
    OutageState.REPAIRING: frozenset(
        {
            OutageState.CONFIRMED,
            OutageState.SENT,
            OutageState.PARTLY_RESTORED,
            OutageState.RESTORED,
        }
    ),
    OutageState.PARTLY_RESTORED: frozenset({OutageState.REPAIRING, OutageState.RESTORED}),
    OutageState.RESTORED: frozenset(),
    OutageState.PLANNED: frozenset({OutageState.RESTORED}),
}
"""A ticket that is voided or sent back takes the outage back with it."""


def may_move(state: OutageState, target: OutageState) -> bool:
    """Whether an outage in a state may go to another."""
    return target in MOVES[state]


def state_by_meters(
    state: OutageState, *, was_dark: int, back: int, rule: Restoration
) -> OutageState:
    """Give the state that the meters prove; the present one where they prove nothing.

    Only meters that were dark can prove it over: one that always had voltage says nothing.

    Args:
        state: where it stands.
        was_dark: meters that have shown no voltage.
        back: of them, those that show voltage again.
        rule: share that proves it.
    """
    if state in {OutageState.RESTORED, OutageState.PLANNED} or not was_dark:
        return state
    if Decimal(back) >= rule.share * was_dark:
        return OutageState.RESTORED
    if back:
        return OutageState.PARTLY_RESTORED
    return state


def moves_later(before: datetime | None, after: datetime) -> bool:
    """Whether a changed expected time keeps people waiting longer."""
    return before is not None and after > before
