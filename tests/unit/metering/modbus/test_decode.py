"""Decoding, with pymodbus's converter as the second opinion on every type and order."""

import math
import struct
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.client.mixin import ModbusClientMixin

from metering.modbus.decode import MOST_STEPS, decode
from metering.modbus.encode import DoesNotFit, encode
from metering.modbus.errors import GarbledReply
from metering.modbus.plan import Block, Plan, compile_plan
from metering.modbus.profile import Point, check, load_profiles
from metering.modbus.profile_parts import Mark
from metering.modbus.quantities import EVERY_GROUP, QUANTITIES
from tests.factories.registers import coarseness, shows_nothing, trial_profile

PROFILES = load_profiles()

KINDS = {
    "u16": ModbusClientMixin.DATATYPE.UINT16,
    "i16": ModbusClientMixin.DATATYPE.INT16,
    "u32": ModbusClientMixin.DATATYPE.UINT32,
    "i32": ModbusClientMixin.DATATYPE.INT32,
    "u64": ModbusClientMixin.DATATYPE.UINT64,
    "i64": ModbusClientMixin.DATATYPE.INT64,
    "f32": ModbusClientMixin.DATATYPE.FLOAT32,
}
SIZES = {"u16": 1, "i16": 1, "u32": 2, "i32": 2, "u64": 4, "i64": 4, "f32": 2}
ORDERS = ["ABCD", "CDAB", "BADC", "DCBA"]


def plan_of(*points: Point) -> Plan:
    profile = trial_profile(*points)
    check(profile)
    return compile_plan(profile)


def energy(kind: str = "u32", order: str = "ABCD", **changes: object) -> Point:
    given_ = {"quantity": "wh_import", "function": 3, "address": 5, "unit": "Wh", **changes}
    return Point(type=kind, order=order, **given_)


def registers(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]


def second_opinion(data: bytes, kind: str, order: str) -> float:
    if order in {"BADC", "DCBA"}:
        data = b"".join(data[at : at + 2][::-1] for at in range(0, len(data), 2))
    word_order = "little" if order in {"CDAB", "DCBA"} else "big"
    return ModbusClientMixin.convert_from_registers(
        registers(data), KINDS[kind], word_order=word_order
    )


def as_sent(data: bytes, order: str) -> bytes:
    words = [data[at : at + 2] for at in range(0, len(data), 2)]
    if order in {"CDAB", "DCBA"}:
        words.reverse()
    if order in {"BADC", "DCBA"}:
        words = [word[::-1] for word in words]
    return b"".join(words)


@pytest.mark.parametrize(("kind", "order"), list(product(KINDS, ORDERS)))
@given(data=st.data())
def test_every_type_and_order_agrees_with_pymodbus(
    kind: str, order: str, data: st.DataObject
) -> None:
    size = 2 * SIZES[kind]
    reply = data.draw(st.binary(min_size=size, max_size=size))
    expected = second_opinion(reply, kind, order)
    (value,) = decode(plan_of(energy(kind, order)), [reply])
    if not math.isfinite(expected) or abs(expected) > MOST_STEPS:
        assert value is None
    else:
        assert value == round(expected)


@given(
    st.integers(-(2**31), 2**31 - 1),
    st.sampled_from(["0.001", "0.01", "0.1", "1", "10", "0.003"]),
    st.integers(1, 1000),
    st.integers(1, 5000),
)
def test_a_scaled_value_is_the_nearest_step_of_the_exact_one(
    raw: int, scale: str, pt: int, ct: int
) -> None:
    point = Point(
        quantity="p",
        function=3,
        address=0,
        type="i32",
        unit="kW",
        scale=Decimal(scale),
        ratio="ptct",
    )
    (value,) = decode(plan_of(point), [raw.to_bytes(4, "big", signed=True)], pt=pt, ct=ct)
    exact = raw * Fraction(scale) * 1000 * pt * ct
    if abs(exact) > MOST_STEPS:
        assert value is None
    else:
        assert isinstance(value, int)
        assert abs(value - exact) <= Fraction(1, 2)


@given(st.integers(0, 0xFFFF), st.integers(1, 4000))
def test_a_voltage_is_the_float_nearest_to_its_tenth(raw: int, pt: int) -> None:
    point = Point(
        quantity="u_a",
        function=3,
        address=0,
        type="u16",
        unit="V",
        scale=Decimal("0.1"),
        ratio="pt",
    )
    (value,) = decode(plan_of(point), [raw.to_bytes(2, "big")], pt=pt)
    assert value == float(Decimal(raw * pt) / 10)


