"""What is wrong with a profile: everything that cannot be meant so, said of the place it stands."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from metering.modbus.profile_parts import (
    BIT_FUNCTIONS,
    CLOCK_REGISTERS,
    LAST_ADDRESS,
    READ_FUNCTIONS,
    REGISTER_LIMIT,
    REGISTERS,
    WRITE_FUNCTIONS,
    Control,
    Freeze,
    FreezePoint,
    Point,
    Profile,
    Ratio,
)
from metering.modbus.quantities import QUANTITIES, UNITS, Quantity

RATIOS_OF_UNIT: dict[str, frozenset[Ratio]] = {
    "V": frozenset({"none", "pt"}),
    "A": frozenset({"none", "ct"}),
    **dict.fromkeys(
        ("W", "var", "VA", "Wh", "varh", "VAh"), frozenset({"none", "pt", "ct", "ptct"})
    ),
}
"""Ratios that can apply to a quantity of this unit; any other unit takes none."""

STAMPS_OF_PERIOD = {
    "quarter": frozenset(CLOCK_REGISTERS) - {"ymdh_bytes"},
    "hour": frozenset(CLOCK_REGISTERS),
    "day": frozenset(CLOCK_REGISTERS),
    "month": frozenset(CLOCK_REGISTERS),
}


class Wrong(NamedTuple):
    """One thing wrong: in which part of the profile, and why."""

    where: str
    why: str


def wrongs(profile: Profile) -> list[Wrong]:
    """Everything wrong with a profile, in the order it stands in the file."""
    return [
        *(Wrong("", why) for why in _of_profile(profile)),
        *(
            Wrong(f"point {point.quantity} at {point.address:#06x}", why)
            for point in profile.points
            for why in _of_point(profile, point)
        ),
        *(Wrong("clock", why) for why in _of_clock(profile)),
        *(
            Wrong(f"freeze of each {freeze.every}", why)
            for freeze in profile.freezes
            for why in _of_freeze(profile, freeze)
        ),
        *(
            Wrong(f"control {control.name}", why)
            for control in profile.controls
            for why in _of_control(profile, control)
        ),
        *(
            Wrong(f"identity {one.what}", why)
            for one in profile.identity
            for why in _of_read(profile, one.function, one.address, one.size)
        ),
    ]


def _of_profile(profile: Profile) -> Iterator[str]:
    if not profile.source.strip():
        yield "names no source"
    if not 1 <= profile.max_registers <= REGISTER_LIMIT:
        yield f"max_registers is not within 1 and {REGISTER_LIMIT}"
    if profile.min_gap_ms < 0 or profile.connect_pause_ms < 0:
        yield "a pause is negative"
    if not profile.points:
        yield "has no point"
    yield from _twice("quantity", (point.quantity for point in profile.points))
    yield from _twice("freeze of each", (freeze.every for freeze in profile.freezes))
    yield from _twice("control", (control.name for control in profile.controls))
    yield from _of_map(profile)


def _of_map(profile: Profile) -> Iterator[str]:
    if any(not 0 <= span.first <= span.last <= LAST_ADDRESS for span in profile.readable):
        yield "a readable span ends before it begins or leaves the address space"
    if any(span.function not in READ_FUNCTIONS for span in profile.readable):
        yield "a readable span has a function that is no read"
    if _overlap((span.function, span.first, span.last) for span in profile.readable) is not None:
        yield "readable spans overlap"
    clash = _overlap(_taken(profile))
    if clash is not None:
        yield f"points overlap at function {clash[0]} address {clash[1]:#06x}"
    for mark in profile.marks:
        if mark.function in BIT_FUNCTIONS or not 0 <= mark.value <= LAST_ADDRESS:
            yield f"the mark at {mark.address:#06x} is no register with a value"
        elif not _is_readable(profile, mark.function, mark.address, mark.address):
            yield f"the mark at {mark.address:#06x} stands outside the readable spans"


def _taken(profile: Profile) -> Iterator[tuple[int, int, int]]:
    """Every stretch of registers that means one thing: points, scale factors, marks."""
    for point in profile.points:
        yield point.function, point.address, point.address + point.size - 1
    factors = {
        (point.function, point.factor_at) for point in profile.points if point.factor_at is not None
    }
    for function, address in sorted(factors):
        yield function, address, address
    for mark in profile.marks:
        yield mark.function, mark.address, mark.address


def _of_point(profile: Profile, point: Point) -> Iterator[str]:
    quantity = QUANTITIES.get(point.quantity)
    if quantity is None:
        yield "unknown quantity"
        return
    yield from _of_quantity(profile, point, quantity)
    if (point.type == "bit") != (point.function in BIT_FUNCTIONS):
        yield "a bit is read by function 1 or 2, and they give nothing else"
    if point.type == "bit" and point.factor_at is not None:
        yield "a bit has no scale factor"
    if point.form == "pf_4q" and (point.type != "f32" or quantity.unit != "1"):
        yield "a four-quadrant power factor is a 32-bit float without unit"
    if point.type != "bit" and point.last - point.first + 1 > profile.max_registers:
        yield "the point is wider than one request"
    if not _is_readable(profile, point.function, point.first, point.last):
        yield "stands outside the readable spans"


def _of_quantity(profile: Profile, point: Point | FreezePoint, quantity: Quantity) -> Iterator[str]:
    if profile.phases == 1 and quantity.three_phase_only:
        yield "a single-phase terminal has no such phase"
    if point.unit not in UNITS:
        yield f"unknown unit {point.unit!r}"
    elif UNITS[point.unit][0] != quantity.unit:
        yield f"unit {point.unit!r} is no unit of {quantity.name}"
    if not point.scale.is_finite() or point.scale == 0:
        yield "scale is zero"
    if point.ratio not in RATIOS_OF_UNIT.get(quantity.unit, {"none"}):
        yield f"ratio {point.ratio} does not apply to {quantity.name}"
    if (point.type == "bit") != (quantity.unit == "bit"):
        yield f"type {point.type} does not suit the quantity"
    if point.type == "bit" and (point.scale != 1 or point.absent):
        yield "a bit has no scale and no absent pattern"
    if any(not 0 <= raw < 1 << (16 * REGISTERS[point.type]) for raw in point.absent):
        yield "an absent pattern is wider than the point"


def _of_clock(profile: Profile) -> Iterator[str]:
    clock = profile.clock
    if clock is None:
        return
    if clock.form == "ymdh_bytes":
        yield "a clock without minutes is none"
    if clock.settable and clock.function not in {3, 4}:
        yield "only registers can be set"
    yield from _of_read(profile, clock.function, clock.address, clock.size)


def _of_freeze(profile: Profile, freeze: Freeze) -> Iterator[str]:
    if freeze.entries < 1 or freeze.size < 1 or freeze.stride < freeze.size:
        yield "entries, size and stride do not fit each other"
        return
    if freeze.stamp not in STAMPS_OF_PERIOD[freeze.every]:
        yield f"a stamp {freeze.stamp} does not tell one {freeze.every} from the next"
    stamp = (0, freeze.stamp_offset, freeze.stamp_offset + CLOCK_REGISTERS[freeze.stamp] - 1)
    taken = [stamp]
    if not freeze.points:
        yield "has no point"
    for point in freeze.points:
        taken.append((0, point.offset, point.offset + REGISTERS[point.type] - 1))
        quantity = QUANTITIES.get(point.quantity)
        if quantity is None:
            yield f"unknown quantity {point.quantity}"
        else:
            for why in _of_quantity(profile, point, quantity):
                yield f"{point.quantity}: {why}"
    if _overlap(taken) is not None:
        yield "points overlap in an entry"
    if any(first < 0 or last >= freeze.size for _, first, last in taken):
        yield "a point stands outside its entry"
    yield from _of_read(profile, freeze.function, freeze.address, freeze.size)
    if freeze.entry_at(freeze.entries) + freeze.size - 1 > LAST_ADDRESS:
        yield "leaves the address space"


def _of_control(profile: Profile, control: Control) -> Iterator[str]:
    if control.function not in WRITE_FUNCTIONS:
        yield "its function is no write"
    if (control.type == "bit") != (control.function in {5, 15}):
        yield "a bit is written by function 5 or 15, and they write nothing else"
    if control.function == 6 and REGISTERS[control.type] != 1:  # noqa: PLR2004  one register
        yield "function 6 writes one register"
    if not control.write or set(control.write) != set(control.expect):
        yield "what is written and what is expected back are not the same commands"
    yield from _too_wide("write", control.type, control.write.values())
    yield from _too_wide("expect", control.read.type, control.expect.values())
    if control.settles_s <= 0:
        yield "settles_s is not above zero"
    yield from _of_proof(profile, control)
    if (control.read.type == "bit") != (control.read.function in BIT_FUNCTIONS):
        yield "a bit is read by function 1 or 2, and they give nothing else"
    yield from _of_read(
        profile, control.read.function, control.read.address, REGISTERS[control.read.type]
    )
    if not 0 <= control.address <= LAST_ADDRESS:
        yield "leaves the address space"


def _of_proof(profile: Profile, control: Control) -> Iterator[str]:
    proof = control.proof
    if proof is None:
        return
    if proof.command not in control.write:
        yield f"the proof is of an unknown command {proof.command!r}"
    missing = sorted(set(proof.quantities) - {point.quantity for point in profile.points})
    if missing or not proof.quantities:
        yield f"the proof needs {missing[0] if missing else 'a quantity'}, which it has not"


def _too_wide(name: str, kind: str, raws: Iterable[int]) -> Iterator[str]:
    width = 1 if kind == "bit" else 16 * REGISTERS[kind]
    if any(not 0 <= raw < 1 << width for raw in raws):
        yield f"a value of {name} does not fit its type"


def _of_read(profile: Profile, function: int, address: int, size: int) -> Iterator[str]:
    if function not in READ_FUNCTIONS:
        yield "its function is no read"
    if size < 1 or (function not in BIT_FUNCTIONS and size > profile.max_registers):
        yield "does not fit one request"
    if not 0 <= address <= address + size - 1 <= LAST_ADDRESS:
        yield "leaves the address space"


def _is_readable(profile: Profile, function: int, first: int, last: int) -> bool:
    return any(span.holds(function, first, last) for span in profile.readable)


def _twice(what: str, names: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield f"{what} {name} is given twice"
        seen.add(name)


def _overlap(stretches: Iterable[tuple[int, int, int]]) -> tuple[int, int] | None:
    ordered = sorted(stretches)
    for before, after in pairwise(ordered):
        if before[0] == after[0] and after[1] <= before[2]:
            return after[0], after[1]
    return None
