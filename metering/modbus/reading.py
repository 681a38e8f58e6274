"""Reading a whole terminal: block by block, and what to do with a block it refuses.

A block that a terminal refuses (illegal address, or more registers than it gives at once) is cut
in two between its points, down to the single point; what it taught is kept for a day, so that the
next round asks as the terminal likes it.
"""

import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Protocol

from foundation.errors import GridhallError
from metering.modbus.errors import ExceptionReply
from metering.modbus.lanes import Priority
from metering.modbus.plan import Block, Plan, halved, without

ILLEGAL_ADDRESS, ILLEGAL_VALUE = 2, 3
REFUSALS = frozenset({ILLEGAL_ADDRESS, ILLEGAL_VALUE})
KEPT_S = 86400.0
"""How long it is remembered: firmware changes, and meters are replaced [s]."""


@dataclass(slots=True)
class Learned:
    """Plans that terminals have taught us, by terminal.

    Args:
        clock: seconds that only grow [s].
    """

    clock: Callable[[], float] = time.monotonic
    _plans: dict[Hashable, tuple[Plan, Plan, float]] = field(default_factory=dict)

    def plan_for(self, key: Hashable, plan: Plan) -> Plan:
        """The plan this terminal likes; the given one if it taught us nothing of it.

        Args:
            key: of the terminal.
            plan: of its profile; another one than before forgets what was learned.
        """
        known = self._plans.get(key)
        if known is None:
            return plan
        given, learned, until = known
        if given is plan and self.clock() < until:
            return learned
        del self._plans[key]
        return plan

    def keep(self, key: Hashable, given: Plan, learned: Plan) -> None:
        """Remember what a terminal taught."""
        self._plans[key] = (given, learned, self.clock() + KEPT_S)


@dataclass(frozen=True, slots=True)
class Answers:
    """What became of reading a terminal.

    Attributes:
        plan: as it was read at last: decode with this one.
        replies: data bytes by the plan's blocks, None where none came.
        errors: what went wrong, in the order it did.
        refused: quantities the terminal does not give.
    """

    plan: Plan
    replies: tuple[bytes | None, ...]
    errors: tuple[GridhallError, ...]
    refused: tuple[str, ...] = ()


class Reader(Protocol):
    """What reads one block: a link, or whoever hands out turns on one."""

    def read(
        self, unit: int, block: Block, *, timeout_s: float, priority: Priority
    ) -> Awaitable[bytes]:
        """Read one block, as `Link.read`."""


async def read_terminal(
    link: Reader,
    unit: int,
    plan: Plan,
    *,
    timeout_s: float,
    priority: Priority = Priority.POLL,
    learned: Learned | None = None,
    key: Hashable = None,
) -> Answers:
    """Read every block; stop at the first error that is no exception of the terminal's own.

    Args:
        link: to it.
        unit: unit identifier.
        plan: of its profile.
        timeout_s: patience for each block [s].
        priority: the lane.
        learned: where to keep, and take from, what terminals taught; None splits nothing.
        key: of the terminal in `learned`.
    """
    asked = plan if learned is None else learned.plan_for(key, plan)
    replies: list[bytes | None] = []
    errors: list[GridhallError] = []
    refused: list[str] = []
    changed = asked
    while len(replies) < len(changed.blocks):
        number = len(replies)
        try:
            block = changed.blocks[number]
            replies.append(await link.read(unit, block, timeout_s=timeout_s, priority=priority))
        except ExceptionReply as error:
            if learned is None or error.exception not in REFUSALS:
                replies.append(None)
                errors.append(error)
                if error.is_of_gateway:
                    break
                continue
            split = halved(changed, number)
            if split is None:
                refused += (point.quantity for point in changed.layouts[number].points)
                split = without(changed, number)
            changed = split
        except GridhallError as error:
            errors.append(error)
            break
    replies += [None] * (len(changed.blocks) - len(replies))
    if not any(replies) and refused:  # refused altogether: it is another terminal, learn nothing
        return Answers(asked, (None,) * len(asked.blocks), (*errors, _refused(unit, asked)))
    if learned is not None and changed is not asked and not errors:
        learned.keep(key, plan, changed)
    return Answers(changed, tuple(replies), tuple(errors), tuple(refused))


def _refused(unit: int, plan: Plan) -> ExceptionReply:
    block = plan.blocks[0]
    return ExceptionReply(
        ILLEGAL_ADDRESS,
        unit=unit,
        function=block.function,
        address=block.address,
    )
