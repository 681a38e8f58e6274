"""What a terminal profile is made of: points, spans, clock, freezes, controls, identity."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, get_args

PointType = Literal["u16", "i16", "u32", "i32", "u64", "i64", "f32", "bit"]
Order = Literal["ABCD", "CDAB", "BADC", "DCBA"]
Ratio = Literal["none", "pt", "ct", "ptct"]
Confidence = Literal["A", "B", "C", "invented"]
"""How well a fact is founded: A two independent sources or the standard's own file; B one that
cites the maker's document; C one source only, to be verified on the device."""
Form = Literal["plain", "pf_4q"]
"""How a number is meant: as it stands, or as a Schneider four-quadrant power factor."""
ClockForm = Literal[
    "ymdhms_bytes", "ymdh_bytes", "ymdhms_words", "smhdmy_words", "datetime", "unix"
]
"""How date and time are packed: two to a register (year first), with or without minutes and
seconds; one to a register, year or second first; Schneider's four registers; seconds since 1970."""
Period = Literal["quarter", "hour", "day", "month"]
What = Literal["maker", "model", "serial", "firmware"]

REGISTERS = {"u16": 1, "i16": 1, "u32": 2, "i32": 2, "f32": 2, "u64": 4, "i64": 4, "bit": 1}
"""How many registers (or, for a bit, coils or inputs) a type takes."""
CLOCK_REGISTERS: dict[str, int] = {
    "ymdhms_bytes": 3,
    "ymdh_bytes": 2,
    "ymdhms_words": 6,
    "smhdmy_words": 6,
    "datetime": 4,
    "unix": 2,
}
"""How many registers a date and time takes."""

BIT_FUNCTIONS = frozenset({1, 2})
READ_FUNCTIONS = frozenset({1, 2, 3, 4})
WRITE_FUNCTIONS = frozenset({5, 6, 15, 16})
REGISTER_LIMIT = 125
BIT_LIMIT = 2000
LAST_ADDRESS = 0xFFFF
ORDERS: tuple[Order, ...] = get_args(Order)


@dataclass(frozen=True, slots=True)
class Point:
    """One quantity in the register map.

    `order` names the bytes as sent, A being the most significant; in 64 bits it says
    whether words and the bytes in a word are turned. `scale` makes of a raw value a value
    in `unit`. `factor_at` is the address of a signed register that holds a further power of
    ten, read in the same request. `absent` lists raw bit patterns that mean "not available".
    `ratio` names the transformer ratios the value is multiplied by.
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
    factor_at: int | None = None
    form: Form = "plain"
    source: str = ""
    confidence: Confidence | None = None

    @property
    def size(self) -> int:
        """Registers taken (or bits, for a bit)."""
        return REGISTERS[self.type]

    @property
    def first(self) -> int:
        """The first register needed to make a value of it."""
        return self.address if self.factor_at is None else min(self.address, self.factor_at)

    @property
    def last(self) -> int:
        """The last register needed to make a value of it."""
        own = self.address + self.size - 1
        return own if self.factor_at is None else max(own, self.factor_at)


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
class Mark:
    """A register whose value never changes: where it holds another, the map is another."""

    function: int
    address: int
    value: int


@dataclass(frozen=True, slots=True)
class Clock:
    """Where the terminal's own clock is read, and set if `settable` (function 16, one write)."""

    function: int
    address: int
    form: ClockForm
    source: str
    confidence: Confidence
    zone: Literal["local", "utc"] = "local"
    settable: bool = False

    @property
    def size(self) -> int:
        """Registers taken."""
        return CLOCK_REGISTERS[self.form]


@dataclass(frozen=True, slots=True)
class FreezePoint:
    """One quantity of a frozen entry, `offset` registers after the entry's first."""

    quantity: str
    offset: int
    type: PointType
    unit: str
    scale: Decimal = Decimal(1)
    order: Order = "ABCD"
    absent: tuple[int, ...] = ()
    ratio: Ratio = "none"


@dataclass(frozen=True, slots=True)
class Freeze:
    """Entries a terminal keeps of itself: counters as they stood at the end of each period.

    Entry 1 is the newest and stands at `address`; each older one stands `stride` registers
    further on. The stamp inside an entry says which instant it shows.
    """

    every: Period
    function: int
    address: int
    stride: int
    size: int
    entries: int
    stamp: ClockForm
    points: tuple[FreezePoint, ...]
    source: str
    confidence: Confidence
    stamp_offset: int = 0

    def entry_at(self, number: int) -> int:
        """First register of an entry, 1 the newest."""
        return self.address + self.stride * (number - 1)


@dataclass(frozen=True, slots=True)
class ReadBack:
    """Where a written command shows."""

    function: int
    address: int
    type: PointType = "u16"
    order: Order = "ABCD"


@dataclass(frozen=True, slots=True)
class Proof:
    """Which quantities show that a command took effect: each at most so much, in its unit."""

    command: str
    quantities: tuple[str, ...]
    at_most: Decimal


@dataclass(frozen=True, slots=True)
class Control:
    """Something that can be switched: what to write, and what must be read back.

    `write` and `expect` have the same commands as keys. `settles_s` is how long the terminal
    may take until it shows [s].
    """

    name: str
    function: int
    address: int
    write: dict[str, int]
    read: ReadBack
    expect: dict[str, int]
    source: str
    confidence: Confidence
    type: PointType = "u16"
    order: Order = "ABCD"
    settles_s: int = 5
    proof: Proof | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """A register that says what this device is; `text` takes `registers` registers of ASCII.

    `expect` lists beginnings one of which the answer must have, if it is this model at all.
    """

    what: What
    function: int
    address: int
    type: Literal["text", "u16", "u32", "u64"]
    source: str
    confidence: Confidence
    registers: int = 0
    order: Order = "ABCD"
    expect: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Registers taken."""
        return self.registers if self.type == "text" else REGISTERS[self.type]


@dataclass(frozen=True, slots=True)
class DeviceIdentification:
    """What function 43/14 says of this model: beginnings of the vendor's name and product code."""

    source: str
    confidence: Confidence
    vendor: tuple[str, ...] = ()
    product: tuple[str, ...] = ()


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
    marks: tuple[Mark, ...] = ()
    clock: Clock | None = None
    freezes: tuple[Freeze, ...] = ()
    controls: tuple[Control, ...] = ()
    identity: tuple[Identity, ...] = ()
    device_identification: DeviceIdentification | None = None
    extends: str = ""
    """The profile this one is a variant of; empty for one that stands by itself."""
    notes: str = field(default="", compare=False)

    @property
    def max_bits(self) -> int:
        """Most coils or inputs in one request."""
        return min(BIT_LIMIT, 16 * self.max_registers)

    def freeze(self, every: Period) -> Freeze | None:
        """What it keeps of each period, if anything."""
        return next((freeze for freeze in self.freezes if freeze.every == every), None)

    def control(self, name: str) -> Control | None:
        """A control point by its name."""
        return next((control for control in self.controls if control.name == name), None)


@dataclass(frozen=True, slots=True)
class Variant:
    """A profile told as the difference from another.

    `shift` is added to every address. `order` replaces the byte order of every value of more
    than one register. `without` names quantities this model does not have.
    """

    name: str
    extends: str
    source: str
    confidence: Confidence
    title_zh: str = ""
    title_en: str = ""
    shift: int = 0
    order: Order | None = None
    without: tuple[str, ...] = ()
    max_registers: int | None = None
    min_gap_ms: int | None = None
    connect_pause_ms: int | None = None
    notes: str = ""
