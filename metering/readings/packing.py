"""Readings as PostgreSQL's binary COPY rows: one by one, or thousands at once.

Source: PostgreSQL documentation, COPY, binary format (field counts and lengths, big-endian,
length -1 for NULL; timestamps are microseconds since 2000-01-01 UTC).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from struct import Struct, pack

import numpy as np
from numpy.typing import NDArray

from metering.readings.types import ENERGIES, MEASURES, NewReading, Quality, Source

COLUMNS = ("ts", "meter_id", "read_off_s", "quality", "source", "inputs", *ENERGIES, *MEASURES)
"""The columns of a row, in order."""

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
EPOCH_S = int(EPOCH.timestamp())
MOST_REAL = float(np.finfo(np.float32).max)
MOST_INT8 = 2**63 - 1
MOST_OFFSET_S = 32_767
_FIELDS = len(COLUMNS)
_NULL = b"\xff\xff\xff\xff"
_WHOLE = Struct(f">h iq ii ih ih ih ih {'iq' * len(ENERGIES)} {'if' * len(MEASURES)}")
_SIZES = (8, 4, 2, 2, 2, 2, *(8,) * len(ENERGIES), *(4,) * len(MEASURES))
_HEAD = Struct(">h iq ii ih ih ih")
_KINDS = (">i8", ">i4", ">i2", ">i2", ">i2", ">i2", *(">i8",) * 3, *(">f4",) * len(MEASURES))
_LEAD = 5  # columns before `inputs`: never NULL


@dataclass(frozen=True, slots=True)
class Block:
    """n readings as arrays.

    Attributes:
        slot_s: start of the interval [s since 1970]; read_off_s: from there to the reading [s].
        inputs: bits, -1 where unknown.
        values: shape (n, 20), columns in the order of ENERGIES and MEASURES, NaN unknown;
            registers are whole numbers below 2**53.
    """

    slot_s: NDArray[np.int64]
    meter_id: NDArray[np.int32]
    read_off_s: NDArray[np.int16]
    quality: NDArray[np.int16]
    source: NDArray[np.int16]
    inputs: NDArray[np.int16]
    values: NDArray[np.float64]


def pack_reading(one: NewReading) -> bytes:
    """Pack one reading; what is missing, None, or larger than its column holds is NULL."""
    offset = max(-MOST_OFFSET_S, min(MOST_OFFSET_S, one.read_off_s))
    microseconds = (one.ts - EPOCH) // timedelta(microseconds=1)
    head = (8, microseconds, 4, one.meter_id, 2, offset, 2, int(one.quality), 2, int(one.source))
    value = one.values.get
    energies = [_register(value(name)) for name in ENERGIES]
    measures = [_measure(value(name)) for name in MEASURES]
    if one.inputs is not None and None not in energies and None not in measures:
        sized: list[float | None] = [part for register in energies for part in (8, register)]
        sized += [part for measure in measures for part in (4, measure)]
        return _WHOLE.pack(_FIELDS, *head, 2, one.inputs, *sized)
    parts = [_HEAD.pack(_FIELDS, *head)]
    parts.append(_NULL if one.inputs is None else pack(">ih", 2, one.inputs))
    parts += [_NULL if register is None else pack(">iq", 8, register) for register in energies]
    parts += [_NULL if measure is None else pack(">if", 4, measure) for measure in measures]
    return b"".join(parts)


def pack_readings(readings: Sequence[NewReading]) -> bytes:
    """Pack readings one by one."""
    return b"".join(map(pack_reading, readings))


def pack_block(block: Block) -> bytes:
    """Pack readings given as arrays: rows with the same columns unknown are packed at once."""
    unknown = np.concatenate(((block.inputs < 0)[:, None], _unstorable(block.values)), axis=1)
    weights = 1 << np.arange(unknown.shape[1], dtype=np.int64)
    patterns = unknown @ weights
    first = int(patterns[0]) if len(patterns) else 0
    if (patterns == first).all():
        return _pack_alike(block, slice(None), unknown[:1])
    parts = []
    for pattern in np.unique(patterns):
        rows = np.nonzero(patterns == pattern)[0]
        parts.append(_pack_alike(block, rows, unknown[rows[:1]]))
    return b"".join(parts)


def unpack_readings(rows: bytes) -> Iterator[NewReading]:
    """Give packed readings back, NULLs as None."""
    at = 0
    while at < len(rows):
        at += 2
        fields: list[bytes | None] = []
        for _ in COLUMNS:
            size = int.from_bytes(rows[at : at + 4], "big", signed=True)
            at += 4
            fields.append(None if size < 0 else rows[at : at + size])
            at += max(size, 0)
        yield _reading(fields)


def _reading(fields: Sequence[bytes | None]) -> NewReading:
    whole = [None if f is None else int.from_bytes(f, "big", signed=True) for f in fields[:9]]
    real = Struct(">f")
    measures = [None if field is None else real.unpack(field)[0] for field in fields[9:]]
    values: dict[str, float | int | None] = dict(zip(ENERGIES, whole[6:], strict=True))
    return NewReading(
        ts=EPOCH + timedelta(microseconds=whole[0] or 0),
        meter_id=whole[1] or 0,
        read_off_s=whole[2] or 0,
        quality=Quality(whole[3] or 0),
        source=Source(whole[4] or 1),
        values=values | dict(zip(MEASURES, measures, strict=True)),
        inputs=whole[5],
    )


def _register(value: float | None) -> int | None:
    if value is None or not abs(value) <= MOST_INT8:
        return None
    return int(value)


def _measure(value: float | None) -> float | None:
    return None if value is None or not abs(value) <= MOST_REAL else float(value)


def _unstorable(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which values are unknown, or larger than their column holds."""
    count = len(ENERGIES)
    limits = np.full(values.shape[1], MOST_REAL)
    limits[:count] = float(2**63 - 1024)  # the largest double below 2**63
    with np.errstate(invalid="ignore"):
        return np.asarray(~(np.abs(values) <= limits), dtype=np.bool_)


def _pack_alike(
    block: Block, rows: "NDArray[np.int64] | slice", unknown: NDArray[np.bool_]
) -> bytes:
    """Pack rows that have the same columns unknown."""
    missing = [False] * _LEAD + unknown[0].tolist()
    layout = [("n", ">i2")]
    for number, (kind, is_null) in enumerate(zip(_KINDS, missing, strict=True)):
        layout.append((f"l{number}", ">i4"))
        if not is_null:
            layout.append((f"v{number}", kind))
    packed = np.empty(len(block.meter_id[rows]), dtype=layout)
    packed["n"] = _FIELDS
    fixed = (
        (block.slot_s[rows] - EPOCH_S) * 1_000_000,
        block.meter_id[rows],
        block.read_off_s[rows],
        block.quality[rows],
        block.source[rows],
        block.inputs[rows],
    )
    for number, is_null in enumerate(missing):
        packed[f"l{number}"] = -1 if is_null else _SIZES[number]
        if not is_null:
            is_fixed = number < len(fixed)
            column = fixed[number] if is_fixed else block.values[rows, number - len(fixed)]
            packed[f"v{number}"] = column
    return packed.tobytes()
