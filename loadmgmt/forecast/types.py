"""Forecasts, as models make them and as others see them."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from foundation.errors import BadData, Refused
from foundation.events import Event
from metering.api.types import Subject

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]
Places: TypeAlias = NDArray[np.int64]
Times: TypeAlias = NDArray[np.datetime64]

QUARTER = timedelta(minutes=15)


class LoadSource(StrEnum):
    """Where the history of a subject comes from."""

    IMPORT = "import"  # telemetry of the dispatch system, taken in
    METERS = "meters"  # the sum of the points read


class ForecastState(StrEnum):
    """How the last attempt to forecast a subject with a model went."""

    PUBLISHED = "published"  # 已发布
    TOO_LITTLE_HISTORY = "too_little_history"  # 历史不足
    FAILED = "failed"  # 失败


class ForecastPointsDiffer(BadData):
    """A model answered with another number of points than it was asked for."""

    code = "forecast_points_differ"


class ModelFailed(Refused):
    """A model could not be fitted; facts: model, why."""

    code = "forecast_model_failed"


class SubjectUnknown(BadData):
    """No load has this name; facts: subject."""

    code = "forecast_subject_unknown"


class LoadFileRefused(BadData):
    """A file of loads or of a backtest cannot be used; facts: file, line, why."""

    code = "load_file_refused"


@dataclass(frozen=True, slots=True, eq=False)
class Slots:
    """Slots of a load, in the wall clock of the place, and what is known about each.

    Attributes:
        starts: datetime64[s][n], strictly growing, of one step.
        step: length of a slot.
        rest: bool[n], no working day: weekends and holidays but those made up for.
        holiday: bool[n], a statutory holiday.
        temperature: float64[n] in °C, NaN where unknown; None if there is none. In a history
            what was observed, in a horizon what was forecast before it began.
    """

    starts: Times
    step: timedelta
    rest: Flags
    holiday: Flags
    temperature: Floats | None = None

    def __len__(self) -> int:
        return len(self.starts)

    def part(self, low: int, high: int) -> "Slots":
        """Give slots [low, high), as a copy that leads to no other."""
        return Slots(
            self.starts[low:high].copy(),
            self.step,
            self.rest[low:high].copy(),
            self.holiday[low:high].copy(),
            None if self.temperature is None else self.temperature[low:high].copy(),
        )

    def without_temperature(self) -> "Slots":
        """Give the same slots with no temperature."""
        return replace(self, temperature=None)

    @property
    def per_day(self) -> int:
        """Give how many slots a day of 24 hours has."""
        return int(timedelta(days=1) / self.step)


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """What is known of a load up to an origin: nothing in it is later.

    Attributes:
        slots: the slots, the last one ends at the origin.
        kw: float64[n], NaN where unknown.
        forecast_temperature: float64[n] in °C, what had been forecast for each slot before
            its day began; for judging a model on days it has not seen.
    """

    slots: Slots
    kw: Floats
    forecast_temperature: Floats | None = None

    def part(self, low: int, high: int) -> "History":
        """Give slots [low, high), as a copy that leads to no other."""
        past = self.forecast_temperature
        return History(
            self.slots.part(low, high),
            self.kw[low:high].copy(),
            None if past is None else past[low:high].copy(),
        )

    def last_days(self, days: int) -> "History":
        """Give the last so many days, or all there is."""
        return self.part(max(0, len(self.kw) - days * self.slots.per_day), len(self.kw))

    @property
    def known_share(self) -> float:
        """Give the share of slots that are known [1]."""
        return float(np.isfinite(self.kw).mean()) if len(self.kw) else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What a model says: loads and their interval [kW], one value per slot asked for."""

    kw: Floats
    low: Floats
    high: Floats


class Fitted(Protocol):
    """A model that has seen a history."""

    def predict(self, horizon: Slots) -> Prediction:
        """Forecast the slots of a horizon that begins after the history."""
        ...


class Model(Protocol):
    """A way to forecast: `fit` sees a history and nothing else.

    A history with a temperature is only given when the horizon has one too.
    """

    name: ClassVar[str]
    version: ClassVar[str]

    def fit(self, history: History, *, level: float) -> Fitted:
        """Learn a history.

        Args:
            history: up to the origin.
            level: share of actual values the interval is meant to hold [1].

        Raises:
            ModelFailed: it cannot be learned.
        """
        ...


