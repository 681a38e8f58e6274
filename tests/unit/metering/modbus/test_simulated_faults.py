"""Faults of simulated meters: what is shown, and that no register ever jumps."""

import json
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.modbus.curves import FIRST_DAY, Phase
from metering.modbus.decode import decode
from metering.modbus.plan import compile_plan
from metering.modbus.profile import load_profiles
from metering.modbus.quantities import EVERY_GROUP
from metering.modbus.simulated_faults import Ailment, Fault, FaultKind, ailment_from_json, strike
from metering.modbus.simulated_unit import Exceptional, SimulatedUnit, Terminal
from tests.factories.registers import coarseness, shows_nothing

SHANGHAI = ZoneInfo("Asia/Shanghai")
START = datetime(*FIRST_DAY, tzinfo=SHANGHAI).timestamp() + 40 * 86400
PROFILES = load_profiles()


def terminal_of(profile: str = "demo_terminal", ailment: Ailment | None = None) -> Terminal:
    unit = SimulatedUnit(
        key="M1",
        area_no="T1",
        host="127.0.0.1",
        port=0,
        unit_id=1,
        profile=profile,
        kind="home",
        seed=5,
        peak_w=9000.0,
    )
    plan = compile_plan(PROFILES[profile], groups=EVERY_GROUP)
    return Terminal(unit, plan, ailment or Ailment(), SHANGHAI)


def a_fault(kind: FaultKind, since: float = START, **changes: object) -> Fault:
    return replace(Fault(kind=kind, order_no=1, target="M1", since=since), **changes)


def struck(terminal: Terminal, fault: Fault) -> dict[str, float]:
    terminal.ailment.add(fault, terminal.curve)
    return terminal.state(START + 60)


def test_a_sag_lowers_voltage_and_power_and_leaves_the_other_phases() -> None:
    terminal = terminal_of()
    before = terminal.state(START + 60)
    after = struck(terminal, a_fault(FaultKind.SAG, phases=("b",), to=0.8))
    assert after["u_b"] == pytest.approx(176.0)
    assert after["p_b"] == pytest.approx(0.8 * before["p_b"])
    assert after["u_b"] * after["i_b"] == pytest.approx(
        (after["p_b"] ** 2 + after["q_b"] ** 2) ** 0.5
    )
    assert after["u_a"] == before["u_a"]
    assert after["p_a"] == before["p_a"]


def test_a_lost_phase_shows_nothing() -> None:
    after = struck(terminal_of(), a_fault(FaultKind.PHASE_LOSS, phases=("c",)))
    assert (after["u_c"], after["i_c"], after["p_c"]) == (0, 0, 0)
    assert after["f"] == 50


def test_a_bypassed_transformer_hides_current_and_power_but_not_voltage_or_neutral() -> None:
    terminal = terminal_of()
    before = terminal.state(START + 60)
    after = struck(terminal, a_fault(FaultKind.CT_BYPASS, phases=("a",)))
    assert (after["i_a"], after["p_a"], after["q_a"]) == (0, 0, 0)
    assert after["u_a"] == before["u_a"]
    assert after["i_b"] == before["i_b"]
    assert after["i_n"] == before["i_n"]
    assert after["p"] == pytest.approx(before["p"] - before["p_a"])


def test_an_outage_shows_zeros_and_an_open_cover_shows_its_bit() -> None:
    terminal = terminal_of()
    assert terminal.state(START)["cover_open"] == 0
    struck(terminal, a_fault(FaultKind.COVER_OPEN))
    after = struck(terminal, a_fault(FaultKind.OUTAGE))
    assert after["cover_open"] == 1
    assert [after[name] for name in ("u_a", "u_b", "u_c", "i_a", "i_n", "p", "q", "f")] == [0] * 8
    assert after["pf"] == 1


def test_energy_stands_still_in_an_outage_and_never_catches_up() -> None:
    terminal = terminal_of()
    before = terminal.state(START)["wh_import"]
    terminal.ailment.add(a_fault(FaultKind.OUTAGE), terminal.curve)
    assert terminal.state(START + 3600)["wh_import"] == pytest.approx(before)
    terminal.ailment.heal(terminal.curve, START + 3600)
    healthy = terminal_of()
    gained = healthy.state(START + 7200)["wh_import"] - healthy.state(START + 3600)["wh_import"]
    assert terminal.state(START + 7200)["wh_import"] == pytest.approx(before + gained)


