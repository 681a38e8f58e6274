"""Decoding many replies at once gives what decoding each gives, bit for bit."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.modbus.bulk import decode_many
from metering.modbus.decode import decode
from metering.modbus.plan import Plan, compile_plan, plan_of
from metering.modbus.profile import Point, load_profiles
from metering.modbus.profile_parts import ORDERS, Mark, Order, PointType, Ratio
from metering.modbus.quantities import EVERY_GROUP
from tests.factories.registers import trial_profile

PROFILES = load_profiles()
PLANS = {name: compile_plan(one, groups=EVERY_GROUP) for name, one in PROFILES.items()}
PLAIN = sorted(name for name, plan in PLANS.items() if plan.sizes is not None)
RATIOS = st.tuples(st.integers(1, 10_000), st.integers(1, 10_000))
TELLING = [
    bytes.fromhex(pattern)
    for pattern in (
        "0000", "ffff", "7fff", "8000", "0001", "00000000", "80000000", "ffffffff", "7fffffff",
        "7fc00000", "7f800000", "ff800000", "7fa00001", "80000001", "5f000000", "df000000",
        "7fffffffffffffff", "8000000000000000", "ffffffffffffffff", "0020000000000001",
    )
]  # fmt: skip
"""Sentinels, limits of their types, numbers that are none, and negative zero."""


@st.composite
def replies_to(draw: st.DrawFn, plan: Plan) -> list[bytes]:
    """Give a reply to each block: any bytes, with telling ones put in at points."""
    replies = []
    for layout in plan.layouts:
        size = layout.block.payload_bytes
        reply = bytearray(draw(st.binary(min_size=size, max_size=size)))
        for point in draw(st.lists(st.sampled_from(layout.points), max_size=4)):
            if point.type != "bit":
                at = 2 * (point.address - layout.block.address)
                wide = 2 * point.size
                patterns = [one for one in TELLING if len(one) == wide]
                patterns += [one.to_bytes(wide, "big") for one in point.absent]
                reply[at : at + wide] = draw(st.sampled_from(patterns))
        replies.append(bytes(reply))
    return replies


def assert_the_same(plan: Plan, many: list[list[bytes]], pt: int, ct: int) -> None:
    together = decode_many(plan, [b"".join(one) for one in many], pt=pt, ct=ct)
    each = [np.array(decode(plan, one, pt=pt, ct=ct), dtype=np.float64) for one in many]
    known = ~np.isnan(together)
    assert (known == ~np.isnan(each)).all()
    assert together[known].tobytes() == np.array(each)[known].tobytes()


@pytest.mark.parametrize("name", PLAIN)
@given(data=st.data(), ratios=RATIOS)
def test_together_is_each_by_itself_for_every_profile(
    name: str, data: st.DataObject, ratios: tuple[int, int]
) -> None:
    plan = PLANS[name]
    assert_the_same(plan, data.draw(st.lists(replies_to(plan), min_size=1, max_size=5)), *ratios)


@pytest.mark.parametrize("kind", ["u16", "i16", "u32", "i32", "u64", "i64", "f32"])
@pytest.mark.parametrize("order", ORDERS)
@given(
    data=st.data(),
    scale=st.sampled_from(["1", "0.1", "0.001", "0.003", "7", "-1", "1e-9", "1e15", "1e-30"]),
    unit=st.sampled_from(["Wh", "MWh"]),
    ratios=RATIOS,
)
def test_together_is_each_by_itself_for_every_type_order_and_scale(
    *,
    kind: PointType,
    order: Order,
    data: st.DataObject,
    scale: str,
    unit: str,
    ratios: tuple[int, int],
) -> None:
    fields: list[tuple[str, Ratio, tuple[int, ...]]] = [
        ("wh_import", "none", ()),
        ("wh_export", "ptct", ()),
        ("varh_import", "ct", (1, 0)),
    ]
    points = [
        Point(quantity=name, function=3, address=5 * number, type=kind, unit=unit, order=order,
              scale=Decimal(scale), ratio=ratio, absent=absent)
        for number, (name, ratio, absent) in enumerate(fields)
    ]  # fmt: skip
    points[2] = replace(points[2], unit=unit.replace("Wh", "varh"))
    plan = compile_plan(trial_profile(*points))
    assert_the_same(plan, data.draw(st.lists(replies_to(plan), min_size=1, max_size=4)), *ratios)


def test_only_a_plan_whose_replies_speak_for_themselves_is_decoded_together() -> None:
    plain = Point(quantity="p", function=3, address=2, type="i16", unit="W")
    scaled = replace(plain, factor_at=3)
    marked = replace(trial_profile(plain), marks=(Mark(3, 0, 203),))
    assert compile_plan(trial_profile(plain)).sizes == (2,)
    assert compile_plan(trial_profile(scaled)).sizes is None
    assert compile_plan(marked).sizes is None
    with pytest.raises(ValueError, match="terminal by terminal"):
        decode_many(compile_plan(marked), [bytes(6)])


def test_of_the_shipped_profiles_only_sunspec_is_decoded_terminal_by_terminal() -> None:
    assert set(PROFILES) - set(PLAIN) == {"sunspec_203"}


def test_a_plan_that_a_terminal_taught_is_decoded_together_as_well() -> None:
    points = PROFILES["eastron_sdm630"].points[:3]
    plan = plan_of(PROFILES["eastron_sdm630"], [[one] for one in points])
    assert plan.sizes == (4, 4, 4)
    assert_the_same(plan, [[bytes.fromhex("43660000")] * 3], 1, 1)
