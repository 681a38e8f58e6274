"""The replies of many terminals with one plan, turned into values at once, as arrays.

`decode` is the specification: here stands the same arithmetic for thousands of replies, and a
reply with a number beyond what arrays compute exactly is given to `decode` itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from metering.modbus.decode import Rule, decode, rules
from metering.modbus.plan import CODES, Plan, byte_positions
from metering.modbus.profile_parts import Point

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_EXACT = 2**53
"""Whole numbers up to here are exact as 64-bit floats."""
_ROOM = 2**61
_MOST = float(2**63)


@dataclass(frozen=True, slots=True, eq=False)
class _Kind:
    """The points of one type: which columns they are, and where their bytes stand."""

    type: str
    columns: NDArray[np.intp]
    positions: NDArray[np.intp]
    coded: list[int]
    """Which of them are four-quadrant power factors."""

    @property
    def dtype(self) -> np.dtype[np.generic]:
        return np.dtype(">" + CODES[self.type])


@dataclass(frozen=True, slots=True, eq=False)
class _Scale:
    """How the raw numbers of a kind become values under one pair of ratios; see `Rule`."""

    absent: list[tuple[int, list[int | float]]]
    up: NDArray[np.int64]
    down: NDArray[np.int64]
    factor: Floats
    steps_per_unit: Floats
    least: NDArray[np.int64]
    most: NDArray[np.int64]
    """Whole numbers from `least` to `most` stay exact all the way."""


def decode_many(plan: Plan, joined: Sequence[bytes], *, pt: int = 1, ct: int = 1) -> Floats:
    """Turn replies into values.

    Args:
        plan: the compiled profile; one with `sizes`.
        joined: of each terminal, the data bytes of all blocks one after the other, each block as
            long as `sizes` says.
        pt: voltage transformer ratio of all of them [1].
        ct: current transformer ratio of all of them [1].

    Returns:
        A row per terminal, a column per column of the plan: what `decode` gives, as 64-bit
        floats, NaN for None.
    """
    if plan.sizes is None:
        raise ValueError("this plan is decoded terminal by terminal")
    raw = np.frombuffer(b"".join(joined), dtype=np.uint8).reshape(len(joined), sum(plan.sizes))
    values = np.empty((len(joined), len(plan.columns)))
    beyond = np.zeros(len(joined), dtype=np.bool_)
    for kind, scale in _compiled(plan, pt, ct):
        if kind.type == "bit":
            at, shift = np.divmod(kind.positions, 8)
            values[:, kind.columns] = raw[:, at] >> shift & 1
            continue
        numbers = np.take(raw, kind.positions, axis=1).view(kind.dtype)
        if kind.type == "f32":
            values[:, kind.columns] = _floats(numbers, kind, scale)
        else:
            values[:, kind.columns], is_beyond = _wholes(numbers, scale)
            beyond |= is_beyond
    for row in np.nonzero(beyond)[0].tolist():
        values[row] = np.array(decode(plan, _cut(plan.sizes, joined[row]), pt=pt, ct=ct), float)
    return values


def _wholes(numbers: NDArray[np.generic], scale: _Scale) -> tuple[Floats, Mask]:
    """Scale whole numbers; say in which rows one is beyond what is exact here."""
    raws = numbers.astype(np.int64)  # the upper half of u64 turns negative, and so is beyond
    absent = _absent(raws, scale)
    if absent is not None:
        raws[absent] = 0
    beyond = np.asarray(((raws < scale.least) | (raws > scale.most)).any(axis=1), dtype=np.bool_)
    steps = (2 * raws * scale.up + scale.down) // (2 * scale.down)
    values = steps / scale.steps_per_unit
    if absent is not None:
        values[absent] = np.nan
    return values, beyond


def _floats(numbers: NDArray[np.generic], kind: _Kind, scale: _Scale) -> Floats:
    with np.errstate(invalid="ignore", over="ignore"):
        raws = numbers.astype(np.float64)
        for column in kind.coded:
            one = raws[:, column]
            raws[:, column] = np.where(one > 1, 2 - one, np.where(one < -1, -2 - one, one))
        steps = np.rint(raws * scale.factor)
        values = steps / scale.steps_per_unit + 0.0  # there is no negative zero
        values[~(np.abs(steps) < _MOST)] = np.nan
    absent = _absent(raws, scale)
    if absent is not None:
        values[absent] = np.nan
    return values


def _absent(raws: NDArray[np.int64] | Floats, scale: _Scale) -> Mask | None:
    """Which numbers mean "not available"."""
    if not scale.absent:
        return None
    mask = np.zeros(raws.shape, dtype=np.bool_)
    for column, patterns in scale.absent:
        for pattern in patterns:
            mask[:, column] |= raws[:, column] == pattern
    return mask


def _cut(sizes: Sequence[int], joined: bytes) -> list[bytes]:
    ends = list(accumulate(sizes))
    return [joined[end - size : end] for size, end in zip(sizes, ends, strict=True)]


@lru_cache(maxsize=1024)
def _compiled(plan: Plan, pt: int, ct: int) -> tuple[tuple[_Kind, _Scale], ...]:
    """Sort a plan's points by type, and compile their scales for one pair of ratios."""
    found: dict[str, list[tuple[int, Point, int, Rule]]] = {}
    column = start = 0
    for layout, of_points in zip(plan.layouts, rules(plan, pt, ct), strict=True):
        for point, rule in zip(layout.points, of_points, strict=True):
            offset = point.address - layout.block.address
            at = 8 * start + offset if point.type == "bit" else start + 2 * offset
            found.setdefault(point.type, []).append((column, point, at, rule))
            column += 1
        start += layout.block.payload_bytes
    return tuple(
        (_kind(name, some), _scale(name, [rule for *_, rule in some]))
        for name, some in found.items()
    )


