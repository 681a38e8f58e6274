"""The rules of `validation` on arrays: a flush of thousands of readings at once.

Shapes: n readings, columns in the order of ENERGIES and MEASURES, values in whole numbers of
their resolution.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from metering.readings.rules.energy import ROUND_SHARE
from metering.readings.rules.validation import (
    HUGE,
    MOST_S,
    MOST_WH,
    PHASES,
    Before,
    Limits,
    Rating,
    Sample,
)
from metering.readings.types import ENERGIES, MEASURES, Doubt

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

COLUMNS = (*ENERGIES, *MEASURES)
AT = {name: index for index, name in enumerate(COLUMNS)}
NEVER = -1
"""Stands for "no register limit", and for an instant that is not known."""


@dataclass(slots=True)
class Ratings:
    """What n meters are built for; fields as in `Rating`, no limit is NEVER."""

    nominal: Ints
    is_three_phase: Flags
    most_w: Ints
    ratio: Ints
    register_wh: Ints

    @classmethod
    def room(cls, size: int) -> "Ratings":
        """Make room for meters."""
        zeros = [np.zeros(size, dtype=np.int64) for _ in range(4)]
        return cls(zeros[0], np.zeros(size, dtype=np.bool_), *zeros[1:])

    def put(self, row: int, rating: Rating) -> None:
        """Write one meter down."""
        self.nominal[row], self.is_three_phase[row] = rating.nominal, rating.is_three_phase
        self.most_w[row], self.ratio[row] = rating.most_w, rating.ratio
        self.register_wh[row] = NEVER if rating.register_wh is None else rating.register_wh


@dataclass(slots=True)
class Memories:
    """What is remembered of n meters; fields as in `Before`, with flags for what is known."""

    at_s: Ints
    registers: Ints
    registers_known: Flags
    p: Ints
    p_known: Flags
    still_s: Ints
    still_w: Ints
    still_known: Flags
    seen: Flags

    @classmethod
    def room(cls, size: int) -> "Memories":
        """Make room for meters nothing is remembered of."""
        ints = [np.zeros(size, dtype=np.int64) for _ in range(4)]
        flags = [np.zeros(size, dtype=np.bool_) for _ in range(3)]
        return cls(
            at_s=ints[0],
            registers=np.zeros((size, len(ENERGIES)), dtype=np.int64),
            registers_known=np.zeros((size, len(ENERGIES)), dtype=np.bool_),
            p=ints[1],
            p_known=flags[0],
            still_s=ints[2],
            still_w=ints[3],
            still_known=flags[1],
            seen=flags[2],
        )

    def put(self, row: int, before: Before | None) -> None:
        """Write down what is remembered of one meter."""
        self.seen[row] = before is not None
        if before is None:
            return
        self.at_s[row], self.still_s[row] = before.at_s, before.still_s
        for number, register in enumerate(before.registers):
            self.registers[row, number] = register or 0
            self.registers_known[row, number] = register is not None
        self.p[row], self.p_known[row] = before.p or 0, before.p is not None
        self.still_w[row], self.still_known[row] = before.still_w or 0, before.still_w is not None

    def get(self, row: int) -> Before | None:
        """Give what is remembered of one meter."""
        if not self.seen[row]:
            return None
        known, registers = self.registers_known[row], self.registers[row]
        first, second, third = (
            int(register) if is_known else None
            for register, is_known in zip(registers, known, strict=True)
        )
        return Before(
            at_s=int(self.at_s[row]),
            registers=(first, second, third),
            p=int(self.p[row]) if self.p_known[row] else None,
            still_s=int(self.still_s[row]),
            still_w=int(self.still_w[row]) if self.still_known[row] else None,
        )


@dataclass(slots=True)
class Readings:
    """n readings: values of shape (n, columns), which of them are known, when they were read."""

    values: Ints
    known: Flags
    at_s: Ints

    def sample(self, row: int) -> Sample:
        """Give one reading's values."""
        return {
            name: int(self.values[row, number])
            for name, number in AT.items()
            if self.known[row, number]
        }


def take(source: Ratings | Memories, rows: Ints) -> "Ratings | Memories":
    """Gather some meters of many, in the order asked."""
    return type(source)(*(getattr(source, one.name)[rows] for one in fields(source)))


