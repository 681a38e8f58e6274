"""A phase whose current vanishes while its neighbours carry load: current loss (失流)."""

from collections.abc import Sequence
from decimal import Decimal

from loadmgmt.alerts.types import Loss


def lost_phases(
    volts: Sequence[Decimal | None],
    amps: Sequence[Decimal | None],
    *,
    nominal_volts: Decimal,
    rated_amps: Decimal,
    loss: Loss,
) -> str:
    """Give the phases, of "abc", whose current is lost.

    A phase counts when its voltage is there, its current is not, and another phase
    carries load. What is not known proves nothing.

    Args:
        volts: of phases a, b, c [V].
        amps: of phases a, b, c [A].
        nominal_volts: nominal phase voltage [V].
        rated_amps: basic current on the primary side [A].
        loss: thresholds.

    Source: DL/T 698.45 event 3004 (失流): U > 70 % Un, I < 0.5 % In, another phase > 5 % In.
    """
    found = ""
    for index, name in enumerate("abc"):
        u, i = volts[index], amps[index]
        if u is None or i is None:
            continue
        others = [amps[other] for other in range(3) if other != index]
        if (
            u > loss.current_loss_volts_above * nominal_volts
            and abs(i) < loss.current_none * rated_amps
            and any(
                o is not None and abs(o) > loss.current_loss_neighbour * rated_amps for o in others
            )
        ):
            found += name
    return found
