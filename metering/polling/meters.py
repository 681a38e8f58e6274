"""What a poller remembers of its meters between readings, as arrays with a row each."""

from collections.abc import Mapping

import numpy as np

from metering.devices.types import PollTarget
from metering.network.types import Supply
from metering.polling.types import Known
from metering.readings.rules.batch import Memories, Ratings
from metering.readings.rules.validation import Before, Rating, Validation, most_watts
from metering.readings.types import Doubt

FIRST_ROOM = 1024
COVER = 1 << 16
"""Beside the doubts' bits: the cover is open."""
BITS: Mapping[str, int] = {
    **{doubt.name.lower(): int(doubt) for doubt in Doubt if doubt.name},
    "cover_open": COVER,
}
"""The bit of each kind of event that lasts."""


def rating_of(target: PollTarget, rules: Validation) -> Rating:
    """Give what a target's meter is built for."""
    nominal = int(target.supply.nominal_volts * 10)
    phases = len(target.supply.phases)
    return Rating(
        nominal=nominal,
        is_three_phase=target.supply is not Supply.SINGLE_220,
        most_w=most_watts(nominal, phases, basic_a=target.rated_a, ct=target.ct, rated=rules.rated),
        ratio=target.ct * target.pt,
        register_wh=target.register_wh,
    )


class Meters:
    """Rows for meters: ratings, what was read last, which events last; they grow as needed."""

    def __init__(self, rules: Validation) -> None:
        self._rules = rules
        self._rows: dict[int, int] = {}
        self._unused: list[int] = []
        self._leaving: list[int] = []
        self._used = 0
        self.ratings = Ratings.room(FIRST_ROOM)
        self.memories = Memories.room(FIRST_ROOM)
        self.lasting = np.zeros(FIRST_ROOM, dtype=np.int64)
        self.doubted_s = np.zeros(FIRST_ROOM, dtype=np.int64)

    def enter(self, target: PollTarget, known: Known | None) -> int:
        """Give the row of a target's meter, made and filled if it is new."""
        row = self._rows.get(target.meter_id)
        if row is None:
            row = self._rows[target.meter_id] = self._free_row()
            self._remember(row, known)
        self.ratings.put(row, rating_of(target, self._rules))
        return row

    def leave(self, meter_id: int) -> None:
        """Give a meter's row back; it is used again only after `settle`."""
        row = self._rows.pop(meter_id, None)
        if row is not None:
            self._leaving.append(row)

    def settle(self) -> None:
        """No reading waits to be judged: rows that were given back may be used again."""
        self._unused += self._leaving
        self._leaving.clear()

    def _remember(self, row: int, known: Known | None) -> None:
        self.lasting[row] = self.doubted_s[row] = 0
        if known is None:
            self.memories.put(row, None)
            return
        at_s = int(known.read_at.timestamp())
        power = None if known.p is None else round(known.p)
        self.memories.put(row, Before(at_s, known.registers, power, at_s, power))
        self.lasting[row] = sum(BITS.get(kind, 0) for kind in known.events)
        self.doubted_s[row] = at_s

    def _free_row(self) -> int:
        if self._unused:
            return self._unused.pop()
        row, self._used = self._used, self._used + 1
        if row >= len(self.lasting):
            self._grow()
        return row

    def _grow(self) -> None:
        size = 2 * len(self.lasting)
        ratings, memories = Ratings.room(size), Memories.room(size)
        for new, old in ((ratings, self.ratings), (memories, self.memories)):
            for name in new.__slots__:
                column = getattr(old, name)
                getattr(new, name)[: len(column)] = column
        self.ratings, self.memories = ratings, memories
        self.lasting = np.concatenate((self.lasting, np.zeros_like(self.lasting)))
        self.doubted_s = np.concatenate((self.doubted_s, np.zeros_like(self.doubted_s)))
