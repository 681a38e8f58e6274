"""Which voltage is out of band, lost or broken: the scalar rule is the specification."""

from decimal import Decimal

from loadmgmt.alerts.types import AlertKind, Band, Loss


def voltage_alert(volts: Decimal, nominal_volts: Decimal, band: Band) -> AlertKind | None:
    """Name the alert a voltage deserves, or None while it is in band.

    The limits themselves are permitted.

    Args:
        volts: supply voltage of one phase over the interval [V].
        nominal_volts: nominal phase voltage [V], above zero.
        band: allowed deviation as fractions of nominal [1].

    Raises:
        ValueError: nominal_volts is zero or negative.

    Source: GB/T 12325-2008, limits of deviation.
    """
    if nominal_volts <= 0:
        raise ValueError("nominal_volts must be above zero")
    deviation = volts - nominal_volts
    if deviation > band.high * nominal_volts:
        return AlertKind.OVER_VOLTAGE
    if deviation < band.low * nominal_volts:
        return AlertKind.UNDER_VOLTAGE
    return None


def phase_alert(
    volts: Decimal,
    amps: Decimal | None,
    *,
    nominal_volts: Decimal,
    rated_amps: Decimal,
    band: Band,
    loss: Loss,
) -> AlertKind | None:
    """Name what is wrong with one phase: broken, lost, or out of band.

    A current that is not known counts as none: then a lost voltage shows as a broken
    phase, which asks for the same visit.

    Args:
        volts: of the phase [V].
        amps: of the phase [A].
        nominal_volts: nominal phase voltage [V].
        rated_amps: basic current on the primary side [A].
        band: permitted deviation.
        loss: thresholds of losses.

    Source: DL/T 698.45 events 3000 (失压) and 3003 (断相), usual defaults.
    """
    carries = amps is not None and abs(amps) > loss.current_none * rated_amps
    if volts < loss.phase_break_below * nominal_volts and not carries:
        return AlertKind.PHASE_BREAK
    if volts < loss.voltage_loss_below * nominal_volts and carries:
        return AlertKind.VOLTAGE_LOSS
    return voltage_alert(volts, nominal_volts, band)
