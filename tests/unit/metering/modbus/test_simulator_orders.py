"""Orders to the simulator: who is meant, and what is refused with which code."""

from zoneinfo import ZoneInfo

import pytest

from metering.modbus.plan import compile_plan
from metering.modbus.profile import load_profiles
from metering.modbus.simulated_faults import Ailment, FaultKind
from metering.modbus.simulated_unit import SimulatedUnit, Terminal
from metering.modbus.simulator_orders import OrderRefused, targets, wanted

PROFILES = load_profiles()
SHANGHAI = ZoneInfo("Asia/Shanghai")


def fleet() -> dict[str, Terminal]:
    places = [
        ("M1", "T1", "demo_single"),
        ("M2", "T1", "demo_terminal"),
        ("M3", "T2", "eastron_sdm630"),
    ]
    return {
        key: Terminal(
            SimulatedUnit(key, area, "h", 1, number, profile, "home", number, 5000.0),
            compile_plan(PROFILES[profile]),
            Ailment(),
            SHANGHAI,
        )
        for number, (key, area, profile) in enumerate(places)
    }


@pytest.mark.parametrize(
    ("target", "keys"), [("M2", ["M2"]), ("T1", ["M1", "M2"]), ("all", ["M1", "M2", "M3"])]
)
def test_a_target_is_a_meter_an_area_or_all(target: str, keys: list[str]) -> None:
    assert [t.unit.key for t in targets({"target": target}, fleet())] == keys


@pytest.mark.parametrize(
    ("order", "why"),
    [
        ({"order": "explode", "target": "M1"}, "unknown_order"),
        ({"order": None, "target": "M1"}, "unknown_order"),
        ({"order": "silence", "target": "M9"}, "no_such_target"),
        ({"order": "silence"}, "no_such_target"),
        ({"order": "phase_loss", "target": "M1", "phases": "b"}, "no_such_phase"),
        ({"order": "phase_loss", "target": "M2", "phases": "x"}, "no_such_phase"),
        ({"order": "phase_loss", "target": "M2", "phases": 3}, "no_such_phase"),
        ({"order": "cover_open", "target": "M3"}, "no_cover_contact"),
        ({"order": "sag", "target": "M1"}, "bad_value"),
        ({"order": "sag", "target": "M1", "to": 0}, "bad_value"),
        ({"order": "sag", "target": "M1", "to": 2}, "bad_value"),
        ({"order": "sag", "target": "M1", "to": True}, "bad_value"),
        ({"order": "sag", "target": "M1", "percent": 300}, "bad_value"),
        ({"order": "slow", "target": "M1"}, "bad_value"),
        ({"order": "slow", "target": "M1", "seconds": "soon"}, "bad_value"),
        ({"order": "slow", "target": "M1", "seconds": float("nan")}, "bad_value"),
        ({"order": "exception", "target": "M1", "code": 300}, "bad_value"),
        ({"order": "silence", "target": "M1", "duration_s": -1}, "bad_value"),
        ({"order": "outage", "target": "T1", "dark": "yes"}, "bad_value"),
    ],
)
def test_a_wrong_order_is_refused_with_its_code(order: dict[str, object], why: str) -> None:
    with pytest.raises(OrderRefused) as caught:
        wanted(order, fleet())
    assert caught.value.why == why


def test_of_a_group_those_that_cannot_have_the_fault_are_skipped() -> None:
    checked = wanted({"order": "phase_loss", "target": "T1", "phases": ["B"]}, fleet())
    assert [t.unit.key for t in checked.terminals] == ["M2"]
    assert checked.skipped == 1


def test_percent_and_fraction_say_the_same() -> None:
    for said in ({"to": 0.85}, {"percent": 85}):
        checked = wanted({"order": "sag", "target": "M2", **said}, fleet())
        fault = checked.make(checked.terminals[0], 100.0, 3)
        assert fault.to == pytest.approx(0.85)
        assert fault.phases == ("a", "b", "c")


def test_a_bypass_strikes_the_first_phase_unless_told_and_ends_after_its_duration() -> None:
    order = {"order": "ct_bypass", "target": "M2", "duration_s": 60}
    checked = wanted(order, fleet())
    fault = checked.make(checked.terminals[0], 100.0, 3)
    assert (fault.kind, fault.phases, fault.until) == (FaultKind.CT_BYPASS, ("a",), 160.0)
