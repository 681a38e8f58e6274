"""Which state an alert may go to from which."""

from loadmgmt.alerts.types import AlertState

MOVES: dict[AlertState, frozenset[AlertState]] = {
    AlertState.OPEN: frozenset(
        {
            AlertState.ACKED,
            AlertState.WORKING,
            AlertState.SUPPRESSED,
            AlertState.FALSE,
            AlertState.CLEARED,
        }
    ),
    AlertState.ACKED: frozenset(
        {AlertState.WORKING, AlertState.SUPPRESSED, AlertState.FALSE, AlertState.CLEARED}
    ),
    AlertState.WORKING: frozenset({AlertState.ACKED, AlertState.CLEARED, AlertState.FALSE}),
    AlertState.SUPPRESSED: frozenset({AlertState.OPEN, AlertState.ACKED, AlertState.CLEARED}),
    AlertState.CLEARED: frozenset(),
    AlertState.FALSE: frozenset({AlertState.CLEARED}),
}
"""A false alarm stands until its condition ends, so that it is not raised again at once."""


def may_move(state: AlertState, target: AlertState) -> bool:
    """Whether an alert in a state may go to another."""
    return target in MOVES[state]
