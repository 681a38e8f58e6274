"""Extracts of real measurements as rings of points: their values and their exact integrals."""

import csv
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

STEP_S = 900
STEP_H = STEP_S / 3600
DAY_STEPS = 96
WEEK_STEPS = 7 * DAY_STEPS
STEPS = 4 * WEEK_STEPS
NOMINAL_V = 220.0
"""Nominal voltage of the extracts, phase to neutral [V]."""
HOMES = 6

N = TypeVar("N", float, Floats)
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """A measured column, closed to a ring, with its running integral."""

    values: Floats
    sums: Floats
    """Integral up to each point [unit x h]; the last one is that of the whole ring."""
    value_list: list[float]
    sum_list: list[float]


@dataclass(frozen=True, slots=True)
class Moment:
    """A place on the ring: whole rings gone by, step, share of the step."""

    rings: int
    step: int
    share: float

    def value(self, series: Series) -> float:
        """The value here, straight between two points."""
        low, high = series.value_list[self.step], series.value_list[self.step + 1]
        return low + (high - low) * self.share

    def integral(self, series: Series) -> float:
        """The exact integral from the ring's first beginning [unit x h]."""
        low, high = series.value_list[self.step], series.value_list[self.step + 1]
        inside = (low + (high - low) * self.share / 2) * self.share * STEP_H
        return self.rings * series.sum_list[-1] + series.sum_list[self.step] + inside


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Many places on the ring, as arrays of one shape."""

    rings: Floats
    step: NDArray[np.int64]
    share: Floats

    def value(self, series: Series) -> Floats:
        """The values here, straight between two points."""
        low, high = series.values[self.step], series.values[self.step + 1]
        return low + (high - low) * self.share

    def integral(self, series: Series) -> Floats:
        """The exact integrals from the ring's first beginning [unit x h]."""
        low, high = series.values[self.step], series.values[self.step + 1]
        inside = (low + (high - low) * self.share / 2) * self.share * STEP_H
        sums: Floats = self.rings * series.sums[-1] + series.sums[self.step] + inside
        return sums


@dataclass(frozen=True, slots=True, eq=False)
class Share:
    """The part of a series' integral that falls into chosen hours of the day."""

    counts: list[bool]
    """Whether each step of the ring counts."""
    sum_list: list[float]
    """Integral of what counts up to each point [unit x h]."""

    def integral(self, series: Series, at: Moment) -> float:
        """The exact integral of what counts from the ring's first beginning [unit x h]."""
        before = at.rings * self.sum_list[-1] + self.sum_list[at.step]
        if not self.counts[at.step]:
            return before
        low, high = series.value_list[at.step], series.value_list[at.step + 1]
        return before + (low + (high - low) * at.share / 2) * at.share * STEP_H


@lru_cache(maxsize=2048)
def share_of_hours(series: Series, first_step: int, hours: frozenset[int]) -> Share:
    """Cut chosen hours of the day out of a series.

    Args:
        series: whose integral is wanted.
        first_step: the ring's step that is midnight, below a day's.
        hours: of the day, 0 to 23.
    """
    step_of_day = (np.arange(STEPS) - first_step) % DAY_STEPS
    counts = np.isin(step_of_day // (DAY_STEPS // 24), sorted(hours))
    areas = (series.values[:-1] + series.values[1:]) / 2 * STEP_H
    sums = np.concatenate(([0.0], np.cumsum(areas * counts)))
    return Share(counts.tolist(), sums.tolist())


class Place(Protocol[T_co]):
    """A moment, or many."""

    def value(self, series: Series) -> T_co:
        """See Moment."""
        ...

    def integral(self, series: Series) -> T_co:
        """See Moment."""
        ...


@lru_cache(maxsize=HOMES)
def home(number: int) -> dict[str, Series]:
    """Columns p_w [W], q_var [var] and u_v [V] of one house; number is 1 to HOMES."""
    return _extract(f"home_{number}.csv")


@lru_cache(maxsize=1)
def zones() -> dict[str, Series]:
    """Columns zone_1 to zone_3: load as a share of its maximum [1]."""
    return _extract("zones.csv")


def _extract(name: str) -> dict[str, Series]:
    text = files("metering.demo_curves").joinpath(name).read_text(encoding="utf-8")
    rows = list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
    return {column: _series(np.array([float(row[column]) for row in rows])) for column in rows[0]}


def _series(points: Floats) -> Series:
    values = np.append(points, points[0])
    areas = (values[:-1] + values[1:]) / 2 * STEP_H
    sums = np.concatenate(([0.0], np.cumsum(areas)))
    return Series(values, sums, values.tolist(), sums.tolist())
