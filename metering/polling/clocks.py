"""The terminals' own clocks (时钟): looked at once a day, told where they are wrong.

Nothing is set here: a terminal is written to by an approved command only. A wrong clock does
not touch what is polled, which bears our time; it makes what the meter froze doubtful.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo

from foundation.errors import BadData, Unreachable
from metering.devices.rules import Clocks
from metering.modbus.commanding import read_clock
from metering.polling import counters
from metering.polling.basket import Basket
from metering.polling.connections import Connection, Connections
from metering.polling.fetching import Asked
from metering.polling.rules import is_clock_wrong
from metering.readings.types import EventKind, NewEvent

logger = logging.getLogger(__name__)


class ClockWatch:
    """Looks at the clocks of the terminals that are asked, few at a time.

    Args:
        connections: whose.
        basket: where events go.
        rules: how often, and what is wrong.
        zone: the terminals' local time.
        ready: whether something may be sent just now.
        timeout_s: patience for each request [s].
    """

    def __init__(
        self,
        connections: Connections,
        basket: Basket,
        *,
        rules: Clocks,
        zone: tzinfo,
        ready: Callable[[], bool],
        timeout_s: float,
    ) -> None:
        self._connections, self._basket, self._rules = connections, basket, rules
        self._zone, self._ready, self._timeout_s = zone, ready, timeout_s
        self._next_s: dict[int, float] = {}

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(self._rules.look_every_s)
            if self._ready():
                await self.look()

    async def look(self) -> None:
        """Look at the clocks whose turn has come, one after another."""
        now_s = time.time()
        turns = list(self._connections.by_meter.items())
        self._next_s = {
            meter_id: self._next_s.get(meter_id) or self._first(now_s) for meter_id, _ in turns
        }
        for meter_id, (connection, asked) in turns:
            if self._next_s[meter_id] > now_s or asked.plan.profile.clock is None or asked.failed:
                continue
            self._next_s[meter_id] = now_s + self._rules.check_every_s
            if self._ready() and not asked.is_gone:
                await self._check(connection, asked)

    def _first(self, now_s: float) -> float:
        """Give when a terminal that just came is looked at: not all of them at once."""
        return now_s + random.random() * self._rules.first_within_s  # noqa: S311 - no secret

    async def _check(self, connection: Connection, asked: Asked) -> None:
        try:
            reading = await read_clock(
                connection.link,
                asked.target.unit,
                asked.plan.profile,
                self._zone,
                timeout_s=self._timeout_s,
            )
        except (Unreachable, BadData) as error:
            logger.info("clock not read", extra={"terminal": asked.target.terminal_no,
                                                 "error": error.code})  # fmt: skip
            return
        if reading is None:
            return
        was_bad, drift_s = asked.is_clock_bad, reading.drift_s
        asked.is_clock_bad = is_clock_wrong(drift_s, self._rules.limit_s)
        counters.CLOCKS.labels("wrong" if asked.is_clock_bad else "right").inc()
        if asked.is_clock_bad == was_bad:
            return
        facts = {"drift_s": None if drift_s is None else round(drift_s)}
        self._basket.tell(
            NewEvent(
                asked.target.meter_id,
                EventKind.CLOCK,
                datetime.now(UTC),
                "begins" if asked.is_clock_bad else "ends",
                facts if asked.is_clock_bad else {},
            )
        )
