"""Packing: what is packed is what comes back, one by one and at once, with and without NULLs."""

import math
from datetime import UTC, datetime, timedelta
from struct import pack, unpack

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.readings.packing import (
    COLUMNS,
    Block,
    pack_block,
    pack_reading,
    pack_readings,
    unpack_readings,
)
from metering.readings.types import ENERGIES, MEASURES, NewReading, Quality, Source

SLOT = datetime(2026, 6, 18, 11, tzinfo=UTC)
registers = st.one_of(st.none(), st.integers(-(2**53), 2**53))
measures = st.one_of(st.none(), st.floats(width=32, allow_nan=False, allow_infinity=False))
readings = st.builds(
    NewReading,
    ts=st.integers(0, 10**6).map(lambda n: SLOT + timedelta(seconds=n)),
    meter_id=st.integers(1, 2**31 - 1),
    read_off_s=st.integers(-32_767, 32_767),
    quality=st.integers(0, 511).map(Quality),
    source=st.sampled_from(Source),
    inputs=st.one_of(st.none(), st.integers(0, 255)),
    values=st.fixed_dictionaries(
        dict.fromkeys(ENERGIES, registers) | dict.fromkeys(MEASURES, measures)
    ),
)


def block_of(some: list[NewReading]) -> Block:
    def value(one: NewReading, name: str) -> float:
        known = one.values[name]
        return math.nan if known is None else float(known)

    return Block(
        slot_s=np.array([int(one.ts.timestamp()) for one in some], dtype=np.int64),
        meter_id=np.array([one.meter_id for one in some], dtype=np.int32),
        read_off_s=np.array([one.read_off_s for one in some], dtype=np.int16),
        quality=np.array([int(one.quality) for one in some], dtype=np.int16),
        source=np.array([int(one.source) for one in some], dtype=np.int16),
        inputs=np.array([-1 if one.inputs is None else one.inputs for one in some], dtype=np.int16),
        values=np.array(
            [[value(one, name) for name in (*ENERGIES, *MEASURES)] for one in some],
            dtype=np.float64,
        ).reshape(-1, len(ENERGIES) + len(MEASURES)),
    )


def by_bytes(packed: bytes) -> list[bytes]:
    """Cut into rows, sorted: an order among rows is not promised."""
    rows, at = [], 0
    while at < len(packed):
        start, at = at, at + 2
        for _ in COLUMNS:
            (size,) = unpack(">i", packed[at : at + 4])
            at += 4 + max(size, 0)
        rows.append(packed[start:at])
    return sorted(rows)


@given(st.lists(readings, min_size=1, max_size=6))
def test_what_is_packed_comes_back(some: list[NewReading]) -> None:
    assert list(unpack_readings(pack_readings(some))) == some


@given(st.lists(readings, max_size=8))
def test_packing_at_once_gives_the_same_rows(some: list[NewReading]) -> None:
    if some:
        assert by_bytes(pack_block(block_of(some))) == by_bytes(pack_readings(some))


def test_a_row_without_nulls_is_one_struct_and_has_every_column() -> None:
    values = dict.fromkeys(ENERGIES, 7) | dict.fromkeys(MEASURES, 1.5)
    whole = NewReading(SLOT, 5, 3, Quality.GOOD, Source.POLL, values, inputs=1)
    packed = pack_reading(whole)
    assert packed[:2] == pack(">h", len(COLUMNS))
    assert len(packed) == 2 + 4 * len(COLUMNS) + 8 + 4 + 4 * 2 + 3 * 8 + 17 * 4


@pytest.mark.parametrize("value", [1e39, math.inf, -math.inf, math.nan])
def test_what_a_column_cannot_hold_is_unknown_not_another_number(value: float) -> None:
    one = NewReading(
        SLOT, 5, 3, Quality.OUT_OF_RANGE, Source.POLL, {"u_a": value, "wh_import": value}
    )
    (back,) = unpack_readings(pack_reading(one))
    assert back.values["u_a"] is None
    assert back.values["wh_import"] is None
    full = one.values | {name: None for name in (*ENERGIES, *MEASURES) if name not in one.values}
    same = NewReading(SLOT, 5, 3, Quality.OUT_OF_RANGE, Source.POLL, full)
    assert by_bytes(pack_block(block_of([same]))) == by_bytes(pack_reading(one))
