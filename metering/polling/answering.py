"""On-demand reads (召测): asked for by a row and a notice, answered by the owner of the link."""

import asyncio
import logging
from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import Engine

from foundation.db import AWAY, unit_of_work
from metering.modbus.link import Priority
from metering.modbus.quantities import QUANTITIES
from metering.polling import counters
from metering.polling.connections import Connections
from metering.polling.fetching import Asked
from metering.polling.meters import Meters, rating_of
from metering.polling.rounds import Answer, ask
from metering.readings.actions import store_on_demand
from metering.readings.rules.slots import slot_of
from metering.readings.rules.validation import Limits, Validation, doubts, quality_of
from metering.readings.types import COVER_OPEN, NewReading, Quality, Source
from metering.requests.actions import answer
from metering.requests.queries import open_requests
from metering.requests.types import RawBlock

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 5.0


class Answerer:
    """Answers the requests for meters that this poller asks; the others are not its own."""

    def __init__(
        self,
        engine: Engine,
        connections: Connections,
        meters: Meters,
        *,
        rules: Validation,
        timeout_s: float,
    ) -> None:
        self._engine, self._connections, self._meters = engine, connections, meters
        self._rules, self._limits, self._timeout_s = rules, Limits.of(rules), timeout_s
        self._answering: dict[int, asyncio.Task[None]] = {}
        self.asked = asyncio.Event()

    async def run(self) -> None:
        """Answer until cancelled."""
        while True:
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self.asked.wait()
            except TimeoutError:
                pass
            self.asked.clear()
            try:
                waiting = await asyncio.to_thread(self._open_requests)
            except AWAY:
                continue
            for request_id, meter_id in waiting:
                if request_id not in self._answering and meter_id in self._connections.by_meter:
                    task = asyncio.create_task(self._answer(request_id, meter_id))
                    self._answering[request_id] = task

    def stop(self) -> Collection["asyncio.Task[None]"]:
        """Leave the rest unanswered; give what is to be waited for."""
        for task in self._answering.values():
            task.cancel()
        return list(self._answering.values())

    def _open_requests(self) -> list[tuple[int, int]]:
        with unit_of_work(self._engine) as session:
            return open_requests(session)

    async def _answer(self, request_id: int, meter_id: int) -> None:
        try:
            with counters.ON_DEMAND.time():
                connection, asked = self._connections.by_meter[meter_id]
                came = await ask(
                    connection.link,
                    asked,
                    priority=Priority.ON_DEMAND,
                    timeout_s=self._timeout_s,
                )
                reading = self._reading(asked, came)
                raw = _raw(came)
                await asyncio.to_thread(self._write, request_id, meter_id, came, reading, raw)
        except AWAY as error:
            logger.warning("answer not written", extra={"error": str(error)[:200]})
        finally:
            self._answering.pop(request_id, None)

    def _reading(self, asked: Asked, came: Answer) -> NewReading | None:
        if came.values is None:
            return None
        values = dict(zip(came.plan.columns, came.values, strict=True))
        cover = values.pop("cover_open", None)
        sample = {
            name: None if value is None else round(value * QUANTITIES[name].steps_per_unit)
            for name, value in values.items()
        }
        target = asked.target
        quality = quality_of(
            doubts(
                sample,
                at_s=int(came.at_s),
                before=self._meters.memories.get(asked.row),
                rating=rating_of(target, self._rules),
                limits=self._limits,
            )
        )
        if came.error is not None:
            quality |= Quality.PARTIAL
        at = datetime.fromtimestamp(came.at_s, tz=UTC)
        slot = slot_of(at, target.interval_s)
        return NewReading(
            ts=slot,
            meter_id=target.meter_id,
            read_off_s=int((at - slot).total_seconds()),
            quality=quality,
            source=Source.ON_DEMAND,
            values=values,
            inputs=None if cover is None else COVER_OPEN * int(cover),
        )

    def _write(
        self,
        request_id: int,
        meter_id: int,
        came: Answer,
        reading: NewReading | None,
        raw: list[RawBlock],
    ) -> None:
        with unit_of_work(self._engine) as session:
            if reading is not None:
                store_on_demand(session, reading)
            answer(
                session,
                request_id,
                meter_id,
                at=datetime.now(UTC),
                error=came.error if reading is None else None,
                raw=raw,
            )


def _raw(came: Answer) -> list[RawBlock]:
    """Keep what came as it came, for a person who wants to see it."""
    return [
        RawBlock(block.function, block.address, reply.hex())
        for block, reply in zip(came.plan.blocks, came.replies, strict=False)
        if reply is not None
    ]
