"""Looking at a live device: how it speaks, what it is, and which reading of its registers fits.

For whoever writes or verifies a profile. It opens connections of its own: a device that a poller
owns and that takes one connection only is taken out of service first.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import product
from struct import Struct
from typing import get_args

from foundation.errors import GridhallError
from metering.modbus.decode import Value, decode
from metering.modbus.errors import ExceptionReply, GarbledReply, LinkDown, NoReply
from metering.modbus.identity import (
    Identified,
    identified,
    identified_by_device,
    identity_blocks,
)
from metering.modbus.lanes import Priority
from metering.modbus.link import Framing, Link
from metering.modbus.place import Place, link_to
from metering.modbus.plan import CODES, Block, Plan, byte_positions, compile_plan, plan_of
from metering.modbus.plausibility import Finding, judged, score
from metering.modbus.profile_parts import (
    BIT_FUNCTIONS,
    LAST_ADDRESS,
    ORDERS,
    REGISTERS,
    Order,
    Point,
    PointType,
    Profile,
)
from metering.modbus.profile_variants import in_order, moved_by
from metering.modbus.quantities import EVERY_GROUP
from metering.modbus.reading import Learned, read_terminal
from metering.modbus.within import within

SHIFTS = (0, -1, 1)
"""Documents count registers from 1 or from 0, and some are copied from one that did otherwise."""
FIRST_REGISTER = Block(3, 0, 1)
OVER_TCP: tuple[Framing, ...] = ("mbap", "rtu")
"""What is tried where nobody said how a device speaks."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One framing tried: whether the device speaks it, and if not, why we think so."""

    framing: Framing
    speaks: bool
    error: GridhallError | None


@dataclass(frozen=True, slots=True)
class RegistersSeen:
    """A stretch of registers as they stand; `data` is None where the device gave an error."""

    block: Block
    data: bytes | None
    error: GridhallError | None


@dataclass(frozen=True, slots=True)
class PointSeen:
    """One point of a profile: raw beside decoded beside whether that is plausible.

    Attributes:
        raw: the point's own bytes as sent; None where nothing came.
        value: in the quantity's canonical unit.
        holds: whether every check it takes part in holds; None where none does.
    """

    point: Point
    raw: bytes | None
    value: Value
    holds: bool | None


@dataclass(frozen=True, slots=True)
class Fit:
    """A profile read with one offset and one byte order, and how well that fits.

    Attributes:
        shift: added to every address.
        order: of every value of more than one register; None as the profile has it.
        score: 1 is a perfect fit, 0 none at all [1].
    """

    shift: int
    order: Order | None
    score: float
    points: tuple[PointSeen, ...]
    findings: tuple[Finding, ...]
    errors: tuple[GridhallError, ...]


@dataclass(frozen=True, slots=True)
class Guess:
    """What some registers would be as one type in one order."""

    type: PointType
    order: Order
    number: float


@dataclass(frozen=True, slots=True)
class Probed:
    """Everything one look at a device gave; `fits` are the best first."""

    framing: Framing | None
    tried: tuple[Tried, ...]
    identity: tuple[Identified, ...]
    fits: tuple[Fit, ...]


async def find_framing(
    place: Place, framings: Sequence[Framing] = OVER_TCP
) -> tuple[Framing | None, tuple[Tried, ...]]:
    """Try framings; any answer that is framed right, an exception too, proves one."""
    tried: list[Tried] = []
    for framing in framings:
        link = link_to(place, framing)
        error: GridhallError | None = None
        try:
            await link.read(
                place.unit,
                FIRST_REGISTER,
                timeout_s=place.timeout_s,
                priority=Priority.ON_DEMAND,
            )
        except ExceptionReply:
            pass
        except (LinkDown, NoReply, GarbledReply) as failed:
            error = failed
        finally:
            await link.close()
        tried.append(Tried(framing, error is None, error))
        if error is None:
            return framing, tuple(tried)
    return None, tuple(tried)


