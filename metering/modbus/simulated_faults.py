"""What is wrong with a simulated meter, and the energy it did not register because of it."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from metering.modbus.curves import PHASES, MeterCurve, Phase


class FaultKind(StrEnum):
    """Everything an order may break."""

    SAG = "sag"
    PHASE_LOSS = "phase_loss"
    CT_BYPASS = "ct_bypass"
    COVER_OPEN = "cover_open"
    OUTAGE = "outage"
    SILENCE = "silence"
    SLOW = "slow"
    EXCEPTION = "exception"
    TRUNCATED = "truncated"
    WRONG_TRANSACTION = "wrong_transaction"
    WRONG_UNIT = "wrong_unit"
    HUGE_LENGTH = "huge_length"


BY_PHASE = frozenset({FaultKind.SAG, FaultKind.PHASE_LOSS, FaultKind.CT_BYPASS})
"""Kinds that strike single phases, so that two of a kind may stand side by side."""

DEAD = Phase(0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of one meter.

    `since` and `until` are seconds since 1970-01-01 UTC [s]. `to` is the voltage left by a sag
    (or raised by a swell) as a fraction of nominal [1]; the load draws the current it would at
    nominal voltage. `seconds` is the delay of a slow terminal [s].
    """

    kind: FaultKind
    order_no: int
    target: str
    since: float
    until: float | None = None
    phases: tuple[str, ...] = ()
    to: float = 0.0
    seconds: float = 0.0
    code: int = 0
    dark: bool = False

    def holds_at(self, t: float) -> bool:
        """Whether it has not run out."""
        return self.until is None or t < self.until

    def share_left(self, phase: str) -> float:
        """How much of a phase's energy is still registered [1]."""
        if self.kind is FaultKind.OUTAGE:
            return 0.0
        if phase not in self.phases:
            return 1.0
        return self.to if self.kind is FaultKind.SAG else 0.0


@dataclass(slots=True)
class Ailment:
    """All faults of one meter, with the energy lost to them until `since`.

    The loss at any later time follows from the faults and the curve alone, so that a restart
    finds the same registers.
    """

    since: float = 0.0
    lost_wh: list[float] = field(default_factory=lambda: [0.0] * len(PHASES))
    lost_varh: list[float] = field(default_factory=lambda: [0.0] * len(PHASES))
    faults: list[Fault] = field(default_factory=list)

    @property
    def is_trivial(self) -> bool:
        """Whether there is nothing to keep."""
        return not self.faults and not any(self.lost_wh) and not any(self.lost_varh)

    def active(self, t: float) -> list[Fault]:
        """The faults that hold at a time [s]."""
        return [fault for fault in self.faults if fault.holds_at(t)]

    def add(self, fault: Fault, curve: MeterCurve) -> None:
        """Take a fault on from its `since`; it displaces one of its kind on the same phases."""
        self.settle(curve, fault.since)
        self.faults = [*_without(self.faults, fault.kind, fault.phases), fault]

    def heal(self, curve: MeterCurve, t: float, kind: FaultKind | None = None) -> int:
        """End the faults of one kind, or all, at a time [s]; say how many ended."""
        self.settle(curve, t)
        kept = [fault for fault in self.faults if kind is not None and fault.kind is not kind]
        ended = len(self.faults) - len(kept)
        self.faults = kept
        return ended

    def settle(self, curve: MeterCurve, t: float) -> None:
        """Book the losses up to a time [s], and forget what has run out by then."""
        self.lost_wh, self.lost_varh = self.losses(curve, t)
        self.since = max(self.since, t)
        self.faults = self.active(t)

    def losses(self, curve: MeterCurve, t: float) -> tuple[list[float], list[float]]:
        """Energy not registered up to a time [s]: active [Wh] and reactive [varh], by phase."""
        wh, varh = list(self.lost_wh), list(self.lost_varh)
        for begin, end, faults in self._pieces(t):
            left = [registered(faults, phase) for phase in curve.phases]
            if all(share == 1 for share in left):
                continue
            before, after = curve.energy(begin), curve.energy(end)
            for at, share in enumerate(left):
                wh[at] += (1 - share) * (after[0][at] - before[0][at])
                varh[at] += (1 - share) * (after[1][at] - before[1][at])
        return wh, varh

    def as_json(self) -> dict[str, Any]:
        """Plain values for the state file."""
        return asdict(self)

    def _pieces(self, t: float) -> Iterator[tuple[float, float, list[Fault]]]:
        begin = self.since
        ends = {fault.until for fault in self.faults if fault.until is not None}
        for end in sorted({t, *(end for end in ends if end < t)}):
            if end > begin and self.faults:
                yield begin, end, self.active(begin)
                begin = end


def ailment_from_json(content: dict[str, Any]) -> Ailment:
    """Read back what `as_json` gave.

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
        lost_wh=[float(lost) for lost in content["lost_wh"]],
        lost_varh=[float(lost) for lost in content["lost_varh"]],
        faults=faults,
    )


def registered(faults: Sequence[Fault], phase: str) -> float:
    """The share of a phase's energy that is registered under these faults [1]."""
    share = 1.0
    for fault in faults:
        if fault.kind in BY_PHASE or fault.kind is FaultKind.OUTAGE:
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
            return Phase(fault.to * nominal_v, load.active_a * drawn, load.reactive_a * drawn)
    return load


def _without(faults: Sequence[Fault], kind: FaultKind, phases: tuple[str, ...]) -> list[Fault]:
    kept = []
    for fault in faults:
        if fault.kind is not kind:
            kept.append(fault)
        elif left := tuple(phase for phase in fault.phases if phase not in phases):
            kept.append(Fault(**{**asdict(fault), "phases": left}))
    return kept