def test_a_fault_runs_out_by_itself() -> None:
    terminal = terminal_of()
    fault = a_fault(FaultKind.PHASE_LOSS, phases=("a",), until=START + 600)
    terminal.ailment.add(fault, terminal.curve)
    assert terminal.state(START + 599)["u_a"] == 0
    assert terminal.state(START + 600)["u_a"] > 200
    assert terminal.ailment.active(START + 600) == []


def test_the_same_kind_on_the_same_phase_is_replaced_and_on_another_stands_beside() -> None:
    terminal = terminal_of()
    for phases, to in ((("a", "b"), 0.9), (("a",), 0.7)):
        terminal.ailment.add(a_fault(FaultKind.SAG, phases=phases, to=to), terminal.curve)
    state = terminal.state(START)
    assert state["u_a"] == pytest.approx(154.0)
    assert state["u_b"] == pytest.approx(198.0)
    assert state["u_c"] > 200


KINDS = st.sampled_from(["sag", "phase_loss", "ct_bypass", "outage", "cover_open", "silence"])
STORY = st.lists(
    st.tuples(
        st.sampled_from(["add", "heal", "restart"]),
        KINDS,
        st.sampled_from([("a",), ("b", "c"), ("a", "b", "c")]),
        st.one_of(st.none(), st.integers(1, 20_000)),
        st.integers(1, 9000),
    ),
    max_size=12,
)


@given(STORY)
def test_no_story_of_faults_and_restarts_moves_a_register_backwards_or_makes_it_jump(
    story: list[tuple[str, str, tuple[str, ...], int | None, int]],
) -> None:
    terminal, now = terminal_of(), START
    last = terminal.state(now)
    for deed, name, phases, duration, pause in story:
        kind = FaultKind(name)
        if deed == "add":
            until = None if duration is None else now + duration
            fault = a_fault(kind, now, phases=phases, until=until, to=1.2)
            terminal.ailment.add(fault, terminal.curve)
        elif deed == "heal":
            terminal.ailment.heal(terminal.curve, now, kind)
        else:
            kept = json.loads(json.dumps(terminal.ailment.as_json()))
            terminal = terminal_of(ailment=ailment_from_json(kept))
        state = terminal.state(now)
        assert state["wh_import"] == pytest.approx(last["wh_import"], abs=1e-5)
        now += pause
        after = terminal.state(now)
        most_wh = 1.2 * 9000 * pause / 3600
        assert -1e-5 <= after["wh_import"] - state["wh_import"] <= most_wh + 1e-5
        last = after


def test_the_transducers_see_what_flows_unless_they_are_bypassed() -> None:
    loads = [Phase(220.0, 1.0, 0.5), Phase(221.0, 2.0, 0.5)]
    real, seen = strike(loads, ("a", "b"), [], 220.0)
    assert real == seen == loads


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_the_registers_of_every_profile_decode_to_what_the_curve_says(profile: str) -> None:
    terminal, plan = terminal_of(profile), compile_plan(PROFILES[profile], groups=EVERY_GROUP)
    replies = [
        terminal.read(block.function, block.address, block.count, START + 0.7)
        for block in plan.blocks
    ]
    state = terminal.state(START)
    points = {point.quantity: point for point in PROFILES[profile].points}
    for column, value in zip(plan.columns, decode(plan, replies), strict=True):
        if shows_nothing(points[column], state[column]):
            assert value is None
        else:
            assert value is not None
            assert abs(value - state[column]) <= coarseness(points[column], state[column])


@pytest.mark.parametrize(
    ("function", "address", "count", "code"),
    [
        (1, 0, 1, 1),
        (4, 0, 1, 1),
        (3, 0x30, 1, 2),
        (3, 0x2F, 2, 2),
        (2, 7, 2, 2),
        (3, 0, 0, 3),
        (3, 0, 126, 3),
    ],
)
def test_what_the_profile_does_not_have_is_an_exception(
    function: int, address: int, count: int, code: int
) -> None:
    with pytest.raises(Exceptional) as caught:
        terminal_of().read(function, address, count, START)
    assert caught.value.code == code


def test_any_part_of_a_readable_span_may_be_read() -> None:
    terminal = terminal_of()
    whole = terminal.read(3, 0, 0x30, START)
    assert terminal.read(3, 7, 5, START) == whole[14:24]
    terminal.ailment.add(a_fault(FaultKind.COVER_OPEN), terminal.curve)
    terminal.changed()
    assert terminal.read(2, 0, 8, START) == b"\x03"
    assert terminal.read(2, 1, 7, START) == b"\x01"
    assert terminal.read(2, 2, 6, START) == b"\x00"
