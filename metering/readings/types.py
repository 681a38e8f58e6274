"""What a reading is: values of one meter for one interval, with quality and source."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import IntEnum, IntFlag, StrEnum
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

BATCH_CHANNEL = "metering_batch"  # NOTIFY: a batch waits to be judged

ENERGIES = ("wh_import", "wh_export", "varh_import")
"""Register values [Wh, Wh, varh], whole numbers."""

MEASURES = (
    "u_a",
    "u_b",
    "u_c",
    "i_a",
    "i_b",
    "i_c",
    "i_n",
    "p",
    "p_a",
    "p_b",
    "p_c",
    "q",
    "q_a",
    "q_b",
    "q_c",
    "pf",
    "f",
)
"""Measured values: volts phase to neutral, amperes, watts, vars, power factor, hertz."""

COVER_OPEN = 1  # bit of `inputs`: the meter's cover contact (开表盖)


class Quality(IntFlag):
    """What is known against a reading; a larger number is never the better reading."""

    GOOD = 0
    LATE = 1  # read after its interval, inside the late window
    BACKFILLED = 2  # from the meter's own memory
    CLOCK_BAD = 4
    PARTIAL = 8  # some blocks did not answer
    RESET = 16  # a register ran backwards
    SUSPECT = 32  # its values contradict each other or the reading before; see `Doubt`
    OUT_OF_RANGE = 64
    MANUAL = 128
    ESTIMATED = 256


class Doubt(IntFlag):
    """Which validation rules object to a reading."""

    NONE = 0
    RANGE = 1  # a value no supply can have
    RESET = 2  # 示度下降: a register ran backwards
    STEP = 4  # 飞走: a register ran faster than the meter could
    STOPPED = 8  # 停走: power flows and the register stands
    PHASE_SUM = 16  # the phases do not add up to the total
    ENERGY = 32  # 电能量超差: the register and the power disagree
    PHASE_ORDER = 64  # 逆相序 or a reversed CT: phases see their currents at odd angles
    CT_RATIO = 128  # power is not what voltage and current make


class EventKind(StrEnum):
    """What a meter's event list tells; the names of doubts stand for their rule."""

    COVER_OPEN = "cover_open"  # 开表盖
    EXCEPTION = "exception"  # the terminal answers with a Modbus exception
    CLOCK = "clock"  # 时钟超差
    RANGE = "range"
    RESET = "reset"
    STEP = "step"
    STOPPED = "stopped"
    PHASE_SUM = "phase_sum"
    ENERGY = "energy"
    PHASE_ORDER = "phase_order"
    CT_RATIO = "ct_ratio"


class Source(IntEnum):
    """Where a reading comes from."""

    POLL = 1
    ON_DEMAND = 2
    LOAD_PROFILE = 3
    FREEZE = 4
    IMPORT = 5
    ESTIMATE = 6


@dataclass(frozen=True, slots=True)
class NewReading:
    """One reading on its way to the store.

    Attributes:
        ts: start of its nominal interval, UTC.
        read_off_s: seconds from ts to the real reading.
        values: by column of ENERGIES and MEASURES; a missing or None value is unknown.
        inputs: discrete inputs as bits; None if the terminal has none.
    """

    ts: datetime
    meter_id: int
    read_off_s: int
    quality: Quality
    source: Source
    values: dict[str, float | int | None]
    inputs: int | None = None


@dataclass(frozen=True, slots=True)
class NewEvent:
    """Something a meter or its terminal told, on its way to the event list.

    Attributes:
        at: when it began, ended, or happened.
        move: whether it begins and lasts, ends, or happens at once and is over.
    """

    meter_id: int
    kind: EventKind
    at: datetime
    move: Literal["begins", "ends", "happens"] = "begins"
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WrongClock:
    """A point whose meter's clock is wrong since an instant.

    Attributes:
        drift_s: ahead of ours, negative behind [s]; None if it shows no date.
    """

    point_id: int
    since: datetime
    drift_s: int | None


@dataclass(frozen=True, slots=True)
class EventRow:
    """One entry of a meter's event list; `ended_at` is None while it lasts."""

    id: int
    meter_id: int
    kind: EventKind
    at: datetime
    ended_at: datetime | None
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class HourlyEnergy:
    """One hour of one meter.

    Attributes:
        hour: its start.
        used_wh: energy known from register differences [Wh]; None if nothing is known.
        covered_s: seconds of the hour those differences cover; 3600 is all of it.
        points: readings in the hour; late, estimated: of them.
        resets: steps that could not be counted (register reset, or implausible).
    """

    hour: datetime
    meter_id: int
    used_wh: int | None
    exported_wh: int | None
    covered_s: int
    p_avg: float | None
    p_max: float | None
    u_min: float | None
    u_avg: float | None
    u_max: float | None
    points: int
    late: int
    estimated: int
    resets: int