async def read_registers(link: Link, place: Place, block: Block) -> list[RegistersSeen]:
    """Read a stretch however long, in steps of at most 100, halving what is refused."""
    found: list[RegistersSeen] = []
    waiting = [
        Block(block.function, first, min(100, block.last - first + 1))
        for first in range(block.address, block.last + 1, 100)
    ]
    while waiting:
        asked = waiting.pop(0)
        try:
            data = await link.read(
                place.unit, asked, timeout_s=place.timeout_s, priority=Priority.ON_DEMAND
            )
            found.append(RegistersSeen(asked, data, None))
        except ExceptionReply as error:
            if asked.count == 1 or error.is_of_gateway:
                found.append(RegistersSeen(asked, None, error))
            else:
                half = asked.count // 2
                waiting[:0] = [
                    Block(asked.function, asked.address, half),
                    Block(asked.function, asked.address + half, asked.count - half),
                ]
        except GridhallError as error:
            found.append(RegistersSeen(asked, None, error))
            break
    return found


async def read_identity(link: Link, place: Place, profile: Profile | None) -> list[Identified]:
    """Ask what the device is: function 43/14, and the profile's identity registers."""
    found: list[Identified] = []
    expected = None if profile is None else profile.device_identification
    try:
        texts = await link.identify(place.unit, timeout_s=place.timeout_s)
        found += identified_by_device(expected, texts)
    except GridhallError:
        pass  # most meters do not know the question: that is no fault
    for one, block in [] if profile is None else identity_blocks(profile):
        try:
            data = await link.read(
                place.unit, block, timeout_s=place.timeout_s, priority=Priority.ON_DEMAND
            )
        except GridhallError:
            continue
        found.append(identified(one, data))
    return found


async def fits_of(
    link: Link,
    place: Place,
    profile: Profile,
    *,
    ratios: tuple[Decimal, Decimal] = (Decimal(1), Decimal(1)),
    shifts: Sequence[int] = SHIFTS,
) -> list[Fit]:
    """Read a profile's points with several offsets and orders; the best fit first.

    Every offset is read once; the orders are tried on the same bytes.

    Args:
        link: to the device.
        place: the unit and the patience.
        profile: the map to try.
        ratios: PT and CT [1].
        shifts: offsets to try.
    """
    fits = []
    for shift in shifts:
        moved = _addressable(moved_by(profile, shift))
        if not moved.points:
            continue
        plan = compile_plan(moved, groups=EVERY_GROUP)
        answers = await read_terminal(
            link,
            place.unit,
            plan,
            timeout_s=place.timeout_s,
            priority=Priority.ON_DEMAND,
            learned=Learned(),
        )
        seen = dict(zip(answers.plan.blocks, answers.replies, strict=True))
        kept = {point.quantity for layout in answers.plan.layouts for point in layout.points}
        for order in (None, *ORDERS):
            fit = _fit(moved, order, seen, kept, ratios)
            fits.append(Fit(shift, order, *fit, answers.errors))
    distinct = {(fit.shift, tuple((p.point, p.value) for p in fit.points)): fit
                for fit in reversed(fits)}  # fmt: skip
    return sorted(distinct.values(), key=lambda fit: (-fit.score, abs(fit.shift), fit.order or ""))


def _addressable(profile: Profile) -> Profile:
    """Leave out what a moved map has outside of all addresses; a bit at 0 rules no offset out."""
    return replace(
        profile,
        points=tuple(
            point for point in profile.points if 0 <= point.first <= point.last <= LAST_ADDRESS
        ),
        readable=tuple(
            replace(span, first=max(span.first, 0), last=min(span.last, LAST_ADDRESS))
            for span in profile.readable
            if span.last >= 0 and span.first <= LAST_ADDRESS
        ),
    )


