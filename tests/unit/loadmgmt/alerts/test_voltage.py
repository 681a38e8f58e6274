"""Which voltage is out of band: the test stands on both sides of each edge."""

from decimal import Decimal

import pytest

from loadmgmt.alerts.rules.voltage import phase_alert, voltage_alert
from loadmgmt.alerts.thresholds import load_thresholds
from loadmgmt.alerts.types import AlertKind
from metering.api.types import Supply

T = load_thresholds()


@pytest.mark.parametrize(
    ("supply", "volts", "kind"),
    [
        ("single_220", "198.0", None),
        ("single_220", "197.9", AlertKind.UNDER_VOLTAGE),
        ("single_220", "235.4", None),
        ("single_220", "235.5", AlertKind.OVER_VOLTAGE),
        ("three_380", "204.6", None),
        ("three_380", "204.5", AlertKind.UNDER_VOLTAGE),
        ("three_380", "235.4", None),
        ("three_10kv", "5369.4", None),
        ("three_10kv", "5369.3", AlertKind.UNDER_VOLTAGE),
        ("three_10kv", "6177.6", None),
        ("three_10kv", "6177.7", AlertKind.OVER_VOLTAGE),
    ],
)
def test_the_limits_themselves_are_permitted(
    supply: str, volts: str, kind: AlertKind | None
) -> None:
    nominal = Supply(supply).nominal_volts
    assert voltage_alert(Decimal(volts), nominal, T.band[supply]) is kind


def test_a_nominal_voltage_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="above zero"):
        voltage_alert(Decimal(220), Decimal(0), T.band["single_220"])


@pytest.mark.parametrize(
    ("volts", "amps", "kind"),
    [
        ("131.9", "0", AlertKind.PHASE_BREAK),
        ("132.0", "0", AlertKind.UNDER_VOLTAGE),
        ("171.5", "0.026", AlertKind.VOLTAGE_LOSS),
        ("171.5", "0.025", AlertKind.UNDER_VOLTAGE),
        ("171.6", "1", AlertKind.UNDER_VOLTAGE),
        ("0", None, AlertKind.PHASE_BREAK),
        ("220", "1", None),
    ],
)
def test_a_low_phase_is_broken_lost_or_low(
    volts: str, amps: str | None, kind: AlertKind | None
) -> None:
    found = phase_alert(
        Decimal(volts),
        None if amps is None else Decimal(amps),
        nominal_volts=Decimal(220),
        rated_amps=Decimal(5),
        band=T.band["three_380"],
        loss=T.loss,
    )
    assert found is kind