@dataclass(frozen=True, slots=True)
class Errors:
    """How far a forecast was off; a figure that cannot be had is None.

    Attributes:
        wape: sum of absolute errors over the sum of actual loads [1].
        mape: mean of absolute errors over the actual load [1].
        rmse: root of the mean squared error [kW].
        peak: highest forecast over highest actual, less one [1].
        coverage: share of actual loads inside the interval [1].
        share: share of the slots whose actual load is known [1].
    """

    wape: float | None = None
    mape: float | None = None
    rmse: float | None = None
    peak: float | None = None
    coverage: float | None = None
    share: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A forecast as a model made it, with its error on the days kept back."""

    prediction: Prediction
    last_week: Errors
    used_temperature: bool


@dataclass(frozen=True, slots=True)
class HistoryRules:
    """How much history there is to be."""

    keep_days: int
    first_days: int
    day_share: Decimal


@dataclass(frozen=True, slots=True)
class AccuracyRules:
    """When a day may be judged."""

    complete_share: Decimal
    again_days: int


@dataclass(frozen=True, slots=True)
class ModelNeeds:
    """What one model needs [d]."""

    least_days: int
    window_days: int


@dataclass(frozen=True, slots=True)
class ForecastRules:
    """What forecast.toml says."""

    source: str
    days_ahead: tuple[int, ...]
    level: Decimal
    hold_out_days: int
    largest_customers: int
    live: str
    target: Decimal
    history: HistoryRules
    accuracy: AccuracyRules
    models: dict[str, ModelNeeds] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewLoad:
    """One slot of a history on its way to the store; an unknown load is None."""

    ts: datetime
    kw: float | None
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Vintage:
    """One published forecast of one day, as it will stay for ever.

    Attributes:
        target_day: office day it is for.
        known_until: nothing measured at or after this instant was used.
        made_at: when it was made.
        trained_from: beginning of the history used.
        input_share: share of that history that was known [1].
        last_week_wape: error of the same model on the last days before, kept back [1].
        kw, low_kw, high_kw: one value per quarter hour of the day.
        errors: how it did, once the day is over and known well enough.
    """

    id: int
    subject: str
    target_day: date
    model: str
    model_version: str
    known_until: datetime
    made_at: datetime
    trained_from: datetime
    input_share: float
    last_week_wape: float | None
    used_temperature: bool
    level: float
    kw: tuple[float, ...]
    low_kw: tuple[float, ...]
    high_kw: tuple[float, ...]
    errors: Errors | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """How the last attempt with a model went; days are days of history."""

    model: str
    state: ForecastState
    at: datetime
    days_known: int
    days_needed: int
    why: str | None = None


@dataclass(frozen=True, slots=True)
class DayError:
    """The error of a model on one day; made_late: published after the day began."""

    day: date
    model: str
    errors: Errors
    made_late: bool


@dataclass(frozen=True, slots=True)
class BoardRow:
    """A model on the board.

    Attributes:
        errors: over the days judged; the peak as the mean of its absolute errors.
        days: judged; late_days: of them, published after their day began.
        trend: WAPE by day [1], None where a day could not be judged.
    """

    model: str
    errors: Errors
    days: int
    late_days: int
    trend: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class PlanAndActual:
    """One day of a subject: forecasts against what was measured.

    Attributes:
        starts: of the day's slots, UTC.
        actual, yesterday: mean loads [kW], None where unknown.
        plans: by model the vintage that counts: the last one made from what was known
            before the day.
        vintages: all of the day, newest first.
        attempts: by model the last attempt.
        source: where the history comes from; None without any.
    """

    subject: Subject
    day: date
    starts: tuple[datetime, ...]
    actual: tuple[float | None, ...]
    yesterday: tuple[float | None, ...]
    plans: dict[str, Vintage]
    vintages: tuple[Vintage, ...]
    attempts: dict[str, Attempt]
    source: LoadSource | None


@dataclass(frozen=True, slots=True)
class ForecastPublished(Event):
    """Forecasts were published; each entry: id, subject, target_day, model."""

    name: ClassVar[str] = "ForecastPublished"
    forecasts: tuple[dict[str, Any], ...]
