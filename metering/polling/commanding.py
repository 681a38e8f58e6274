"""Approved commands (遥控): taken once by the owner of the link, carried out, their end written."""

import asyncio
import logging
from collections.abc import Callable, Collection
from datetime import tzinfo
from typing import Any, NamedTuple

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from foundation.db import unit_of_work
from foundation.errors import GridhallError, Unreachable
from metering.modbus.commanding import CommandResult, CommandState, Gate, carry_out, set_clock
from metering.modbus.errors import ExceptionReply
from metering.modbus.meter_clock import ClockNotSettable
from metering.polling.connections import Connection, Connections
from metering.polling.fetching import Asked, code_of
from metering.polling.types import LeaseEnded
from metering.requests.executing import (
    finish_order,
    look_again,
    meters_with_orders,
    take_orders,
)
from metering.requests.types import RELAY, ClockNotSet, NoRelay, Order, WriteKind

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 5.0
WRITE_AGAIN_S = 2.0
SET_WITHIN_S = 3.0
"""A clock that was set shows our time to this much [s]; some show whole seconds, late."""
VERDICTS = {CommandState.CONFIRMED: True, CommandState.FAILED: False, CommandState.UNKNOWN: None}


class End(NamedTuple):
    """How a command ended.

    Attributes:
        is_verified: whether the terminal shows it; None where nobody knows.
        error: stable code of what went wrong.
        read_back: what the terminal showed.
    """

    is_verified: bool | None
    error: str | None = None
    read_back: dict[str, Any] | None = None


class Commander:
    """Carries out the commands for meters that this poller asks, while its lease holds."""

    def __init__(
        self,
        engine: Engine,
        connections: Connections,
        *,
        owner: str,
        may_send: Callable[[], bool],
        zone: tzinfo,
        timeout_s: float,
    ) -> None:
        self._engine, self._connections, self._owner = engine, connections, owner
        self._may_send, self._zone, self._timeout_s = may_send, zone, timeout_s
        self._running: set[asyncio.Task[None]] = set()
        self.asked = asyncio.Event()

    async def run(self) -> None:
        """Carry out commands until cancelled."""
        while True:
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self.asked.wait()
            except TimeoutError:
                pass
            self.asked.clear()
            if not self._may_send():
                continue
            try:
                orders = await asyncio.to_thread(self._take)
            except (Unreachable, SQLAlchemyError):
                continue
            for order in orders:
                task = asyncio.create_task(self._carry_out(order))
                self._running.add(task)
                task.add_done_callback(self._running.discard)

    def stop(self) -> Collection["asyncio.Task[None]"]:
        """Leave commands under way as they are: their end is unknown, and said to be."""
        for task in self._running:
            task.cancel()
        return list(self._running)

    def _take(self) -> list[Order]:
        with unit_of_work(self._engine) as session:
            mine = [one for one in meters_with_orders(session) if one in self._connections.by_meter]
            return take_orders(session, self._owner, mine) if mine else []

    async def _carry_out(self, order: Order) -> None:
        end = await self._send(order)
        while True:
            try:
                await asyncio.to_thread(self._finish, order, end)
            except (Unreachable, SQLAlchemyError) as away:
                logger.warning("command's end not written", extra={"error": str(away)[:200]})
                await asyncio.sleep(WRITE_AGAIN_S)
            else:
                return

    async def _send(self, order: Order) -> End:
        held = self._connections.by_meter.get(order.meter_id)
        if held is None:
            return End(is_verified=False, error=LeaseEnded.code)
        connection, asked = held

        async def gate() -> None:
            if not self._may_send():
                raise LeaseEnded
            await asyncio.to_thread(self._look_again, order)

        if order.kind is WriteKind.SET_CLOCK:
            return await self._set_clock(connection, asked, gate)
        return await self._switch(connection, asked, order, gate)

    async def _switch(self, connection: Connection, asked: Asked, order: Order, gate: Gate) -> End:
        control = asked.plan.profile.control(RELAY)
        if control is None:
            return End(is_verified=False, error=NoRelay.code)
        try:
            came = await carry_out(
                connection.link,
                asked.target.unit,
                control,
                order.kind.value,
                gate=gate,
                timeout_s=self._timeout_s,
            )
        except GridhallError as refused:  # the profile does not know the command: nothing was sent
            return End(is_verified=False, error=refused.code)
        shown = {"shows": came.shown} if came.shown else None
        return End(VERDICTS[came.state], _code_of(came), shown)

    async def _set_clock(self, connection: Connection, asked: Asked, gate: Gate) -> End:
        try:
            await gate()
        except GridhallError as refused:
            return End(is_verified=False, error=refused.code)
        try:
            reading = await set_clock(
                connection.link,
                asked.target.unit,
                asked.plan.profile,
                self._zone,
                timeout_s=self._timeout_s,
            )
        except (ExceptionReply, ClockNotSettable) as refused:
            return End(is_verified=False, error=code_of(refused))
        except GridhallError as lost:
            return End(is_verified=None, error=lost.code)
        drift_s = reading.drift_s
        if drift_s is None:
            return End(is_verified=None, error=ClockNotSet.code)
        is_set = abs(drift_s) <= SET_WITHIN_S
        error = None if is_set else ClockNotSet.code
        return End(is_verified=is_set, error=error, read_back={"drift_s": round(drift_s, 1)})

    def _look_again(self, order: Order) -> None:
        with unit_of_work(self._engine) as session:
            look_again(session, order)

    def _finish(self, order: Order, end: End) -> None:
        with unit_of_work(self._engine) as session:
            finish_order(
                session,
                order,
                is_verified=end.is_verified,
                error=end.error,
                read_back=end.read_back,
            )


def _code_of(came: CommandResult) -> str | None:
    if came.error is None or came.state is CommandState.CONFIRMED:
        return None
    return code_of(came.error)
