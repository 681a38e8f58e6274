"""What meters remember themselves: the place where a profile's reader of it is called.

A reader asks on the link's last lane and gives readings of intervals (daily or monthly
freezes, a load profile) with their own source; they are stored as backfilled and close the
gaps they fill. Which profiles have one is not known here.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from metering.devices.types import PollTarget
from metering.modbus.plan import Block
from metering.modbus.profile import Profile
from metering.readings.types import NewReading, Quality

ReadBlock = Callable[[Block], Awaitable[bytes]]
"""Reads one block of the terminal on the backfill lane; raises as a link does."""


class BackfillSource(Protocol):
    """Reads what the meters of a profile remember."""

    def remembers(self, slot: datetime, *, now: datetime) -> bool:
        """Whether an interval may be in the meter's memory."""

    async def readings(
        self, read: ReadBlock, target: PollTarget, missed: Sequence[datetime]
    ) -> Sequence[NewReading]:
        """Give what the meter has of the missed intervals; fewer, or others, if that is so."""


SourceOf = Callable[[Profile], BackfillSource | None]


def nobody_remembers(profile: Profile) -> BackfillSource | None:
    """Give no reader, for any profile."""
    del profile
    return None


def as_backfilled(readings: Sequence[NewReading], *, is_clock_bad: bool) -> list[NewReading]:
    """Mark readings as taken from the meter's memory, and by a wrong clock if it is."""
    mark = Quality.BACKFILLED | (Quality.CLOCK_BAD if is_clock_bad else Quality.GOOD)
    return [replace(one, quality=one.quality | mark) for one in readings]
