"""The basket: what rounds bring home, judged and packed by the thousand into a parcel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metering.modbus.bulk import decode_many
from metering.modbus.decode import Value
from metering.modbus.plan import Plan
from metering.modbus.quantities import QUANTITIES
from metering.polling.meters import COVER, Meters
from metering.polling.parcel import Parcel
from metering.polling.telling import tell
from metering.polling.types import Back, Failure, MissedSlots
from metering.readings.packing import Block, pack_block, pack_readings
from metering.readings.rules.batch import (
    COLUMNS,
    Ints,
    Readings,
    doubts_of,
    remembered,
    take,
)
from metering.readings.rules.validation import Limits
from metering.readings.types import Doubt, NewEvent, NewReading, Quality

CLEAR_AFTER_S = 900
"""A doubt ends when nothing was doubted for so long: a flapping one is one event [s]."""
ANY_DOUBT = int(sum(Doubt))
AT_ONCE = int(Doubt.RESET | Doubt.STEP)
"""Doubts that happen, and do not last."""
_STEPS = np.array([QUANTITIES[name].steps_per_unit for name in COLUMNS], dtype=np.float64)
_MOST = float(2**62)

Values = Sequence[Value] | bytes
"""In the plan's order; or as they came, all blocks one after the other."""
Item = tuple[int, int, int, float, int, int, Values, tuple[int, int] | None]
"""Row, meter, slot, instant, quality bits, source, values; PT and CT of those as they came."""


@dataclass(slots=True)
class _Layout:
    """Where a plan's values stand among the columns of a reading."""

    source: list[int]
    target: list[int]
    cover: int | None

    @classmethod
    def of(cls, plan: Plan) -> "_Layout":
        places = {name: index for index, name in enumerate(plan.columns)}
        known = [name for name in COLUMNS if name in places]
        return cls(
            [places[name] for name in known],
            [COLUMNS.index(name) for name in known],
            places.get("cover_open"),
        )


