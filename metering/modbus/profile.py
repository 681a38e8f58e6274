"""Terminal profiles: what a model's registers mean, read from TOML and checked."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import pairwise
from pathlib import Path
from typing import Literal

from foundation.datafiles import build, load_toml
from metering.modbus.errors import ProfileRefused
from metering.modbus.quantities import QUANTITIES, UNITS

PointType = Literal["u16", "i16", "u32", "i32", "u64", "i64", "f32", "bit"]
Order = Literal["ABCD", "CDAB", "BADC", "DCBA"]
Ratio = Literal["none", "pt", "ct", "ptct"]
Confidence = Literal["A", "B", "C", "invented"]

REGISTERS = {"u16": 1, "i16": 1, "u32": 2, "i32": 2, "f32": 2, "u64": 4, "i64": 4, "bit": 1}
"""How many registers (or, for a bit, coils or inputs) a type takes."""

BIT_FUNCTIONS = frozenset({1, 2})
REGISTER_LIMIT = 125
BIT_LIMIT = 2000
LAST_ADDRESS = 0xFFFF

RATIOS_OF_UNIT: dict[str, frozenset[str]] = {
    "V": frozenset({"none", "pt"}),
    "A": frozenset({"none", "ct"}),
    "W": frozenset({"none", "pt", "ct", "ptct"}),
    "var": frozenset({"none", "pt", "ct", "ptct"}),
    "Wh": frozenset({"none", "pt", "ct", "ptct"}),
    "varh": frozenset({"none", "pt", "ct", "ptct"}),
}
"""Ratios that can apply to a quantity of this unit; any other unit takes none."""


@dataclass(frozen=True, slots=True)
class Point:
    """One quantity in the register map.

    `order` names the bytes as sent, A being the most significant; in 64 bits it says
    whether words and the bytes in a word are turned. `scale` makes of a raw value a value
    in `unit`. `absent` lists raw bit patterns that mean "not available". `ratio` names the
    transformer ratios the value is multiplied by.
    """

    quantity: str
    function: int
    address: int
    type: PointType
    unit: str
    scale: Decimal = Decimal(1)
    order: Order = "ABCD"
    absent: tuple[int, ...] = ()
    ratio: Ratio = "none"
    source: str = ""
    confidence: Confidence | None = None

    @property
    def size(self) -> int:
        """Registers taken (or bits, for a bit)."""
        return REGISTERS[self.type]


@dataclass(frozen=True, slots=True)
class Span:
    """Registers (or bits) a terminal answers for in one read: first and last address, inclusive."""

    function: int
    first: int
    last: int

    def holds(self, function: int, first: int, last: int) -> bool:
        """Whether the whole stretch may be read."""
        return self.function == function and self.first <= first and last <= self.last


@dataclass(frozen=True, slots=True)
class Profile:
    """What one model of terminal is; where one stands is a row of the devices."""

    name: str
    title_zh: str
    title_en: str
    maker: str
    source: str
    confidence: Confidence
    phases: Literal[1, 3]
    points: tuple[Point, ...]
    readable: tuple[Span, ...]
    max_registers: int = REGISTER_LIMIT
    min_gap_ms: int = 0
    connect_pause_ms: int = 0
    notes: str = field(default="", compare=False)

    @property
    def max_bits(self) -> int:
        """Most coils or inputs in one request."""
        return min(BIT_LIMIT, 16 * self.max_registers)


def load_profiles(*folders: Path | Traversable) -> dict[str, Profile]:
    """Read and check the packaged profiles and those of an office's own folders, by name.

    Raises:
        ProfileRefused: one contradicts itself, or two share a name.
        DataFileRefused: one is no valid TOML, has an unknown key or names no source.
    """
    found: dict[str, Profile] = {}
    for folder in (files("metering.profiles"), *folders):
        for path in _profile_files(folder):
            profile = read_profile(path)
            if profile.name in found:
                raise ProfileRefused(profile=profile.name, why="two profiles have this name")
            found[profile.name] = profile
    return found


def office_profiles(data_dir: Path) -> dict[str, Profile]:
    """Read the packaged profiles and, where there is such a folder, the office's own.

    Raises:
        ProfileRefused: one of them contradicts itself; facts: file, why.
    """
    own = data_dir / "profiles"
    return load_profiles(own) if own.is_dir() else load_profiles()


def read_profile(path: Path | Traversable) -> Profile:
    """Read and check one profile; its name must be the file's name.

    Raises:
        ProfileRefused: it contradicts itself.
        DataFileRefused: it is no valid TOML, has an unknown key or names no source.
    """
    profile = build(Profile, load_toml(path), where=path.name)
    if f"{profile.name}.toml" != path.name:
        raise ProfileRefused(profile=profile.name, why=f"stands in {path.name}")
    check(profile)
    return profile


def check(profile: Profile) -> None:
    """Refuse a profile that cannot be meant so.

    Raises:
        ProfileRefused: the facts name the profile, the point and why.
    """
    for why in _faults_of_profile(profile):
        raise ProfileRefused(profile=profile.name, why=why)
    for point in profile.points:
        for why in _faults_of_point(profile, point):
            raise ProfileRefused(
                profile=profile.name, point=point.quantity, address=point.address, why=why
            )


def _profile_files(folder: Path | Traversable) -> list[Path | Traversable]:
    try:
        entries: Iterable[Path | Traversable] = list(folder.iterdir())
    except OSError as error:
        raise ProfileRefused(folder=str(folder), why=str(error)) from error
    wanted = [
        entry
        for entry in entries
        if entry.name.endswith(".toml") and not entry.name.endswith(".frames.toml")
    ]
    return sorted(wanted, key=lambda entry: entry.name)


def _faults_of_profile(profile: Profile) -> Iterator[str]:
    if not profile.source.strip():
        yield "names no source"
    if not 1 <= profile.max_registers <= REGISTER_LIMIT:
        yield f"max_registers is not within 1 and {REGISTER_LIMIT}"
    if profile.min_gap_ms < 0 or profile.connect_pause_ms < 0:
        yield "a pause is negative"
    if not profile.points:
        yield "has no point"
    names = [point.quantity for point in profile.points]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        yield f"quantity {doubled[0]} is given twice"
    if any(not 0 <= span.first <= span.last <= LAST_ADDRESS for span in profile.readable):
        yield "a readable span ends before it begins or leaves the address space"
    if any(span.function not in {1, 2, 3, 4} for span in profile.readable):
        yield "a readable span has a function that is no read"
    spans = [(span.function, span.first, span.last) for span in profile.readable]
    if _overlap(spans) is not None:
        yield "readable spans overlap"
    taken = [(point.function, point.address, _last(point)) for point in profile.points]
    clash = _overlap(taken)
    if clash is not None:
        yield f"points overlap at function {clash[0]} address {clash[1]:#06x}"


def _faults_of_point(profile: Profile, point: Point) -> Iterator[str]:
    quantity = QUANTITIES.get(point.quantity)
    if quantity is None:
        yield "unknown quantity"
        return
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
    yield from _faults_of_type(profile, point, is_flag=quantity.unit == "bit")


def _faults_of_type(profile: Profile, point: Point, *, is_flag: bool) -> Iterator[str]:
    if (point.type == "bit") != (point.function in BIT_FUNCTIONS):
        yield "a bit is read by function 1 or 2, and they give nothing else"
    if (point.type == "bit") != is_flag:
        yield f"type {point.type} does not suit the quantity"
    if point.type == "bit" and (point.scale != 1 or point.absent):
        yield "a bit has no scale and no absent pattern"
    if any(not 0 <= raw < 1 << (16 * point.size) for raw in point.absent):
        yield "an absent pattern is wider than the point"
    if point.type != "bit" and point.size > profile.max_registers:
        yield "the point is wider than one request"
    if not any(
        span.holds(point.function, point.address, _last(point)) for span in profile.readable
    ):
        yield "stands outside the readable spans"


def _last(point: Point) -> int:
    return point.address + point.size - 1


def _overlap(stretches: list[tuple[int, int, int]]) -> tuple[int, int] | None:
    ordered = sorted(stretches)
    for before, after in pairwise(ordered):
        if before[0] == after[0] and after[1] <= before[2]:
            return after[0], after[1]
    return None
