"""Orders to the simulator: what may be asked, of whom, and what is refused."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from foundation.errors import BadData
from metering.modbus.curves import PHASES
from metering.modbus.simulated_faults import BY_PHASE, Fault, FaultKind
from metering.modbus.simulated_unit import Terminal

HIGHEST_SWELL = 1.5
LONGEST_DELAY_S = 3600.0
LONGEST_DURATION_S = 366 * 86400.0
LAST_CODE = 255
LONGEST_DRIFT_S = 10 * 366 * 86400.0
FASTEST_PPM = 100_000.0
DEFAULT_TRICKLE_S = 0.05
DEFAULT_EXCEPTION = 4
"""Slave device failure."""

Order = Mapping[str, object]


class OrderRefused(BadData):
    """The simulator does not do that; `why` is a stable code."""

    code = "order_refused"

    def __init__(self, why: str, **facts: object) -> None:
        super().__init__(why=why, **facts)
        self.why = why


@dataclass(frozen=True, slots=True)
class Wanted:
    """A checked order: make a fault for each of these terminals."""

    kind: FaultKind
    terminals: tuple[Terminal, ...]
    skipped: int
    make: Callable[[Terminal, float, int], Fault]


def targets(order: Order, terminals: Mapping[str, Terminal]) -> tuple[Terminal, ...]:
    """The terminals an order is for: one meter, a transformer area, or all.

    Raises:
        OrderRefused: no_such_target.
    """
    target = order.get("target")
    if target == "all":
        return tuple(terminals.values())
    if isinstance(target, str):
        if target in terminals:
            return (terminals[target],)
        found = tuple(t for t in terminals.values() if t.unit.area_no == target)
        if found:
            return found
    raise OrderRefused("no_such_target", target=target)


def kind_of(name: object) -> FaultKind:
    """The kind of fault an order names.

    Raises:
        OrderRefused: unknown_order.
    """
    try:
        return FaultKind(str(name))
    except ValueError as error:
        raise OrderRefused("unknown_order", order=name) from error


def wanted(order: Order, terminals: Mapping[str, Terminal]) -> Wanted:
    """Check an order for a fault.

    Of a group, meters that cannot have the fault (no such phase, no cover contact) are
    skipped; a single one, or a group of nothing else, is refused.

    Raises:
        OrderRefused: unknown_order, no_such_target, no_such_phase, no_cover_contact, no_relay,
            no_clock, no_transactions, bad_value.
    """
    kind = kind_of(order.get("order"))
    aimed = targets(order, terminals)
    asked = _phases(order)
    duration_s = _number(order, "duration_s", None, above=0, most=LONGEST_DURATION_S)
    to = _voltage(order) if kind is FaultKind.SAG else 0.0
    seconds = _seconds(order, kind)
    ppm = _number(order, "ppm", 0.0, above=-FASTEST_PPM, most=FASTEST_PPM) or 0.0
    if kind is FaultKind.CLOCK_DRIFT and not seconds and not ppm:
        raise OrderRefused(
            "bad_value", field="seconds", above=-LONGEST_DRIFT_S, most=LONGEST_DRIFT_S
        )
    code = 0
    if kind is FaultKind.EXCEPTION:
        code = int(_number(order, "code", DEFAULT_EXCEPTION, above=0, most=LAST_CODE) or 0)
    dark = order.get("dark", False)
    if not isinstance(dark, bool):
        raise OrderRefused("bad_value", field="dark")

    def make(terminal: Terminal, now: float, order_no: int) -> Fault:
        return Fault(
            kind=kind,
            order_no=order_no,
            target=str(order["target"]),
            since=now,
            until=None if duration_s is None else now + duration_s,
            phases=_phases_of(terminal, kind, asked),
            to=to,
            seconds=seconds,
            ppm=ppm if kind is FaultKind.CLOCK_DRIFT else 0.0,
            code=code,
            dark=dark,
        )

    fit = tuple(t for t in aimed if _cannot(t, kind, asked) is None)
    if not fit:
        raise OrderRefused(_cannot(aimed[0], kind, asked) or "bad_value", target=order["target"])
    return Wanted(kind, fit, len(aimed) - len(fit), make)


def _seconds(order: Order, kind: FaultKind) -> float:
    """How late, how slow, or how far ahead [s]."""
    if kind is FaultKind.SLOW:
        return _number(order, "seconds", _needed, above=0, most=LONGEST_DELAY_S) or 0.0
    if kind is FaultKind.TRICKLE:
        return _number(order, "seconds", DEFAULT_TRICKLE_S, above=0, most=LONGEST_DELAY_S) or 0.0
    if kind is FaultKind.CLOCK_DRIFT:
        furthest = LONGEST_DRIFT_S
        return _number(order, "seconds", 0.0, above=-furthest, most=furthest) or 0.0
    return 0.0


def described(faults: Sequence[tuple[str, Fault]]) -> list[dict[str, object]]:
    """Faults by the order that made them: what `list` answers."""
    rows: dict[int, dict[str, object]] = {}
    meters: dict[int, list[str]] = {}
    for key, fault in faults:
        meters.setdefault(fault.order_no, []).append(key)
        rows[fault.order_no] = {
            "order_no": fault.order_no,
            "kind": fault.kind.value,
            "target": fault.target,
            "since": fault.since,
            "until": fault.until,
            **_particulars(fault),
        }
    return [
        {**rows[number], "meters": sorted(meters[number])} for number in sorted(rows, reverse=True)
    ]


def _particulars(fault: Fault) -> dict[str, object]:
    told: dict[FaultKind, dict[str, object]] = {
        FaultKind.SAG: {"to": fault.to},
        FaultKind.SLOW: {"seconds": fault.seconds},
        FaultKind.TRICKLE: {"seconds": fault.seconds},
        FaultKind.CLOCK_DRIFT: {"seconds": fault.seconds, "ppm": fault.ppm},
        FaultKind.EXCEPTION: {"code": fault.code},
        FaultKind.OUTAGE: {"dark": fault.dark},
    }
    phases = {"phases": "".join(fault.phases)} if fault.phases else {}
    return {**phases, **told.get(fault.kind, {})}


def _cannot(terminal: Terminal, kind: FaultKind, asked: tuple[str, ...]) -> str | None:
    if kind is FaultKind.COVER_OPEN and not terminal.has_cover_contact:
        return "no_cover_contact"
    if kind is FaultKind.RELAY_OPEN and terminal.profile.control("relay") is None:
        return "no_relay"
    if kind is FaultKind.CLOCK_DRIFT and terminal.profile.clock is None:
        return "no_clock"
    if kind is FaultKind.WRONG_TRANSACTION and terminal.unit.framing == "rtu":
        return "no_transactions"
    if kind in BY_PHASE and not set(asked) <= set(terminal.curve.phases):
        return "no_such_phase"
    return None


def _phases(order: Order) -> tuple[str, ...]:
    """The phases named, in order; none named is none, and each kind has its own default."""
    named = order.get("phases") or ""
    letters = [str(letter).lower() for letter in named] if isinstance(named, str | list) else ["?"]
    if not set(letters) <= set(PHASES):
        raise OrderRefused("no_such_phase", phases=named)
    return tuple(phase for phase in PHASES if phase in letters)


def _phases_of(terminal: Terminal, kind: FaultKind, asked: tuple[str, ...]) -> tuple[str, ...]:
    """A sag strikes every phase unless told; a loss or a bypass strikes the first."""
    if kind not in BY_PHASE:
        return ()
    own = terminal.curve.phases
    return asked or (own if kind is FaultKind.SAG else own[:1])


def _voltage(order: Order) -> float:
    """The voltage left, as a fraction of nominal."""
    if order.get("percent") is not None:
        most = 100 * HIGHEST_SWELL
        return (_number(order, "percent", _needed, above=0, most=most) or 0.0) / 100
    return _number(order, "to", _needed, above=0, most=HIGHEST_SWELL) or 0.0


_needed = object()


def _number(order: Order, name: str, default: object, *, above: float, most: float) -> float | None:
    value = order.get(name)
    if value is None:
        value = default
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise OrderRefused("bad_value", field=name, above=above, most=most)
    if not isfinite(value) or not above < value <= most:
        raise OrderRefused("bad_value", field=name, above=above, most=most)
    return float(value)