@dataclass(slots=True)
class Basket:
    """Collects what was read and noticed since the last parcel."""

    meters: Meters
    limits: Limits
    count: int = 0
    _items: dict[int, tuple[Plan, list[Item]]] = field(default_factory=dict)
    _layouts: dict[int, tuple[Plan, _Layout]] = field(default_factory=dict)
    _readings: list[NewReading] = field(default_factory=list)
    _failures: list[Failure] = field(default_factory=list)
    _back: list[Back] = field(default_factory=list)
    _events: list[NewEvent] = field(default_factory=list)
    _missed: dict[tuple[str, str, date], MissedSlots] = field(default_factory=dict)
    _begun: dict[int, float] = field(default_factory=dict)

    def answered(self, plan: Plan, item: Item) -> None:
        """Take what a terminal answered."""
        known = self._items.get(id(plan))
        if known is None:
            known = self._items[id(plan)] = (plan, [])
        known[1].append(item)
        self.count += 1

    def remembered_by_meter(self, readings: Sequence[NewReading]) -> None:
        """Take readings from a meter's own memory."""
        self._readings += readings
        self.count += len(readings)

    def failed(self, failure: Failure) -> None:
        """Take a failure."""
        self._failures.append(failure)

    def back(self, back: Back) -> None:
        """Take note of a terminal that answers again."""
        self._back.append(back)

    def tell(self, event: NewEvent) -> None:
        """Take an event."""
        self._events.append(event)

    def missed(self, missed: MissedSlots) -> None:
        """Take note of slots nobody was asked in."""
        key = (missed.address, missed.why, missed.at.date())
        known = self._missed.get(key)
        if known is not None:
            missed = replace(missed, slots=missed.slots + known.slots)
        self._missed[key] = missed

    def begun(self, shard: int, at_s: float) -> None:
        """Take note that a round of a shard, planned for an instant, has begun."""
        if at_s > self._begun.get(shard, 0.0):
            self._begun[shard] = at_s

    def parcel(self, number: int, *, site: str, epochs: Mapping[int, int]) -> Parcel:
        """Judge and pack what is in it, and empty it.

        Args:
            number: of the parcel.
            site: whose connections.
            epochs: of the shards that are held; what others have come to is not said.
        """
        taken, self._items = self._items, {}
        readings, self._readings = self._readings, []
        rows, slots = [], [int(one.ts.timestamp()) for one in readings]
        spoken_of = {one.shard for one in self._failures} | {one.shard for one in self._back}
        spoken_of |= self._begun.keys()
        for plan, items in taken.values():
            rows += [self._packed(plan, some) for some in _once_each(items)]
            slots += {item[2] for item in items}
        if readings:
            rows.append(pack_readings(readings))
        made = Parcel(
            number=number,
            site=site,
            rows=b"".join(rows),
            count=self.count,
            oldest=_instant(min(slots)) if slots else None,
            days=_days(slots),
            failures=tuple(self._failures),
            back=tuple(self._back),
            events=tuple(self._events),
            missed=tuple(self._missed.values()),
            progress={
                shard: (
                    epochs[shard],
                    _instant(self._begun[shard]) if shard in self._begun else None,
                )
                for shard in spoken_of & epochs.keys()
            },
        )
        self.count = 0
        self._failures, self._back, self._events = [], [], []
        self._missed, self._begun = {}, {}
        self.meters.settle()
        return made

    def _packed(self, plan: Plan, items: Sequence[Item]) -> bytes:
        values, inputs = self._columns(plan, items)
        row, meter, slot, at, bits, source = (
            np.array(column)
            for column in zip(*map(itemgetter(0, 1, 2, 3, 4, 5), items), strict=True)
        )
        found = self._judged(row, values, at, inputs, meter)
        quality = bits.astype(np.int64)
        quality |= np.where(found & int(Doubt.RANGE), int(Quality.OUT_OF_RANGE), 0)
        quality |= np.where(found & int(Doubt.RESET), int(Quality.RESET), 0)
        others = ANY_DOUBT & ~int(Doubt.RANGE | Doubt.RESET)
        quality |= np.where(found & others, int(Quality.SUSPECT), 0)
        return pack_block(
            Block(
                slot_s=slot.astype(np.int64),
                meter_id=meter.astype(np.int32),
                read_off_s=np.clip(at - slot, -32_767, 32_767).astype(np.int16),
                quality=quality.astype(np.int16),
                source=source.astype(np.int16),
                inputs=inputs,
                values=values,
            )
        )

    def _columns(
        self, plan: Plan, items: Sequence[Item]
    ) -> tuple[NDArray[np.float64], NDArray[np.int16]]:
        """Give the values in the columns of a reading, and the inputs (-1 unknown)."""
        known = self._layouts.get(id(plan))
        if known is None:
            known = self._layouts[id(plan)] = (plan, _Layout.of(plan))
        layout = known[1]
        raw = _decoded(plan, items)
        values = np.full((len(items), len(COLUMNS)), np.nan)
        values[:, layout.target] = raw[:, layout.source]
        if layout.cover is None:
            return values, np.full(len(items), -1, dtype=np.int16)
        cover = raw[:, layout.cover]
        return values, np.where(np.isnan(cover), -1, cover).astype(np.int16)

    def _judged(
        self,
        rows: Ints,
        values: NDArray[np.float64],
        at: NDArray[np.float64],
        inputs: NDArray[np.int16],
        meter_ids: Ints,
    ) -> Ints:
        """Give the doubts of each reading; remember it, and tell what began and ended."""
        known = np.isfinite(values)
        steps = np.clip(np.where(known, values, 0.0) * _STEPS, -_MOST, _MOST)
        at_s = at.astype(np.int64)
        readings = Readings(np.rint(steps).astype(np.int64), known, at_s)
        meters = self.meters
        before: Any = take(meters.memories, rows)
        ratings: Any = take(meters.ratings, rows)
        found = doubts_of(readings, before, ratings, self.limits)
        after = remembered(readings, before)
        for name in after.__slots__:
            getattr(meters.memories, name)[rows] = getattr(after, name)
        lasted = meters.lasting[rows]
        doubted_s = np.where(found & ~AT_ONCE, at_s, meters.doubted_s[rows])
        keeps = np.where(at_s - doubted_s < CLEAR_AFTER_S, lasted & ANY_DOUBT, 0)
        cover = np.where(inputs < 0, lasted & COVER, np.where(inputs & 1, COVER, 0))
        lasts = (found & ~AT_ONCE) | keeps | cover
        meters.lasting[rows], meters.doubted_s[rows] = lasts, doubted_s
        changed = (lasts ^ lasted) | (found & AT_ONCE)
        for index in np.nonzero(changed)[0].tolist():
            self._events += tell(
                int(meter_ids[index]),
                _instant(float(at[index])),
                begins=int(lasts[index] & ~lasted[index]),
                ends=int(lasted[index] & ~lasts[index]),
                happens=int(found[index]) & AT_ONCE,
                sample=readings.sample(index),
                before=before.get(index),
            )
        return found


def _decoded(plan: Plan, items: Sequence[Item]) -> NDArray[np.float64]:
    """Give the values in the plan's order, NaN unknown."""
    alike: dict[tuple[int, int] | None, list[int]] = {}
    for index, item in enumerate(items):
        alike.setdefault(item[7], []).append(index)
    raw = np.empty((len(items), len(plan.columns)))
    for ratios, rows in alike.items():
        values: Any = [items[row][6] for row in rows]
        if ratios is None:
            raw[rows] = np.array(values, dtype=np.float64)
        else:
            raw[rows] = decode_many(plan, values, pt=ratios[0], ct=ratios[1])
    return raw


def _once_each(items: Sequence[Item]) -> Sequence[Sequence[Item]]:
    """Cut into parts in which each meter stands once, in the order they were read."""
    if len({item[0] for item in items}) == len(items):
        return [items]
    parts: list[list[Item]] = []
    turns: dict[int, int] = {}
    for item in items:
        turn = turns[item[0]] = turns.get(item[0], -1) + 1
        if turn == len(parts):
            parts.append([])
        parts[turn].append(item)
    return parts


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def _days(slots: Sequence[int]) -> tuple[date, ...]:
    first = date(1970, 1, 1)
    return tuple(first + timedelta(days=day) for day in sorted({slot // 86_400 for slot in slots}))