@pytest.mark.parametrize(
    ("ratio", "unit", "quantity", "expected"),
    [
        ("none", "W", "p", 7),
        ("pt", "V", "u_a", 70.0),
        ("ct", "A", "i_a", 210.0),
        ("ptct", "W", "p", 2100),
    ],
)
def test_each_ratio_rule_multiplies_by_what_it_names(
    ratio: str, unit: str, quantity: str, expected: float
) -> None:
    point = Point(quantity=quantity, function=3, address=0, type="u16", unit=unit, ratio=ratio)
    assert decode(plan_of(point), [b"\x00\x07"], pt=10, ct=Decimal(30)) == (expected,)


@pytest.mark.parametrize(
    ("kind", "pattern"),
    [
        ("u16", 0xFFFF),
        ("i16", 0x8000),
        ("u32", 0xFFFFFFFF),
        ("i32", 0x80000000),
        ("u64", 2**63 - 1),
        ("i64", 2**63 - 1),
        ("f32", 0x42F6E979),
    ],
)
@pytest.mark.parametrize("order", ORDERS)
def test_a_sentinel_is_none_and_its_neighbour_is_a_value(
    kind: str, pattern: int, order: str
) -> None:
    point = energy(kind, order, absent=(pattern,))
    plain = energy(kind, order)
    size = 2 * SIZES[kind]
    sent = as_sent(pattern.to_bytes(size, "big"), order)
    assert decode(plan_of(point), [sent]) == (None,)
    assert decode(plan_of(plain), [sent]) != (None,)


@pytest.mark.parametrize("pattern", [0x7FC00000, 0xFFC00000, 0x7F800000, 0xFF800000])
def test_a_float_that_is_no_number_is_none(pattern: int) -> None:
    assert decode(plan_of(energy("f32")), [pattern.to_bytes(4, "big")]) == (None,)


def test_a_block_without_reply_gives_none_and_leaves_the_others() -> None:
    plan = plan_of(
        Point(quantity="cover_open", function=2, address=9, type="bit", unit="bit"),
        Point(quantity="u_a", function=3, address=0, type="u16", unit="V"),
    )
    assert plan.columns == ("cover_open", "u_a")
    assert decode(plan, [None, b"\x00\xdc"]) == (None, 220.0)
    assert decode(plan, [b"\x01", None]) == (1, None)


def test_a_reply_of_another_length_is_refused() -> None:
    with pytest.raises(GarbledReply):
        decode(plan_of(energy()), [b"\x00\x00"])


def test_mixed_orders_in_one_block_are_told_apart() -> None:
    plan = plan_of(
        energy("u32", "CDAB", address=0),
        energy("u32", "ABCD", address=3, quantity="wh_export"),
    )
    assert decode(plan, [bytes.fromhex("0002 0001 ffff 0001 0002")]) == (0x10002, 0x10002)


MOST = {"V": 250, "A": 80, "W": 17_000, "var": 9_000, "VA": 19_000, "1": 1, "Hz": 60, "bit": 1}


@pytest.mark.parametrize("name", sorted(PROFILES))
@given(data=st.data())
def test_what_was_encoded_decodes_to_the_same_value(name: str, data: st.DataObject) -> None:
    plan = compile_plan(PROFILES[name], groups=EVERY_GROUP)
    points = {point.quantity: point for point in PROFILES[name].points}
    values = {
        column: float(data.draw(st.integers(0, MOST.get(QUANTITIES[column].unit, 10**7))))
        for column in plan.columns
    }
    decoded = dict(zip(plan.columns, decode(plan, encode(plan, values)), strict=True))
    for column, wanted in values.items():
        got = decoded[column]
        if shows_nothing(points[column], wanted):
            assert got is None
        else:
            assert got is not None
            assert abs(got - wanted) <= coarseness(points[column], wanted)


@pytest.mark.parametrize("name", sorted(PROFILES))
@given(data=st.data())
def test_what_is_not_available_comes_back_as_unknown_and_leaves_its_neighbours(
    name: str, data: st.DataObject
) -> None:
    plan = compile_plan(PROFILES[name], groups=EVERY_GROUP)
    able = [p.quantity for p in PROFILES[name].points if p.absent or p.type == "f32"]
    gone = set(data.draw(st.lists(st.sampled_from(able)))) if able else set()
    values: dict[str, float | None] = {
        column: None if column in gone else 1.0 for column in plan.columns
    }
    decoded = dict(zip(plan.columns, decode(plan, encode(plan, values)), strict=True))
    assert {column for column, value in decoded.items() if value is None} == gone


