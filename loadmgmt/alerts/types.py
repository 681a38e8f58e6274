"""Alerts, as others see them."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar

from foundation.errors import BadData, LostRace, Refused
from foundation.events import Event


class AlertKind(StrEnum):
    """What is wrong."""

    OVER_VOLTAGE = "over_voltage"  # 电压越上限
    UNDER_VOLTAGE = "under_voltage"  # 电压越下限
    VOLTAGE_LOSS = "voltage_loss"  # 失压
    PHASE_BREAK = "phase_break"  # 断相
    CURRENT_LOSS = "current_loss"  # 失流
    POWER_LOSS = "power_loss"  # 停电
    TRANSFORMER_OUT = "transformer_out"  # 台区失电
    COVER_OPEN = "cover_open"  # 开表盖
    TERMINAL_OFFLINE = "terminal_offline"  # 终端离线
    CLOCK_DRIFT = "clock_drift"  # 时钟偏差
    COMMAND_UNKNOWN = "command_unknown"  # 遥控结果不明


class AlertState(StrEnum):
    """Where an alert stands."""

    OPEN = "open"  # 未确认
    ACKED = "acked"  # 已确认
    WORKING = "working"  # 处理中
    SUPPRESSED = "suppressed"  # 已抑制
    CLEARED = "cleared"  # 已恢复
    FALSE = "false"  # 误报


class Severity(StrEnum):
    """How much it matters; the order is the order of the list."""

    CRIT = "crit"  # 紧急
    MAJOR = "major"  # 重要
    MINOR = "minor"  # 一般
    INFO = "info"  # 提示


class AlertMoveRefused(Refused):
    """An alert in this state cannot be moved so; facts: state, target."""

    code = "alert_move_refused"


class AlertChanged(LostRace):
    """Somebody moved the alert first; facts: by, at, state."""

    code = "alert_changed"


class ReasonMissing(BadData):
    """Calling an alert false, or closing it by hand, needs a reason."""

    code = "reason_missing"


@dataclass(frozen=True, slots=True)
class Band:
    """Permitted deviation, as fractions of nominal."""

    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class Loss:
    """Thresholds of losses, as fractions of nominal voltage or basic current."""

    voltage_loss_below: Decimal
    phase_break_below: Decimal
    current_none: Decimal
    current_loss_volts_above: Decimal
    current_loss_neighbour: Decimal
    dangerous_high: Decimal


@dataclass(frozen=True, slots=True)
class AreaRule:
    """When meters without power mean that their transformer is out."""

    share: Decimal
    least: int


@dataclass(frozen=True, slots=True)
class Clearing:
    """When an alert ends by itself."""

    good_intervals: int


@dataclass(frozen=True, slots=True)
class KindRule:
    """How one kind is treated."""

    severity: Severity
    self_clearing: bool = True
    theft: bool = False


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What thresholds.toml says."""

    source: str
    band: dict[str, Band]
    loss: Loss
    area: AreaRule
    clear: Clearing
    kinds: dict[str, KindRule]

    def of(self, kind: AlertKind) -> KindRule:
        """Give how a kind is treated."""
        return self.kinds[kind.value]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong at one subject in one interval.

    Attributes:
        phases: the phases it concerns, of "abc"; empty if none.
        measured: the worst value, in the unit of the kind (V or A); None if it has none.
        limit: the limit it crossed, same unit.
        facts: evidence, plain values.
    """

    kind: AlertKind
    at: datetime
    point_id: int | None = None
    area_id: int | None = None
    terminal_id: int | None = None
    phases: str = ""
    measured: Decimal | None = None
    limit: Decimal | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def subject(self) -> str:
        """Name what it is about; one alert of a kind stands per subject."""
        if self.point_id is not None and self.kind is not AlertKind.TERMINAL_OFFLINE:
            return f"point:{self.point_id}"
        if self.terminal_id is not None:
            return f"terminal:{self.terminal_id}"
        return f"area:{self.area_id}"


@dataclass(frozen=True, slots=True)
class AlertCard:
    """An alert as lists and other rooms see it."""

    id: int
    kind: AlertKind
    severity: Severity
    state: AlertState
    subject: str
    point_id: int | None
    area_id: int | None
    terminal_id: int | None
    unit_id: int
    feeder_id: int
    phases: str
    measured: Decimal | None
    limit: Decimal | None
    started_at: datetime
    raised_at: datetime
    last_seen_at: datetime
    condition_ended_at: datetime | None
    ended_at: datetime | None
    handler: str | None
    ticket_no: str | None
    children: int
    evidence: dict[str, Any]
    version: int

    @property
    def is_theft(self) -> bool:
        """Whether it asks for an inspection rather than a repair."""
        return self.kind in {AlertKind.COVER_OPEN, AlertKind.CURRENT_LOSS}

    @property
    def standing(self) -> bool:
        """Whether it has not ended."""
        return self.ended_at is None


@dataclass(frozen=True, slots=True)
class AlertPast:
    """One line of an alert's history."""

    at: datetime
    what: str
    from_state: AlertState | None
    to_state: AlertState
    actor_name: str
    note: str


@dataclass(frozen=True, slots=True)
class AlertCounts:
    """How many stand unacknowledged, by severity, and in all."""

    crit: int
    major: int
    minor: int
    info: int
    standing: int
    raised_5min: int

    @property
    def unacknowledged(self) -> int:
        """Give the number nobody has acknowledged."""
        return self.crit + self.major + self.minor + self.info


@dataclass(frozen=True, slots=True)
class AlertsRaised(Event):
    """Alerts that are new; each entry: id, kind, severity, point_id, area_id."""

    name: ClassVar[str] = "AlertsRaised"
    alerts: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class AlertsCleared(Event):
    """Alerts whose condition ended; each entry: id, kind, point_id, area_id, ticket_no."""

    name: ClassVar[str] = "AlertsCleared"
    alerts: tuple[dict[str, Any], ...]
