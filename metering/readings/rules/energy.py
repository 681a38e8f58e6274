"""Energy between two registers: counted on, gone round, or reset."""

ROUND_SHARE = 10
"""A register goes round from its last tenth to its first; any other fall is a reset."""


def energy_step(before: int, after: int, register_wh: int | None) -> int | None:
    """Give the energy between two readings of a register; None if it was reset between them.

    Args:
        before: the earlier register [Wh].
        after: the later one [Wh].
        register_wh: where it goes back to zero [Wh]; None if it never does.
    """
    if after >= before:
        return after - before
    if register_wh is None:
        return None
    tenth = register_wh // ROUND_SHARE
    if register_wh - tenth <= before < register_wh and after < tenth:
        return after + register_wh - before
    return None


def most_energy(most_w: int, seconds: int, slack_wh: int) -> int:
    """Give the most a meter can have counted in a time [Wh].

    Args:
        most_w: the most power it can carry [W].
        seconds: time between the two readings [s].
        slack_wh: what its display's last digit may hide [Wh].
    """
    return most_w * seconds // 3600 + slack_wh
