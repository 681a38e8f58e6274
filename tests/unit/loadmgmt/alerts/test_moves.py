"""Which state an alert may go to."""

from loadmgmt.alerts.rules.moves import MOVES, may_move
from loadmgmt.alerts.rules.outage import transformer_is_out
from loadmgmt.alerts.thresholds import load_thresholds
from loadmgmt.alerts.types import AlertKind, AlertState


def test_every_state_has_its_moves() -> None:
    assert set(MOVES) == set(AlertState)


def test_a_cleared_alert_cannot_be_acknowledged() -> None:
    assert not may_move(AlertState.CLEARED, AlertState.ACKED)


def test_an_open_alert_may_be_acknowledged_worked_suppressed_or_called_false() -> None:
    for target in (AlertState.ACKED, AlertState.WORKING, AlertState.SUPPRESSED, AlertState.FALSE):
        assert may_move(AlertState.OPEN, target)


def test_every_kind_says_how_it_is_treated() -> None:
    assert set(load_thresholds().kinds) == {kind.value for kind in AlertKind}


def test_a_transformer_is_out_from_the_share_on_and_never_for_a_meter_or_two() -> None:
    rule = load_thresholds().area
    assert transformer_is_out(without_power=3, read=10, rule=rule)
    assert not transformer_is_out(without_power=2, read=2, rule=rule)
    assert not transformer_is_out(without_power=3, read=11, rule=rule)