def doubts_of(readings: Readings, before: Memories, ratings: Ratings, limits: Limits) -> Ints:
    """Say, per reading, which rules object."""
    found = np.where(_out_of_range(readings, ratings, limits), int(Doubt.RANGE), 0)
    tame = _tamed(readings)
    found |= _register_doubts(readings, tame, before, ratings, limits)
    found |= _phase_doubts(readings.values, tame, ratings, limits)
    odd = _ratio_is_odd(readings.values, tame, ratings, limits)
    return np.asarray(found | np.where(odd, int(Doubt.CT_RATIO), 0), dtype=np.int64)


def remembered(readings: Readings, before: Memories) -> Memories:
    """Give what is remembered after the readings."""
    tame, values = _tamed(readings), readings.values
    energies = slice(0, len(ENERGIES))
    p, p_known = values[:, AT["p"]], tame[:, AT["p"]]
    register, is_known = values[:, 0], tame[:, 0]
    stands = before.seen & is_known & before.registers_known[:, 0]
    stands &= before.registers[:, 0] == register
    still_known = np.where(stands, p_known & before.still_known, p_known)
    least = np.where(stands, np.minimum(p, before.still_w), p)
    return Memories(
        at_s=readings.at_s,
        registers=np.where(tame[:, energies], values[:, energies], 0),
        registers_known=tame[:, energies],
        p=np.where(p_known, p, 0),
        p_known=p_known,
        still_s=np.where(stands, before.still_s, readings.at_s),
        still_w=np.where(still_known, least, 0),
        still_known=still_known,
        seen=np.ones(len(p), dtype=np.bool_),
    )


def _tamed(readings: Readings) -> Flags:
    tame = readings.known & (np.abs(readings.values) < HUGE)
    tame[:, : len(ENERGIES)] = readings.known[:, : len(ENERGIES)]
    return tame