@dataclass(frozen=True, slots=True)
class LatestReading:
    """The newest known values of a meter; an unknown is None."""

    meter_id: int
    ts: datetime
    read_at: datetime
    quality: Quality
    source: Source
    wh_import: int | None = None
    wh_export: int | None = None
    varh_import: int | None = None
    u_a: float | None = None
    u_b: float | None = None
    u_c: float | None = None
    i_a: float | None = None
    i_b: float | None = None
    i_c: float | None = None
    i_n: float | None = None
    p: float | None = None
    p_a: float | None = None
    p_b: float | None = None
    p_c: float | None = None
    q: float | None = None
    q_a: float | None = None
    q_b: float | None = None
    q_c: float | None = None
    pf: float | None = None
    f: float | None = None
    inputs: int | None = None

    @property
    def cover_open(self) -> bool | None:
        """Whether the cover contact is open; None if no contact is wired."""
        return None if self.inputs is None else bool(self.inputs & COVER_OPEN)


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One quarter hour of a curve: averages of what was read in it; None where nothing was.

    Attributes:
        quality: all bits of `Quality` that any of its readings has.
    """

    start: datetime
    u_a: float | None = None
    u_b: float | None = None
    u_c: float | None = None
    i_a: float | None = None
    i_b: float | None = None
    i_c: float | None = None
    p: float | None = None
    estimated: bool = False
    quality: int = 0


@dataclass(frozen=True, slots=True)
class DailyEnergy:
    """One day of one meter."""

    day: date
    used_wh: int | None
    p_max: float | None
    u_min: float | None
    u_max: float | None
    points: int


class SubjectKind(StrEnum):
    """What a load may be the load of."""

    SYSTEM = "system"  # 全网
    FEEDER = "feeder"  # 线路
    AREA = "area"  # 台区
    POINT = "point"  # 计量点


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """Whose load; the system has no number."""

    kind: SubjectKind
    id: int | None = None

    @property
    def key(self) -> str:
        """Give it as it is stored: system, feeder:3."""
        return self.kind.value if self.id is None else f"{self.kind}:{self.id}"

    @classmethod
    def of(cls, key: str) -> "Subject":
        """Read a stored key.

        Raises:
            ValueError: it is none.
        """
        kind, _, number = key.partition(":")
        known = {one.value for one in SubjectKind}
        whole = not number if kind == SubjectKind.SYSTEM else number.isdecimal()
        if kind not in known or not whole:
            raise ValueError(f"{key!r} names no load")
        return cls(SubjectKind(kind), int(number) if number else None)


SYSTEM = Subject(SubjectKind.SYSTEM)


@dataclass(frozen=True, slots=True)
class LoadPoint:
    """One slot of a load.

    Attributes:
        start: of the slot, UTC.
        kw: sum over the points read [kW]; None where too few were read, or it has not ended.
        read: points read in the slot.
        expected: points with a terminal then.
        estimated: whether an estimated reading is part of the sum.
    """

    start: datetime
    kw: float | None
    read: int
    expected: int
    estimated: bool = False

    @property
    def share(self) -> float | None:
        """Give the share of the expected points that were read; None where none is expected."""
        return self.read / self.expected if self.expected else None


@dataclass(frozen=True, slots=True)
class LoadCurve:
    """The load of a subject, slot by slot without a gap."""

    subject: Subject
    step: timedelta
    points: tuple[LoadPoint, ...]


@dataclass(frozen=True, slots=True)
class LoadRules:
    """What load_curve.toml says."""

    source: str
    least_share: Decimal


@dataclass(frozen=True, slots=True)
class DayUse:
    """The energy one point used over some days."""

    point_id: int
    used_wh: int


@dataclass(frozen=True, slots=True)
class FirstReading:
    """The first good reading of the meter that stands at a point.

    Attributes:
        wh_import: its register [Wh].
    """

    point_id: int
    meter_id: int
    meter_no: str
    read_at: datetime
    wh_import: int
    u_a: float | None


@dataclass(frozen=True, slots=True)
class BatchArrays:
    """One flush of readings as arrays of n meters, for judging.

    Attributes:
        batch_id: the claimed batch.
        slot: start of the interval, UTC.
        meter_id, point_id, area_id: int64[n].
        supply: index into `list(Supply)`, int8[n].
        quality: int16[n].
        rated_ma: basic current on the primary side, milliamperes, int64[n].
        volts: tenths of a volt, int32[n, 3]; amps: milliamperes, int32[n, 3];
        watts: whole watts per phase, int64[n, 3]. Unknown is UNKNOWN.
        inputs: bits, int16[n]; -1 where unknown.
    """

    batch_id: int
    slot: datetime
    meter_id: NDArray[np.int64]
    point_id: NDArray[np.int64]
    area_id: NDArray[np.int64]
    supply: NDArray[np.int8]
    quality: NDArray[np.int16]
    rated_ma: NDArray[np.int64]
    volts: NDArray[np.int32]
    amps: NDArray[np.int32]
    watts: NDArray[np.int64]
    inputs: NDArray[np.int16]


UNKNOWN = -(2**31)
"""Stands in the arrays for a value that is not known; no measured value can be it."""
