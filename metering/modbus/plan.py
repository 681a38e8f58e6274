"""From a profile to few reads: which blocks to ask for, and how each reply is taken apart."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import attrgetter, itemgetter
from struct import Struct

from metering.modbus.profile_parts import BIT_FUNCTIONS, Order, Point, Profile
from metering.modbus.quantities import QUANTITIES, Group

GAP_LIMIT = 32
"""Registers worth reading unwanted rather than sending one more request [1].

Reading one costs 2.3 ms at 9600 baud, one more request the time of 19 to 53 registers.
"""

CODES = {
    "u16": "H",
    "i16": "h",
    "u32": "I",
    "i32": "i",
    "u64": "Q",
    "i64": "q",
    "f32": "f",
}
_QUESTION = Struct(">BHH")
READING = frozenset({Group.READING})
MARK_REACH = 4
"""A mark this near before the points of a block is read with them [1]."""


@dataclass(frozen=True, slots=True)
class Block:
    """One read: function code, first address, number of registers (or bits).

    Attributes:
        question: the PDU that asks for it.
        payload_bytes: data bytes of the reply, without headers [byte].
        reply_head: function and byte count, with which the one right reply begins, as a number
            of 16 bits; -1 where nothing is read.
    """

    function: int
    address: int
    count: int
    question: bytes = field(init=False, repr=False, compare=False)
    payload_bytes: int = field(init=False, repr=False, compare=False)
    reply_head: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Put the question and count the bytes once: every request asks for them."""
        of_bits = self.function in BIT_FUNCTIONS
        size = (self.count + 7) // 8 if of_bits else 2 * self.count
        question = _QUESTION.pack(self.function, self.address, self.count)
        object.__setattr__(self, "question", question)
        object.__setattr__(self, "payload_bytes", size)
        object.__setattr__(self, "reply_head", self.function << 8 | size if size else -1)

    @property
    def last(self) -> int:
        """The last address."""
        return self.address + self.count - 1


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """How the data bytes of one block and its points' raw values become each other.

    `packer` is None for a block of bits. `turn` gathers the bytes into big-endian order;
    it is its own inverse, and None where nothing has to be turned.

    A block with scale factors or marks holds more numbers than points. Then `picks` says which
    numbers are the points', `factors` which number is each point's power of ten (-1 for none),
    and `marks` which numbers must have which value. In a block where every number is a point
    and means what it says `picks` is None.
    """

    block: Block
    points: tuple[Point, ...]
    packer: Struct | None
    turn: Callable[[bytes], tuple[int, ...]] | None
    picks: tuple[int, ...] | None = None
    factors: tuple[int, ...] = ()
    marks: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A compiled profile: ask for `blocks`, get one value per name in `columns`.

    `sizes` says how long each block's reply is [byte], where the replies of many terminals can
    be decoded at once; None where one reply decides how its own numbers are meant (marks, scale
    factors).
    """

    profile: Profile
    blocks: tuple[Block, ...]
    columns: tuple[str, ...]
    layouts: tuple[Layout, ...]
    sizes: tuple[int, ...] | None = None


def compile_plan(
    profile: Profile, *, gap_limit: int = GAP_LIMIT, groups: Collection[Group] = READING
) -> Plan:
    """Merge a profile's points into few reads.

    No read leaves a readable span, none is longer than the model allows, and none bridges
    more than `gap_limit` unwanted registers (sixteen times as many bits). A point and its scale
    factor always stand in the same read.

    Args:
        profile: a checked profile.
        gap_limit: most unwanted registers between two wanted ones in one read [1].
        groups: which quantities are wanted.
    """
    wanted = [point for point in profile.points if QUANTITIES[point.quantity].group in groups]
    return plan_of(profile, _grouped(profile, wanted, gap_limit))


def plan_of(profile: Profile, parts: Iterable[Sequence[Point]]) -> Plan:
    """Lay out a plan whose every read serves the points of one part.

    Args:
        profile: whose points they are.
        parts: points of one function each.
    """
    layouts = tuple(_layout(profile, points) for points in parts)
    is_plain = not any(
        layout.marks or any(point.factor_at is not None for point in layout.points)
        for layout in layouts
    )
    return Plan(
        profile=profile,
        blocks=tuple(layout.block for layout in layouts),
        columns=tuple(point.quantity for layout in layouts for point in layout.points),
        layouts=layouts,
        sizes=tuple(layout.block.payload_bytes for layout in layouts) if is_plain else None,
    )


def halved(plan: Plan, number: int) -> Plan | None:
    """The plan with one block cut in two between its points; None if that holds only one point.

    Args:
        plan: as it was refused.
        number: which block, counted from 0.
    """
    points = plan.layouts[number].points
    if len(points) == 1:
        return None
    half = len(points) // 2
    parts: list[Sequence[Point]] = [layout.points for layout in plan.layouts]
    parts[number : number + 1] = [points[:half], points[half:]]
    return plan_of(plan.profile, parts)


def without(plan: Plan, number: int) -> Plan:
    """The plan with one block left out.

    Args:
        plan: as it was refused.
        number: which block, counted from 0.
    """
    parts = [layout.points for layout in plan.layouts]
    del parts[number]
    return plan_of(plan.profile, parts)


def byte_positions(order: Order, size: int) -> tuple[int, ...]:
    """Say where each byte of the big-endian value is found in the bytes as sent.

    The same positions lead back: every order is its own inverse.

    Args:
        order: the order as sent.
        size: bytes of the value, a multiple of two.
    """
    words = list(range(0, size, 2))
    if order in {"CDAB", "DCBA"}:
        words.reverse()
    inner = (1, 0) if order in {"BADC", "DCBA"} else (0, 1)
    return tuple(word + byte for word in words for byte in inner)


def _grouped(profile: Profile, points: list[Point], gap_limit: int) -> list[list[Point]]:
    groups: list[list[Point]] = []
    ordered = sorted(points, key=attrgetter("function", "first", "address"))
    for function, together in groupby(ordered, key=attrgetter("function")):
        groups += _groups(profile, function, [*together], gap_limit)
    return groups


def _groups(
    profile: Profile, function: int, points: list[Point], gap_limit: int
) -> list[list[Point]]:
    is_bits = function in BIT_FUNCTIONS
    longest = profile.max_bits if is_bits else profile.max_registers
    gap = gap_limit * 16 if is_bits else gap_limit
    groups: list[list[Point]] = []
    first = last = 0
    for point in points:
        if groups:
            reach = max(last, point.last)
            is_readable = any(span.holds(function, first, reach) for span in profile.readable)
            if is_readable and point.first - last - 1 <= gap and reach - first < longest:
                groups[-1].append(point)
                last = reach
                continue
        groups.append([point])
        first, last = point.first, point.last
    return groups


def _layout(profile: Profile, points: Sequence[Point]) -> Layout:
    points = sorted(points, key=attrgetter("address"))
    block = _block(profile, points)
    if block.function in BIT_FUNCTIONS:
        return Layout(block, tuple(points), None, None)
    marks = {
        mark.address: mark.value
        for mark in profile.marks
        if mark.function == block.function and block.address <= mark.address <= block.last
    }
    factor_at = {point.factor_at for point in points if point.factor_at is not None}
    packer, number = _packer(
        block.address,
        {
            **dict.fromkeys(marks, ("H", 1)),
            **dict.fromkeys(factor_at, ("h", 1)),
            **{point.address: (CODES[point.type], point.size) for point in points},
        },
    )
    layout = Layout(block, tuple(points), packer, _turn(block, points))
    if not factor_at and not marks and all(point.form == "plain" for point in points):
        return layout
    return replace(
        layout,
        picks=tuple(number[point.address] for point in points),
        factors=tuple(
            -1 if point.factor_at is None else number[point.factor_at] for point in points
        ),
        marks=tuple((number[address], value) for address, value in marks.items()),
    )


def _block(profile: Profile, points: Sequence[Point]) -> Block:
    """The read that serves these points, a mark just before them included."""
    function = points[0].function
    start, last = min(point.first for point in points), max(point.last for point in points)
    for mark in sorted(profile.marks, key=attrgetter("address"), reverse=True):
        if (
            mark.function == function
            and 0 < start - mark.address <= MARK_REACH
            and last - mark.address < profile.max_registers
            and any(span.holds(function, mark.address, last) for span in profile.readable)
        ):
            start = mark.address
    return Block(function, start, last - start + 1)


def _packer(start: int, fields: dict[int, tuple[str, int]]) -> tuple[Struct, dict[int, int]]:
    """The struct of a block's numbers, and which number stands at which address."""
    code, here = ">", start
    number: dict[int, int] = {}
    for address in sorted(fields):
        kind, size = fields[address]
        code += "xx" * (address - here) + kind
        here = address + size
        number[address] = len(number)
    return Struct(code), number


def _turn(block: Block, points: Sequence[Point]) -> Callable[[bytes], tuple[int, ...]] | None:
    positions = list(range(2 * block.count))
    for point in points:
        at = 2 * (point.address - block.address)
        turned = byte_positions(point.order, 2 * point.size)
        positions[at : at + 2 * point.size] = [at + position for position in turned]
    return None if positions == sorted(positions) else itemgetter(*positions)
