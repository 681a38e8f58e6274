"""A SunSpec meter decoded by us and by the standard's own library."""

from fractions import Fraction
from struct import pack

from hypothesis import given
from hypothesis import strategies as st
from sunspec2.device import Model

from metering.modbus.decode import decode
from metering.modbus.plan import compile_plan
from metering.modbus.profile import load_profiles
from metering.modbus.quantities import EVERY_GROUP, QUANTITIES

PLAN = compile_plan(load_profiles()["sunspec_203"], groups=EVERY_GROUP)
FIRST, LENGTH = 40070, 105
SHARE_OF_PERCENT = 100
NAMES = {
    "i_a": "AphA", "i_b": "AphB", "i_c": "AphC",
    "u_a": "PhVphA", "u_b": "PhVphB", "u_c": "PhVphC",
    "u_ab": "PhVphAB", "u_bc": "PhVphBC", "u_ca": "PhVphCA",
    "f": "Hz", "p": "W", "p_a": "WphA", "p_b": "WphB", "p_c": "WphC",
    "s": "VA", "s_a": "VAphA", "s_b": "VAphB", "s_c": "VAphC",
    "q": "VAR", "q_a": "VARphA", "q_b": "VARphB", "q_c": "VARphC",
    "pf": "PF", "pf_a": "PFphA", "pf_b": "PFphB", "pf_c": "PFphC",
    "wh_export": "TotWhExp", "wh_export_a": "TotWhExpPhA", "wh_export_b": "TotWhExpPhB",
    "wh_export_c": "TotWhExpPhC", "wh_import": "TotWhImp", "wh_import_a": "TotWhImpPhA",
    "wh_import_b": "TotWhImpPhB", "wh_import_c": "TotWhImpPhC",
    "vah_export": "TotVAhExp", "vah_import": "TotVAhImp", "varh_import": "TotVArhImpQ1",
}  # fmt: skip
FACTORS = ("A_SF", "V_SF", "Hz_SF", "W_SF", "VA_SF", "VAR_SF", "PF_SF", "TotWh_SF", "TotVAh_SF",
           "TotVArh_SF")  # fmt: skip
NOT_IMPLEMENTED = -0x8000


def test_every_point_of_the_profile_is_compared() -> None:
    assert set(NAMES) == set(PLAN.columns)


@given(
    st.binary(min_size=2 * LENGTH, max_size=2 * LENGTH),
    st.lists(
        st.one_of(st.integers(-10, 10), st.just(NOT_IMPLEMENTED)),
        min_size=len(FACTORS),
        max_size=len(FACTORS),
    ),
)
def test_ours_is_theirs(registers: bytes, factors: list[int]) -> None:
    model = Model(203, data=None)
    offsets = {name: point.offset for name, point in model.points.items()}
    image = bytearray(pack(">HH", 203, LENGTH) + registers)
    for name, factor in zip(FACTORS, factors, strict=True):
        image[2 * offsets[name] : 2 * offsets[name] + 2] = pack(">h", factor)
    model.set_mb(bytes(image))
    replies = [
        bytes(image[2 * (block.address - FIRST) : 2 * (block.address - FIRST + block.count)])
        for block in PLAN.blocks
    ]
    for column, ours in zip(PLAN.columns, decode(PLAN, replies), strict=True):
        point = model.points[NAMES[column]]
        factor = model.points[point.pdef["sf"]].value
        if point.value is None or factor is None or (ours is None and not point.value):
            assert ours is None, column
            continue
        exact = point.value * Fraction(10) ** factor
        if QUANTITIES[column].unit == "1":
            exact /= SHARE_OF_PERCENT
        steps = exact * QUANTITIES[column].steps_per_unit
        if abs(steps) > 2**63 - 1:
            assert ours is None
        else:
            assert ours is not None, column
            assert abs(Fraction(ours) * QUANTITIES[column].steps_per_unit - steps) <= Fraction(
                501, 1000
            ) + abs(steps) * Fraction(1, 2**50), column