def _fit(
    profile: Profile,
    order: Order | None,
    seen: dict[Block, bytes | None],
    kept: set[str],
    ratios: tuple[Decimal, Decimal],
) -> tuple[float, tuple[PointSeen, ...], tuple[Finding, ...]]:
    turned = profile if order is None else in_order(profile, order)
    values: dict[str, Value] = {}
    raws: dict[str, bytes | None] = {}
    for plan, data in _plans(turned, seen, kept):
        try:
            found = decode(plan, [data], pt=ratios[0], ct=ratios[1])
        except GarbledReply:  # a mark says that this is another map
            found = (None,) * len(plan.columns)
        values |= dict(zip(plan.columns, found, strict=True))
        for point in plan.layouts[0].points:
            raws[point.quantity] = _raw(plan.blocks[0], point, data)
    findings = judged(values)
    holds: dict[str, bool] = {}
    for finding in findings:
        holds[finding.quantity] = holds.get(finding.quantity, True) and finding.holds
    points = tuple(
        PointSeen(point, raws.get(point.quantity), values.get(point.quantity),
                  holds.get(point.quantity))
        for point in turned.points
    )  # fmt: skip
    every = {point.quantity: values.get(point.quantity) for point in turned.points}
    return score(findings, every), points, tuple(findings)


def _plans(
    profile: Profile, seen: dict[Block, bytes | None], kept: set[str]
) -> Iterator[tuple[Plan, bytes | None]]:
    """One plan for each block that was read, of the points inside it."""
    for block, data in seen.items():
        inside = [
            point
            for point in profile.points
            if point.quantity in kept
            and point.function == block.function
            and block.address <= point.first
            and point.last <= block.last
        ]
        if inside:
            plan = plan_of(profile, [inside])
            own = plan.blocks[0]
            if data is None or own == block:
                yield plan, data
            elif block.function not in BIT_FUNCTIONS:
                start = 2 * (own.address - block.address)
                yield plan, data[start : start + own.payload_bytes]


def _raw(block: Block, point: Point, data: bytes | None) -> bytes | None:
    if data is None:
        return None
    if block.function in BIT_FUNCTIONS:
        place = point.address - block.address
        return bytes((data[place // 8] >> place % 8 & 1,))
    start = 2 * (point.address - block.address)
    return data[start : start + 2 * point.size]


def guesses(data: bytes) -> list[Guess]:
    """What the first registers of some bytes would be, as every type and order they allow."""
    found = []
    for kind, order in product(CODES, ORDERS):
        size = 2 * REGISTERS[kind]
        if size > len(data) or (size == 2 and order not in {"ABCD", "BADC"}):  # noqa: PLR2004  one register
            continue
        turned = bytes(data[at] for at in byte_positions(order, size))
        (number,) = Struct(f">{CODES[kind]}").unpack(turned)
        found.append(Guess(_TYPES[kind], order, float(number)))
    return found


_TYPES: dict[str, PointType] = {kind: kind for kind in get_args(PointType)}


async def look_at(
    place: Place,
    profile: Profile | None,
    *,
    ratios: tuple[Decimal, Decimal] = (Decimal(1), Decimal(1)),
    framings: Sequence[Framing] = OVER_TCP,
) -> Probed:
    """Find the framing, ask what it is, and fit a profile to it."""
    framing, tried = await find_framing(place, framings)
    if framing is None:
        return Probed(None, tried, (), ())
    link = link_to(place, framing, profile)
    try:
        identity = await read_identity(link, place, profile)
        fits = [] if profile is None else await fits_of(link, place, profile, ratios=ratios)
    finally:
        await link.close()
    return Probed(framing, tried, tuple(identity), tuple(fits))


def probe(
    place: Place,
    profile: Profile | None = None,
    *,
    ratios: tuple[Decimal, Decimal] = (Decimal(1), Decimal(1)),
    framings: Sequence[Framing] = OVER_TCP,
    within_s: float | None = None,
) -> Probed:
    """Look at a live device and wait for it: for a page or a command, never inside a loop.

    Args:
        place: where it is reached.
        profile: the map to try; None only finds framing and identification.
        ratios: PT and CT [1].
        framings: those to try.
        within_s: the patience for the whole look [s]; None has none.

    Raises:
        LookTooLong: it took longer.
    """
    return asyncio.run(within(look_at(place, profile, ratios=ratios, framings=framings), within_s))


def peek(place: Place, framing: Framing, block: Block) -> list[RegistersSeen]:
    """Read raw registers of a live device and wait for it."""

    async def looking() -> list[RegistersSeen]:
        link = link_to(place, framing)
        try:
            return await read_registers(link, place, block)
        finally:
            await link.close()

    return asyncio.run(looking())