def _kind(name: str, some: Sequence[tuple[int, Point, int, Rule]]) -> _Kind:
    positions = [
        at + position
        for _, point, at, _ in some
        for position in ((0,) if name == "bit" else byte_positions(point.order, 2 * point.size))
    ]
    return _Kind(
        name,
        np.array([column for column, *_ in some]),
        np.array(positions),
        [number for number, (_, point, *_) in enumerate(some) if point.form == "pf_4q"],
    )


def _scale(name: str, some: Sequence[Rule]) -> _Scale:
    exact = [_is_exact(rule) for rule in some]
    most = [_most(rule) if is_exact else -1 for rule, is_exact in zip(some, exact, strict=True)]
    is_signed = name.startswith("i")
    return _Scale(
        [
            (number, [_wrapped(pattern) for pattern in rule.absent])
            for number, rule in enumerate(some)
            if rule.absent
        ],
        np.array([rule.up if ok else 1 for rule, ok in zip(some, exact, strict=True)], np.int64),
        np.array([rule.down if ok else 1 for rule, ok in zip(some, exact, strict=True)], np.int64),
        np.array([rule.factor for rule in some]),
        np.array([rule.steps_per_unit for rule in some], dtype=np.float64),
        np.array([-limit if is_signed else 0 for limit in most], np.int64),
        np.array(most, np.int64),
    )


def _is_exact(rule: Rule) -> bool:
    """Whether 64 bits hold the scale of whole numbers at all."""
    return 0 < rule.down < _ROOM and abs(rule.up) < _ROOM


def _most(rule: Rule) -> int:
    """The largest raw number whose steps are computed and divided exactly."""
    up = max(1, abs(rule.up))
    return min((_ROOM - rule.down) // up, _EXACT * rule.down // up - 1, 2**62)


def _wrapped(pattern: float) -> float:
    """A pattern as it looks as a signed 64-bit number."""
    return pattern - 2**64 if isinstance(pattern, int) and pattern >= 2**63 else pattern
