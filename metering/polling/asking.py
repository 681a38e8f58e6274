"""Asking one terminal: its blocks over the link, decoded and judged, as one outcome."""

from datetime import UTC, datetime

from foundation.errors import BadData, Unreachable
from metering.devices.types import PollTarget
from metering.modbus.decode import Value, decode
from metering.modbus.errors import ExceptionReply
from metering.modbus.link import Link, Priority
from metering.modbus.plan import Plan
from metering.polling.rules import is_late
from metering.polling.types import Outcome
from metering.readings.rules import Validation, judge
from metering.readings.types import COVER_OPEN, ENERGIES, NewReading, Quality, Source


class Asker:
    """Asks terminals and remembers their registers, to see one run backwards."""

    def __init__(self, validation: Validation) -> None:
        self._ranges = validation.range
        self._registers: dict[int, dict[str, int | None]] = {}

    async def ask(
        self,
        link: Link,
        target: PollTarget,
        plan: Plan,
        *,
        slot: datetime,
        source: Source,
        priority: Priority,
        timeout_s: float,
    ) -> Outcome:
        """Ask for every block; a terminal that answers some of them gives a partial reading.

        Args:
            link: the connection's link.
            target: the terminal and its meter's ratios.
            plan: its profile's blocks.
            slot: the nominal interval the reading is for.
            source: why it is asked.
            priority: its lane on the link.
            timeout_s: patience for each block [s].
        """
        replies: list[bytes | None] = []
        error: str | None = None
        for block in plan.blocks:
            try:
                replies.append(
                    await link.read(target.unit, block, timeout_s=timeout_s, priority=priority)
                )
            except ExceptionReply as refused:
                error = f"exception_{refused.facts['exception']:02x}"
                replies.append(None)
            except (Unreachable, BadData) as lost:
                error = lost.code
                break
        at = datetime.now(UTC)
        replies += [None] * (len(plan.blocks) - len(replies))
        if all(reply is None for reply in replies):
            return Outcome(target.terminal_id, target.meter_id, slot, at, None, error)
        values = dict(
            zip(plan.columns, decode(plan, replies, pt=target.pt, ct=target.ct), strict=True)
        )
        reading = self._reading(target, slot, at, values, source, partial=error is not None)
        return Outcome(target.terminal_id, target.meter_id, slot, at, reading, None)

    def _reading(
        self,
        target: PollTarget,
        slot: datetime,
        at: datetime,
        values: dict[str, Value],
        source: Source,
        *,
        partial: bool,
    ) -> NewReading:
        cover = values.pop("cover_open", None)
        registers = {name: values.get(name) for name in ENERGIES}
        quality = judge(
            values,
            nominal_volts=target.supply.nominal_volts,
            ranges=self._ranges,
            last_energy=self._registers.get(target.meter_id),
        )
        if partial:
            quality |= Quality.PARTIAL
        if is_late(slot, at, target.interval_s):
            quality |= Quality.LATE
        self._registers[target.meter_id] = {
            name: int(value) if value is not None else None for name, value in registers.items()
        }
        return NewReading(
            ts=slot,
            meter_id=target.meter_id,
            read_off_s=min(32767, int((at - slot).total_seconds())),
            quality=quality,
            source=source,
            values=values,
            inputs=None if cover is None else COVER_OPEN * int(cover),
        )