def _out_of_range(readings: Readings, ratings: Ratings, limits: Limits) -> Flags:
    values, known = readings.values, readings.known
    bad = np.abs(values) >= HUGE
    bad[:, : len(ENERGIES)] = values[:, : len(ENERGIES)] < 0
    most = (ratings.nominal * limits.volts_permille // 1000)[:, None]
    volts = values[:, AT["u_a"] : AT["u_c"] + 1]
    bad[:, AT["u_a"] : AT["u_c"] + 1] = (volts < 0) | (volts > most)
    amps = values[:, AT["i_a"] : AT["i_n"] + 1]
    bad[:, AT["i_a"] : AT["i_n"] + 1] = np.abs(amps) > limits.milliamps
    bad[:, AT["pf"]] = np.abs(values[:, AT["pf"]]) > limits.power_factor
    low, high = limits.frequency
    frequency = values[:, AT["f"]]
    bad[:, AT["f"]] = (frequency != 0) & ((frequency < low) | (frequency > high))
    return np.asarray((bad & known).any(axis=1), dtype=np.bool_)


def _register_doubts(
    readings: Readings, tame: Flags, before: Memories, ratings: Ratings, limits: Limits
) -> Ints:
    values = readings.values
    elapsed = np.minimum(readings.at_s - before.at_s, MOST_S)
    slack = limits.slack_wh * ratings.ratio
    most_w = ratings.most_w * limits.most_permille // 1000
    found = np.zeros(len(values), dtype=np.int64)
    for number in range(len(ENERGIES)):
        both = before.seen & tame[:, number] & before.registers_known[:, number]
        step, is_reset = _step(before.registers[:, number], values[:, number], ratings.register_wh)
        too_fast = np.minimum(step, MOST_WH) > most_w * elapsed // 3600 + slack
        found |= np.where(both & is_reset, int(Doubt.RESET), 0)
        found |= np.where(both & ~is_reset & (elapsed > 0) & too_fast, int(Doubt.STEP), 0)
        if number == 0:
            first, was_reset, comparable = np.minimum(step, MOST_WH), is_reset, both
    p, p_known = values[:, AT["p"]], tame[:, AT["p"]]
    least = np.minimum(p, before.still_w)
    still_s = np.minimum(readings.at_s - before.still_s, MOST_S)
    still = comparable & p_known & before.still_known & (values[:, 0] == before.registers[:, 0])
    still &= (least > 0) & (least * still_s >= limits.still_wh * ratings.ratio * 3600)
    found |= np.where(still, int(Doubt.STOPPED), 0)
    both = comparable & ~was_reset & p_known & before.p_known
    both &= (elapsed > 0) & (elapsed <= limits.energy_longest_s)
    high, low = np.maximum(np.maximum(p, before.p), 0), np.minimum(p, before.p)
    floor = ratings.most_w * limits.energy_floor_permille // 1000
    upper = (high * limits.energy_permille // 1000 + floor) * elapsed // 3600 + slack
    lower = low * 1000 // limits.energy_permille * elapsed // 3600
    odd = (first > upper) | ((low > floor) & (first + slack < lower))
    return np.asarray(found | np.where(both & odd, int(Doubt.ENERGY), 0), dtype=np.int64)


def _step(before: Ints, after: Ints, limit: Ints) -> tuple[Ints, Flags]:
    """Give the steps, and which of them are resets (there the step means nothing)."""
    step = after - before
    tenth = limit // ROUND_SHARE
    goes_round = (limit != NEVER) & (before >= limit - tenth) & (before < limit) & (after < tenth)
    falls = step < 0
    return np.where(falls & goes_round, step + limit, step), falls & ~goes_round


def _phase_doubts(values: Ints, tame: Flags, ratings: Ratings, limits: Limits) -> Ints:
    watts = slice(AT["p_a"], AT["p_c"] + 1)
    total = np.abs(values[:, AT["p"]])
    all_known = tame[:, watts].all(axis=1) & tame[:, AT["p"]] & ratings.is_three_phase
    slack = np.maximum(limits.sum_slack_w * ratings.ratio, total * limits.sum_permille // 1000)
    apart = np.abs(values[:, watts].sum(axis=1) - values[:, AT["p"]]) > slack
    found = np.where(all_known & apart, int(Doubt.PHASE_SUM), 0)
    floor = np.maximum(ratings.most_w * limits.phase_floor_permille // 1000, 1)
    crosswise = np.zeros(len(values), dtype=np.bool_)
    for one, other in (("a", "b"), ("b", "c"), ("a", "c")):
        p_1, q_1 = AT[f"p_{one}"], AT[f"q_{one}"]
        p_2, q_2 = AT[f"p_{other}"], AT[f"q_{other}"]
        known = tame[:, [p_1, q_1, p_2, q_2]].all(axis=1) & ratings.is_three_phase
        a, b, c, d = (np.where(known, values[:, column], 0) for column in (p_1, q_1, p_2, q_2))
        loaded = np.minimum(np.abs(a) + np.abs(b), np.abs(c) + np.abs(d)) >= floor
        along, across = a * c + b * d, a * d - b * c
        crosswise |= known & loaded & (along < 0) & (np.abs(across) >= -along)
    return np.asarray(found | np.where(crosswise, int(Doubt.PHASE_ORDER), 0), dtype=np.int64)


def _ratio_is_odd(values: Ints, tame: Flags, ratings: Ratings, limits: Limits) -> Flags:
    p, q = AT["p"], AT["q"]
    known = tame[:, p] & tame[:, q]
    apparent = np.zeros(len(values), dtype=np.int64)
    for number, phase in enumerate(PHASES):
        u, i = AT[f"u_{phase}"], AT[f"i_{phase}"]
        exists = np.ones_like(known) if number == 0 else ratings.is_three_phase
        is_known = tame[:, u] & tame[:, i]
        known &= is_known | ~exists
        product = np.where(is_known, values[:, u], 0) * np.where(is_known, values[:, i], 0)
        apparent += np.where(exists, product, 0)
    apparent //= 10_000  # tenths of volts times milliamperes, to VA
    loaded = apparent >= np.maximum(ratings.most_w * limits.phase_floor_permille // 1000, 1)
    watts, vars_ = (
        np.where(known, np.abs(values[:, p]), 0),
        np.where(known, np.abs(values[:, q]), 0),
    )
    high = watts * 1000 > apparent * limits.ratio_high_permille
    low = (watts + vars_) * 1000 < apparent * limits.ratio_low_permille
    return np.asarray(known & loaded & (high | low), dtype=np.bool_)
