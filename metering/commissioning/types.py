"""The checks before a terminal goes into service, and their results."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from foundation.errors import BadData, LostRace, NotFound, Refused
from metering.devices.types import Framing, Manner
from metering.modbus.decode import Value
from metering.modbus.identity import Identified
from metering.network.types import Supply


class CheckKind(StrEnum):
    """What is looked at, in the order it is shown."""

    ANSWERS = "answers"  # 通信应答
    IDENTITY = "identity"  # 型号核对
    VOLTAGES = "voltages"  # 电压
    PHASE_ORDER = "phase_order"  # 相序
    CT_DIRECTION = "ct_direction"  # 电流互感器极性
    POWER_SUM = "power_sum"  # 分相功率之和
    RATIO = "ratio"  # 变比
    CLOCK = "clock"  # 时钟
    ENERGY = "energy"  # 电量走字


class Verdict(StrEnum):
    """What a check came to."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"  # it cannot be told now
    NONE = "none"  # it does not apply to this meter


class TerminalUnknown(NotFound):
    """There is no terminal of this number; facts: terminal_no."""

    code = "terminal_unknown"


class ProfileMissing(BadData):
    """The terminal's profile is not on the shelf; facts: profile."""

    code = "profile_missing"


class ReasonNeeded(BadData):
    """Not every check is good, or it goes out of service: a reason is needed."""

    code = "commission_reason_needed"


class TerminalNotFitted(Refused):
    """Nothing is measured by it yet: it goes into service when its meter is fitted."""

    code = "terminal_not_fitted"


class CommissionedMeanwhile(LostRace):
    """Somebody else checked or decided meanwhile; facts: by, at."""

    code = "commissioned_meanwhile"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check.

    Attributes:
        said: which sentence says it.
        value: what was found, the same in every language; empty if nothing.
        facts: what the sentence needs.
    """

    kind: CheckKind
    verdict: Verdict
    said: str
    value: str = ""
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Target:
    """A terminal that may be put into service.

    Attributes:
        meter_no: fitted to it, or on the shelf with it; None if neither.
        is_fitted: whether the meter stands at a point.
        rated_a: basic current on the meter's side of the CT [A].
        register_wh: where its registers go back to zero [Wh]; None if never.
        last_ok_at: when it last answered a poller.
    """

    terminal_id: int
    terminal_no: str
    profile: str
    host: str
    port: int
    unit: int
    framing: Framing
    depth: int
    line: str
    in_service: bool
    meter_id: int | None
    meter_no: str | None
    point_id: int | None
    supply: Supply | None
    ct: int
    pt: int
    rated_a: int
    register_wh: int | None
    last_ok_at: datetime | None

    @property
    def address(self) -> str:
        """Name the connection."""
        return f"{self.host}:{self.port}"

    @property
    def manner(self) -> Manner:
        """Give how the connection is talked to."""
        return Manner(self.framing, self.depth, self.line)

    @property
    def is_fitted(self) -> bool:
        """Whether its meter stands at a point."""
        return self.point_id is not None


@dataclass(frozen=True, slots=True)
class Register:
    """How an import register stood at an instant.

    Attributes:
        wh: the register [Wh, primary]; None if it was not read.
        watts: the power then [W]; None if it was not read.
    """

    at: datetime
    wh: int | None
    watts: int | None


@dataclass(frozen=True, slots=True)
class Seen:
    """What one visit showed, for the rules.

    Attributes:
        error: stable code of why nothing came; None if values came.
        why: what the connection said of it, as it said it; empty if nothing.
        values: by quantity, in canonical units.
        drift_s: how far its clock is ahead [s]; None if it shows no date.
        has_clock: whether a clock was read.
        clock_limit_s: beyond what drift a clock is wrong [s].
        before: the register at the check before; None if there was none.
    """

    at: datetime
    error: str | None
    identity: tuple[Identified, ...] = ()
    values: dict[str, Value] = field(default_factory=dict)
    has_clock: bool = False
    drift_s: float | None = None
    clock_limit_s: int = 0
    before: Register | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """One run of the checks, with who ran it."""

    id: int
    at: datetime
    by: str
    checks: tuple[CheckResult, ...]
    register: Register

    @property
    def is_good(self) -> bool:
        """Whether nothing is bad and nothing unknown."""
        return all(one.verdict in {Verdict.GOOD, Verdict.NONE} for one in self.checks)

    def count(self, verdict: str) -> int:
        """Count the checks that came to this."""
        return sum(one.verdict == verdict for one in self.checks)


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision to put a terminal into service, or to leave or take it out.

    Attributes:
        bad, unknown: how many checks were, when it was decided; None if none had been run.
    """

    id: int
    at: datetime
    by: str
    in_service: bool
    reason: str
    bad: int | None
    unknown: int | None


@dataclass(frozen=True, slots=True)
class History:
    """What was checked and decided of one terminal, newest first."""

    checked: tuple[Checked, ...]
    decided: tuple[Decided, ...]

    @property
    def newest(self) -> int:
        """Give the number of the newest entry, 0 if there is none: what a form was made from."""
        return 0 if self.last is None else self.last.id

    @property
    def last(self) -> "Checked | Decided | None":
        """Give the newest entry of either kind."""
        entries: list[Checked | Decided] = [*self.checked, *self.decided]
        return max(entries, key=lambda one: one.id, default=None)
