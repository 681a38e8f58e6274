"""Plans: few reads, none where the terminal does not answer, none too long."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.modbus.plan import Block, byte_positions, compile_plan
from metering.modbus.profile import Point, Profile, Span, load_profiles
from metering.modbus.quantities import EVERY_GROUP
from tests.factories.registers import trial_profile

NAMES = ["u_a", "u_b", "u_c", "i_a", "i_b", "i_c", "i_n", "p", "p_a", "p_b", "p_c", "q"]
UNITS = {"u": "V", "i": "A", "p": "W", "q": "var"}


def profile_at(addresses: list[int], *spans: Span, max_registers: int = 125) -> Profile:
    points = tuple(
        Point(quantity=name, function=3, address=address, type="u16", unit=UNITS[name[0]])
        for name, address in zip(NAMES, addresses, strict=False)
    )
    return trial_profile(
        *points, readable=spans or (Span(3, 0, 0xFFFF),), max_registers=max_registers
    )


@pytest.mark.parametrize(
    ("name", "blocks"),
    [
        ("eastron_sdm630", [Block(4, 0x0000, 78)]),
        ("acrel_adl400", [Block(3, 0x000A, 32), Block(3, 0x0061, 23), Block(3, 0x0164, 28)]),
        ("demo_terminal", [Block(2, 0, 1), Block(3, 0, 44)]),
        ("demo_single", [Block(2, 0, 1), Block(3, 0x100, 18)]),
    ],
)
def test_the_shipped_profiles_need_few_reads(name: str, blocks: list[Block]) -> None:
    assert list(compile_plan(load_profiles()[name]).blocks) == blocks


def test_every_point_has_one_column() -> None:
    for profile in load_profiles().values():
        plan = compile_plan(profile, groups=EVERY_GROUP)
        assert sorted(plan.columns) == sorted(point.quantity for point in profile.points)


def test_a_gap_up_to_the_limit_is_read_through() -> None:
    assert compile_plan(profile_at([0, 33])).blocks == (Block(3, 0, 34),)
    assert compile_plan(profile_at([0, 34])).blocks == (Block(3, 0, 1), Block(3, 34, 1))
    assert len(compile_plan(profile_at([0, 3]), gap_limit=1).blocks) == 2


def test_a_read_never_crosses_readable_spans() -> None:
    profile = profile_at([9, 10], Span(3, 0, 9), Span(3, 10, 19))
    assert compile_plan(profile).blocks == (Block(3, 9, 1), Block(3, 10, 1))


def test_a_read_is_never_longer_than_the_model_allows() -> None:
    profile = profile_at([0, 9, 10], max_registers=10)
    assert compile_plan(profile).blocks == (Block(3, 0, 10), Block(3, 10, 1))


def test_bits_may_lie_further_apart() -> None:
    cover = Point(quantity="cover_open", function=2, address=511, type="bit", unit="bit")
    profile = replace(profile_at([0]), points=(cover,), readable=(Span(2, 0, 600),))
    assert compile_plan(profile).blocks == (Block(2, 511, 1),)
    assert compile_plan(profile).blocks[0].payload_bytes == 1


@given(
    st.lists(st.integers(0, 400), min_size=1, max_size=len(NAMES), unique=True),
    st.integers(1, 125),
    st.integers(0, 64),
)
def test_each_wanted_register_is_read_once_within_every_limit(
    addresses: list[int], max_registers: int, gap_limit: int
) -> None:
    profile = profile_at(addresses, Span(3, 0, 199), Span(3, 200, 400), max_registers=max_registers)
    plan = compile_plan(profile, gap_limit=gap_limit)
    read = [at for block in plan.blocks for at in range(block.address, block.address + block.count)]
    assert len(read) == len(set(read))
    assert set(addresses) <= set(read)
    for block in plan.blocks:
        assert block.count <= max_registers
        assert block.address // 200 == (block.address + block.count - 1) // 200 or 400 in read


@given(st.sampled_from(["ABCD", "CDAB", "BADC", "DCBA"]), st.sampled_from([2, 4, 8]))
def test_every_order_is_its_own_inverse(order: str, size: int) -> None:
    positions = byte_positions(order, size)
    assert [positions[at] for at in positions] == list(range(size))
