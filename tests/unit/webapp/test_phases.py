"""Live values phase by phase: how bad a voltage is, by its own supply's band."""

import pytest

from loadmgmt.api.alerts import load_thresholds
from webapp.phases import tone_of


@pytest.mark.parametrize(
    ("supply", "deviation", "tone"),
    [
        ("single_220", -0.08, ""),
        ("three_380", -0.08, "major"),
        ("single_220", -0.11, "major"),
        ("single_220", 0.08, "major"),
        ("single_220", -0.25, "crit"),
        ("three_380", -1.0, "crit"),
        ("three_380", 0.21, "crit"),
        ("three_10kv", 0.07, ""),
    ],
)
def test_a_voltage_is_as_bad_as_its_supply_takes_it(
    supply: str, deviation: float, tone: str
) -> None:
    assert tone_of(deviation, supply, load_thresholds()) == tone
