"""What is wrong with a simulated meter, and the energy it did not register because of it."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from metering.modbus.curves import PHASES, TARIFFS, MeterCurve, Phase


class FaultKind(StrEnum):
    """Everything an order may break."""

    SAG = "sag"
    PHASE_LOSS = "phase_loss"
    CT_BYPASS = "ct_bypass"
    COVER_OPEN = "cover_open"
    OUTAGE = "outage"
    RELAY_OPEN = "relay_open"
    CLOCK_DRIFT = "clock_drift"
    REGISTER_RESET = "register_reset"
    SILENCE = "silence"
    SLOW = "slow"
    TRICKLE = "trickle"
    HANG_UP = "hang_up"
    ONE_CONNECTION = "one_connection"
    EXCEPTION = "exception"
    TRUNCATED = "truncated"
    DUPLICATE = "duplicate"
    CRC_ERROR = "crc_error"
    WRONG_TRANSACTION = "wrong_transaction"
    WRONG_UNIT = "wrong_unit"
    WRONG_FUNCTION = "wrong_function"
    WRONG_COUNT = "wrong_count"
    HUGE_LENGTH = "huge_length"


BY_PHASE = frozenset({FaultKind.SAG, FaultKind.PHASE_LOSS, FaultKind.CT_BYPASS})
"""Kinds that strike single phases, so that two of a kind may stand side by side."""
TAKES: dict[FaultKind, tuple[str, ...]] = {
    FaultKind.SAG: ("phases", "to"),
    FaultKind.PHASE_LOSS: ("phases",),
    FaultKind.CT_BYPASS: ("phases",),
    FaultKind.OUTAGE: ("dark",),
    FaultKind.CLOCK_DRIFT: ("seconds", "ppm"),
    FaultKind.SLOW: ("seconds",),
    FaultKind.TRICKLE: ("seconds",),
    FaultKind.EXCEPTION: ("code",),
}
"""What an order takes besides its target and how long; the others take nothing."""
OF_LOAD = BY_PHASE | {FaultKind.OUTAGE, FaultKind.RELAY_OPEN}
"""Kinds under which energy is not registered."""

DEAD = Phase(0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of one meter.

    `since` and `until` are seconds since 1970-01-01 UTC [s]. `to` is the voltage left by a sag
    (or raised by a swell) as a fraction of nominal [1]; the load draws the current it would at
    nominal voltage. `seconds` is the delay of a slow terminal, the pause between two bytes of a
    trickle, or how far the clock is ahead [s]. `ppm` is how fast the clock runs ahead [1e-6].
    """

    kind: FaultKind
    order_no: int
    target: str
    since: float
    until: float | None = None
    phases: tuple[str, ...] = ()
    to: float = 0.0
    seconds: float = 0.0
    ppm: float = 0.0
    code: int = 0
    dark: bool = False

    def holds_at(self, t: float) -> bool:
        """Whether it has not run out."""
        return self.until is None or t < self.until

    def share_left(self, phase: str) -> float:
        """How much of a phase's energy is still registered [1]."""
        if self.kind in {FaultKind.OUTAGE, FaultKind.RELAY_OPEN}:
            return 0.0
        if phase not in self.phases:
            return 1.0
        return self.to if self.kind is FaultKind.SAG else 0.0


@dataclass(frozen=True, slots=True)
class Energies:
    """Energy by phase: active [Wh], reactive [varh], active by tariff [Wh] as TARIFFS has it."""

    wh: list[float]
    varh: list[float]
    tariffs: list[list[float]]

    def plus(self, other: "Energies", shares: Sequence[float]) -> "Energies":
        """Add so much of each phase of another."""
        return Energies(
            [a + share * b for a, b, share in zip(self.wh, other.wh, shares, strict=True)],
            [a + share * b for a, b, share in zip(self.varh, other.varh, shares, strict=True)],
            [
                [a + share * b for a, b in zip(mine, theirs, strict=True)]
                for mine, theirs, share in zip(self.tariffs, other.tariffs, shares, strict=True)
            ],
        )


def nothing(phases: int) -> Energies:
    """No energy at all."""
    zero = [0.0] * phases
    return Energies(zero, zero, [[0.0] * len(TARIFFS)] * phases)


def gross(curve: MeterCurve, t: float) -> Energies:
    """What a healthy meter has registered since its first day, up to a time [s]."""
    wh, varh = curve.energy(t)
    return Energies(wh, varh, curve.by_tariff(t))


@dataclass(frozen=True, slots=True)
class Past:
    """A stretch of time [s] that is over, and how much of each phase was registered in it [1]."""

    begin: float
    end: float
    shares: tuple[float, ...]


