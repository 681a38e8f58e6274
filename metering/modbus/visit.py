"""One visit to a terminal: does it answer, what is it, what does it measure, what time has it.

For whoever puts it into service. It opens a connection of its own, as `probe` does.
"""

import asyncio
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal

from foundation.errors import GridhallError
from metering.modbus.commanding import read_clock
from metering.modbus.decode import Value, decode
from metering.modbus.errors import ExceptionReply
from metering.modbus.identity import Identified
from metering.modbus.lanes import Priority
from metering.modbus.link import Framing, Link
from metering.modbus.meter_clock import ClockReading
from metering.modbus.place import Place, link_to
from metering.modbus.plan import compile_plan
from metering.modbus.probe import read_identity
from metering.modbus.profile_parts import Profile
from metering.modbus.quantities import EVERY_GROUP
from metering.modbus.reading import Learned, read_terminal
from metering.modbus.within import within


@dataclass(frozen=True, slots=True)
class Visited:
    """What one visit gave.

    Attributes:
        values: by quantity, in canonical units; what did not come is None.
        identity: what it said of itself.
        clock: None if its profile knows of none, or it was not read.
        error: what ended the visit, or refused every block; None if values came.
    """

    values: dict[str, Value]
    identity: tuple[Identified, ...]
    clock: ClockReading | None
    error: GridhallError | None


async def visiting(
    place: Place,
    framing: Framing,
    profile: Profile,
    *,
    zone: tzinfo,
    ratios: tuple[Decimal, Decimal],
) -> Visited:
    """Read everything a profile knows of once; see `visit`."""
    link = link_to(place, framing, profile)
    plan = compile_plan(profile, groups=EVERY_GROUP)
    try:
        answers = await read_terminal(
            link,
            place.unit,
            plan,
            timeout_s=place.timeout_s,
            priority=Priority.ON_DEMAND,
            learned=Learned(),
        )
        if not any(answers.replies):
            error = answers.errors[-1] if answers.errors else ExceptionReply(2, unit=place.unit)
            return Visited({}, (), None, error)
        values = decode(answers.plan, answers.replies, pt=ratios[0], ct=ratios[1])
        identity = await read_identity(link, place, profile)
        clock = await _clock(link, place, profile, zone)
    except GridhallError as error:
        return Visited({}, (), None, error)
    finally:
        await link.close()
    given = dict(zip(answers.plan.columns, values, strict=True))
    return Visited(given, tuple(identity), clock, None)


async def _clock(link: Link, place: Place, profile: Profile, zone: tzinfo) -> ClockReading | None:
    try:
        return await read_clock(link, place.unit, profile, zone, timeout_s=place.timeout_s)
    except GridhallError:
        return None  # said as unknown


def visit(
    place: Place,
    framing: Framing,
    profile: Profile,
    *,
    zone: tzinfo,
    ratios: tuple[Decimal, Decimal] = (Decimal(1), Decimal(1)),
    within_s: float | None = None,
) -> Visited:
    """Visit a terminal and wait for it: for a page or a command, never inside a loop.

    Args:
        place: where it is reached.
        framing: of its connection.
        profile: of its model.
        zone: its local time.
        ratios: PT and CT [1].
        within_s: the patience for the whole visit [s].
    """
    looking = visiting(place, framing, profile, zone=zone, ratios=ratios)
    try:
        return asyncio.run(within(looking, within_s))
    except GridhallError as error:
        return Visited({}, (), None, error)
