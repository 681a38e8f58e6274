"""What a meter froze of itself (冻结): the reader that fills missed intervals from it.

An entry shows counters as they stood at the end of a period, so it stands for the reading of
the interval that begins there: the midnight entry of a day is the reading of 00:00.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo

from metering.devices.types import PollTarget
from metering.modbus.freezes import Entry, FreezeReader, entry_number, freeze_reader, period_end
from metering.modbus.profile import Profile
from metering.modbus.profile_parts import Period
from metering.polling.backfill import BackfillSource, ReadBlock, SourceOf
from metering.readings.types import ENERGIES, NewReading, Quality, Source

PERIODS: tuple[Period, ...] = ("quarter", "hour", "day", "month")
PROFILE_PERIODS = frozenset({"quarter", "hour"})
"""Entries of these are a load profile (负荷曲线); longer ones are freezes."""


class Freezes:
    """Reads the freezes of one profile's meters.

    Args:
        readers: by period.
        zone: the terminals' local time; their days and months end there.
    """

    def __init__(self, readers: dict[Period, FreezeReader], zone: tzinfo) -> None:
        self._readers, self._zone = readers, zone

    def remembers(self, slot: datetime, *, now: datetime) -> bool:
        """Whether an interval begins where a frozen period ended that is still kept."""
        return any(True for _ in self._numbers(slot, now))

    async def readings(
        self, read: ReadBlock, target: PollTarget, missed: Sequence[datetime]
    ) -> list[NewReading]:
        """Read the entries of missed intervals; the terminal's own stamps say what they show."""
        now = datetime.now(UTC)
        wanted: dict[Period, set[int]] = {}
        for slot in missed:
            for every, number in self._numbers(slot, now):
                wanted.setdefault(every, set()).add(number)
        found: dict[datetime, NewReading] = {}
        for every, numbers in wanted.items():
            reader = self._readers[every]
            for first, last in _stretches(sorted(numbers)):
                for block, covered in reader.blocks_of(first, last):
                    reply = await read(block)
                    entries = reader.entries(
                        covered, reply, zone=self._zone, pt=target.pt, ct=target.ct
                    )
                    for entry in entries:
                        found.setdefault(entry.at.astimezone(UTC), _reading(entry, target, every))
        return [found[slot] for slot in missed if slot in found]

    def _numbers(self, slot: datetime, now: datetime) -> Iterator[tuple[Period, int]]:
        """Give the entries that show an instant."""
        at, here = slot.astimezone(self._zone), now.astimezone(self._zone)
        for every, reader in self._readers.items():
            number = entry_number(every, at, here)
            if 1 <= number <= reader.freeze.entries and period_end(every, number, here) == at:
                yield every, number


def source_for(zone: tzinfo) -> SourceOf:
    """Give the finder of a profile's reader, terminals' local time being `zone`."""

    def source_of(profile: Profile) -> BackfillSource | None:
        found = {every: freeze_reader(profile, every) for every in PERIODS}
        readers = {every: reader for every, reader in found.items() if reader is not None}
        return Freezes(readers, zone) if readers else None

    return source_of


def _stretches(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Give runs of neighbours as (first, last)."""
    first = last = numbers[0]
    for number in numbers[1:]:
        if number != last + 1:
            yield first, last
            first = number
        last = number
    yield first, last


def _reading(entry: Entry, target: PollTarget, every: Period) -> NewReading:
    values = {
        name: round(value) if name in ENERGIES and value is not None else value
        for name, value in entry.values.items()
    }
    return NewReading(
        ts=entry.at.astimezone(UTC),
        meter_id=target.meter_id,
        read_off_s=0,
        quality=Quality.GOOD,
        source=Source.LOAD_PROFILE if every in PROFILE_PERIODS else Source.FREEZE,
        values=values,
    )