@dataclass(slots=True)
class Ailment:
    """All faults of one meter: those that hold, and what those before them cost.

    What was lost up to any time, past or coming, follows from the faults and the curve alone, so
    that a restart finds the same registers and a frozen entry agrees with what was shown then.
    """

    since: float = 0.0
    faults: list[Fault] = field(default_factory=list)
    past: list[Past] = field(default_factory=list)
    resets: list[float] = field(default_factory=list)
    lost_wh: list[float] = field(default_factory=lambda: [0.0] * len(PHASES))
    lost_varh: list[float] = field(default_factory=lambda: [0.0] * len(PHASES))

    @property
    def is_trivial(self) -> bool:
        """Whether there is nothing to keep."""
        return not (self.faults or self.past or self.resets or any(self.lost_wh + self.lost_varh))

    def active(self, t: float) -> list[Fault]:
        """The faults that hold at a time [s]."""
        return [fault for fault in self.faults if fault.holds_at(t)]

    def add(self, fault: Fault, curve: MeterCurve) -> None:
        """Take a fault on from its `since`; it displaces one of its kind on the same phases."""
        self.settle(curve, fault.since)
        if fault.kind is FaultKind.REGISTER_RESET:
            self.resets.append(fault.since)
        else:
            self.faults = [*_without(self.faults, fault.kind, fault.phases), fault]

    def heal(self, curve: MeterCurve, t: float, kind: FaultKind | None = None) -> int:
        """End the faults of one kind, or all, at a time [s]; say how many ended."""
        self.settle(curve, t)
        kept = [fault for fault in self.faults if kind is not None and fault.kind is not kind]
        ended = len(self.faults) - len(kept)
        self.faults = kept
        return ended

    def settle(self, curve: MeterCurve, t: float) -> None:
        """Write down what has been up to a time [s], and forget what has run out by then."""
        self.past += self._pieces(curve.phases, t)
        self.since = max(self.since, t)
        self.faults = self.active(t)

    def losses(self, curve: MeterCurve, t: float) -> Energies:
        """Energy not registered up to a time [s]."""
        count = len(curve.phases)
        reset = max((at for at in self.resets if at <= t), default=None)
        if reset is None:
            lost = Energies(self.lost_wh[:count], self.lost_varh[:count], nothing(count).tariffs)
        else:
            lost = gross(curve, reset)
        for piece in (*self.past, *self._pieces(curve.phases, t)):
            if piece.begin >= t or (reset is not None and piece.begin < reset):
                continue
            away = [1 - share for share in piece.shares]
            lost = lost.plus(gross(curve, min(piece.end, t)), away)
            lost = lost.plus(gross(curve, piece.begin), [-share for share in away])
        return lost

    def as_json(self) -> dict[str, Any]:
        """Plain values for the state file."""
        return asdict(self)

    def _pieces(self, phases: Sequence[str], t: float) -> Iterator[Past]:
        """The stretches from `since` to a time [s] in which something was lost."""
        begin = self.since
        ends = {fault.until for fault in self.faults if fault.until is not None}
        for end in sorted({t, *(end for end in ends if end < t)}):
            if end > begin and self.faults:
                holding = self.active(begin)
                shares = tuple(registered(holding, phase) for phase in phases)
                if any(share != 1 for share in shares):
                    yield Past(begin, end, shares)
                begin = end


def ailment_from_json(content: dict[str, Any]) -> Ailment:
    """Read back what `as_json` gave, now or before it knew the past.

    Raises:
        KeyError, TypeError, ValueError: it is something else.
    """
    faults = [
        Fault(
            **{
                **fault,
                "kind": FaultKind(fault["kind"]),
                "phases": tuple(fault["phases"]),
            }
        )
        for fault in content["faults"]
    ]
    return Ailment(
        since=float(content["since"]),
        faults=faults,
        past=[
            Past(float(one["begin"]), float(one["end"]), tuple(one["shares"]))
            for one in content.get("past", [])
        ],
        resets=[float(at) for at in content.get("resets", [])],
        lost_wh=[float(lost) for lost in content["lost_wh"]],
        lost_varh=[float(lost) for lost in content["lost_varh"]],
    )


def registered(faults: Sequence[Fault], phase: str) -> float:
    """The share of a phase's energy that is registered under these faults [1]."""
    share = 1.0
    for fault in faults:
        if fault.kind in OF_LOAD:
            left = fault.share_left(phase)
            share = 0.0 if left == 0 or share == 0 else left if left != 1 else share
    return share


def strike(
    loads: Sequence[Phase[float]], names: Sequence[str], faults: Sequence[Fault], nominal_v: float
) -> tuple[list[Phase[float]], list[Phase[float]]]:
    """What becomes of the phases under faults.

    Args:
        loads: the phases without any fault.
        names: their names, in the same order.
        faults: those that hold.
        nominal_v: phase to neutral [V].

    Returns:
        What really flows, and what the meter's transducers see of it.
    """
    real = [_struck(load, name, faults, nominal_v) for load, name in zip(loads, names, strict=True)]
    bypassed = {
        phase for fault in faults if fault.kind is FaultKind.CT_BYPASS for phase in fault.phases
    }
    seen = [
        Phase(load.u, 0.0, 0.0) if name in bypassed else load
        for load, name in zip(real, names, strict=True)
    ]
    return real, seen


def _struck(
    load: Phase[float], name: str, faults: Sequence[Fault], nominal_v: float
) -> Phase[float]:
    for fault in faults:
        if fault.kind is FaultKind.OUTAGE:
            return DEAD
        if fault.kind is FaultKind.PHASE_LOSS and name in fault.phases:
            return DEAD
    for fault in faults:
        if fault.kind is FaultKind.SAG and name in fault.phases:
            drawn = load.u / nominal_v
            load = Phase(fault.to * nominal_v, load.active_a * drawn, load.reactive_a * drawn)
    if any(fault.kind is FaultKind.RELAY_OPEN for fault in faults):
        return Phase(load.u, 0.0, 0.0)
    return load


def _without(faults: Sequence[Fault], kind: FaultKind, phases: tuple[str, ...]) -> list[Fault]:
    kept = []
    for fault in faults:
        if fault.kind is not kind:
            kept.append(fault)
        elif left := tuple(phase for phase in fault.phases if phase not in phases):
            kept.append(Fault(**{**asdict(fault), "phases": left}))
    return kept
