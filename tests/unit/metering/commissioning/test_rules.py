"""What a visit says about the wiring, and that it never says more than was seen."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.commissioning.rules import judge
from metering.commissioning.types import CheckKind, CheckResult, Register, Seen, Verdict
from metering.modbus.identity import Identified
from metering.modbus.plausibility import limits as plausible_limits
from metering.readings.rules.validation import Limits, Rating
from metering.readings.validating import load_validation

NOW = datetime(2026, 6, 18, 12, tzinfo=UTC)
THREE = Rating(nominal=2200, is_three_phase=True, most_w=39_600)
ONE = replace(THREE, is_three_phase=False, most_w=13_200)
LOADED: dict[str, float | int | None] = {
    "u_a": 220.0, "u_b": 221.0, "u_c": 219.0, "i_a": 5.0, "i_b": 5.0, "i_c": 5.0,
    "p": 3300, "p_a": 1100, "p_b": 1100, "p_c": 1100, "q": 0, "q_a": 0, "q_b": 0, "q_c": 0,
    "wh_import": 10_000,
}  # fmt: skip


def results(
    rating: Rating = THREE, *, before: Register | None = None, drift_s: float | None = 1.0,
    identity: tuple[Identified, ...] = (), error: str | None = None, **changes: float | None,
) -> dict[CheckKind, CheckResult]:  # fmt: skip
    seen = Seen(
        NOW, error, identity, {**LOADED, **changes}, has_clock=True, drift_s=drift_s,
        clock_limit_s=300, before=before,
    )  # fmt: skip
    found = judge(seen, rating, limits=Limits.of(load_validation()), plausible=plausible_limits())
    return {one.kind: one for one in found}


def test_a_rightly_wired_load_is_good_but_for_what_time_must_show() -> None:
    found = results(identity=(Identified("model", "X", fits=True),))
    assert {kind for kind, one in found.items() if one.verdict is not Verdict.GOOD} == {
        CheckKind.ENERGY
    }


def test_every_check_has_a_result_in_order_whatever_was_seen() -> None:
    assert list(results()) == list(CheckKind) == list(results(error="no_reply"))


@pytest.mark.parametrize(
    ("volts", "verdict"), [(187.0, "good"), (186.9, "bad"), (253.0, "good"), (253.1, "bad"),
                           (0.0, "bad"), (None, "unknown")],
)  # fmt: skip
def test_a_phase_is_within_the_share_of_its_nominal_voltage(
    volts: float | None, verdict: str
) -> None:
    assert results(u_b=volts)[CheckKind.VOLTAGES].verdict == verdict


@pytest.mark.parametrize(
    ("powers", "said"),
    [
        ((1100, 1100, 1100), "forward"),
        ((1100, -1100, 1100), "reversed"),
        ((-1100, -1100, -1100), "all_reversed"),
        ((1100, 1100, 3), "no_load"),
        ((None, 1100, 1100), "no_load"),
    ],
)
def test_a_phase_that_runs_backwards_has_its_ct_turned(
    powers: tuple[int | None, ...], said: str
) -> None:
    changed = dict(zip(("p_a", "p_b", "p_c"), powers, strict=True))
    assert results(**changed)[CheckKind.CT_DIRECTION].said == said


def test_phases_that_are_swapped_show_odd_angles() -> None:
    turned = {"p_b": -550, "q_b": 953, "p_c": -550, "q_c": -953, "p": 0, "q": 0}
    assert results(**turned)[CheckKind.PHASE_ORDER].said == "crossed"
    idle = {"p_a": 1, "p_b": 1, "p_c": 1, "p": 3}
    assert results(**idle)[CheckKind.PHASE_ORDER].said == "no_load"


def test_a_wrong_ratio_shows_in_power_against_voltage_and_current() -> None:
    found = results(p=33_000, p_a=11_000, p_b=11_000, p_c=11_000)
    assert found[CheckKind.RATIO].said == "odd"


def test_phases_that_do_not_add_up_are_bad() -> None:
    found = results(p=2200)[CheckKind.POWER_SUM]
    assert (found.verdict, found.facts["sum"]) == (Verdict.BAD, "3300")


@pytest.mark.parametrize(
    ("before_wh", "minutes", "said"),
    [
        (9_800, 5, "moves"),
        (10_000, 5, "still"),
        (10_500, 5, "backwards"),
        (10_000, 120, "stopped"),
    ],
)
def test_energy_moves_as_the_load_says(before_wh: int, minutes: int, said: str) -> None:
    before = Register(NOW - timedelta(minutes=minutes), before_wh, 3300)
    assert results(before=before)[CheckKind.ENERGY].said == said


@pytest.mark.parametrize(
    ("drift_s", "said"), [(300.0, "right"), (-301.0, "wrong"), (None, "unset")]
)
def test_a_clock_is_right_within_its_limit(drift_s: float | None, said: str) -> None:
    assert results(drift_s=drift_s)[CheckKind.CLOCK].said == said


def test_a_single_phase_meter_is_not_asked_for_phases() -> None:
    changed = {name: None for name in LOADED if name.endswith(("_b", "_c"))}
    found = results(ONE, p=1100, q=0, **changed)
    assert found[CheckKind.PHASE_ORDER].verdict is Verdict.NONE
    assert found[CheckKind.POWER_SUM].verdict is Verdict.NONE
    assert found[CheckKind.CT_DIRECTION].said == "forward"


@given(
    st.dictionaries(
        st.sampled_from(sorted(LOADED)),
        st.one_of(st.none(), st.floats(-1e12, 1e12), st.integers(-(10**15), 10**15)),
    ),
    st.sampled_from([THREE, ONE]),
)
def test_whatever_a_terminal_says_is_judged(
    values: dict[str, float | int | None], rating: Rating
) -> None:
    found = results(rating, **values)
    assert list(found) == list(CheckKind)


@given(st.sets(st.sampled_from(sorted(LOADED)), min_size=1))
def test_what_was_not_read_is_never_good(missing: set[str]) -> None:
    found = results(**dict.fromkeys(missing))
    if missing & {"u_a", "u_b", "u_c"}:
        assert found[CheckKind.VOLTAGES].verdict is Verdict.UNKNOWN
    if missing & {"p_a", "p_b", "p_c"}:
        assert found[CheckKind.POWER_SUM].verdict is Verdict.UNKNOWN
        assert found[CheckKind.CT_DIRECTION].verdict is Verdict.UNKNOWN