@pytest.mark.parametrize("name", sorted(PROFILES))
@given(data=st.data())
def test_no_bytes_whatever_break_the_decoding_or_give_what_no_column_holds(
    name: str, data: st.DataObject
) -> None:
    plan = compile_plan(PROFILES[name], groups=EVERY_GROUP)
    replies = [
        data.draw(st.binary(min_size=block.payload_bytes, max_size=block.payload_bytes))
        for block in plan.blocks
    ]
    try:
        values = decode(plan, replies, pt=data.draw(st.integers(1, 10_000)), ct=999)
    except GarbledReply as refused:
        assert refused.facts["why"] == "mark"  # noqa: PT017  only SunSpec's model may have moved
        assert PROFILES[name].marks
        return
    for value in values:
        assert value is None or (math.isfinite(value) and abs(value) < 2**63)


def test_a_scale_factor_is_taken_from_the_same_reply_and_may_change_between_polls() -> None:
    point = Point(
        quantity="p", function=3, address=5, type="i16", unit="W", factor_at=9, absent=(0x8000,)
    )
    plan = plan_of(point)
    assert plan.blocks == (Block(3, 5, 5),)
    for raw, factor, expected in (
        (1234, 0, 1234),
        (1234, 2, 123_400),
        (-1234, 1, -12_340),
        (12_345, -1, 1235),
        (1234, 0xFFFE - 0x10000, 12),
    ):
        reply = struct.pack(">hxxxxxxh", raw, factor)
        assert decode(plan, [reply]) == (expected,)


@pytest.mark.parametrize("factor", [-32768, 11, -11, 32767])
def test_a_scale_factor_that_is_none_gives_no_value(factor: int) -> None:
    point = Point(quantity="p", function=3, address=0, type="i16", unit="W", factor_at=1)
    assert decode(plan_of(point), [struct.pack(">hh", 7, factor)]) == (None,)


def test_a_sentinel_under_a_scale_factor_is_none() -> None:
    point = Point(
        quantity="p", function=3, address=0, type="i16", unit="W", factor_at=1, absent=(0x8000,)
    )
    assert decode(plan_of(point), [struct.pack(">hh", -32768, 0)]) == (None,)


def test_a_register_that_should_never_change_and_did_refuses_the_whole_block() -> None:
    point = Point(quantity="p", function=3, address=2, type="i16", unit="W")
    profile = replace(plan_of(point).profile, marks=(Mark(3, 0, 203),))
    check(profile)
    plan = compile_plan(profile)
    assert plan.blocks == (Block(3, 0, 3),)
    assert decode(plan, [struct.pack(">HHh", 203, 0, 7)]) == (7,)
    with pytest.raises(GarbledReply, match="mark"):
        decode(plan, [struct.pack(">HHh", 201, 0, 7)])


@pytest.mark.parametrize(
    ("coded", "pf"),
    [(0.8, 0.8), (1.2, 0.8), (-0.8, -0.8), (-1.2, -0.8), (1.0, 1.0), (-1.0, -1.0), (0.0, 0.0)],
)
def test_a_four_quadrant_power_factor_keeps_its_size_and_the_direction_of_power(
    coded: float, pf: float
) -> None:
    point = Point(quantity="pf", function=3, address=0, type="f32", unit="1", form="pf_4q")
    assert decode(plan_of(point), [struct.pack(">f", coded)]) == (pf,)


@given(st.floats(-1, 1, width=32), st.sampled_from([-500.0, 0.0, 500.0]))
def test_a_power_factor_coded_in_four_quadrants_comes_back(pf: float, q: float) -> None:
    point = Point(quantity="pf", function=3, address=0, type="f32", unit="1", form="pf_4q")
    plan = plan_of(point)
    (value,) = decode(plan, encode(plan, {"pf": pf, "q": q}))
    assert value == pytest.approx(pf, abs=0.00051)


@pytest.mark.parametrize("raw", [3.4e38, -3.4e38])
def test_a_number_no_column_holds_is_unknown(raw: float) -> None:
    point = energy("f32", unit="MWh")
    assert decode(plan_of(point), [struct.pack(">f", raw)]) == (None,)


def test_a_counter_rolls_over_and_anything_else_that_does_not_fit_is_refused() -> None:
    assert encode(plan_of(energy("u16")), {"wh_import": 65537.0}) == (b"\x00\x01",)
    assert encode(plan_of(energy("i16")), {"wh_import": 32768.0}) == (b"\x00\x00",)
    point = Point(quantity="p", function=3, address=0, type="i16", unit="W")
    with pytest.raises(DoesNotFit):
        encode(plan_of(point), {"p": 40000.0})
