"""Approved commands (遥控): taken once by the owner of the link, carried out, their end written."""

import asyncio
import logging
from collections.abc import Callable, Collection
from typing import NamedTuple

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from foundation.db import unit_of_work
from foundation.errors import GridhallError, Unreachable
from metering.modbus.commanding import CommandResult, CommandState, carry_out
from metering.modbus.errors import ExceptionReply
from metering.modbus.profile_parts import Control
from metering.polling.connections import Connections
from metering.polling.types import LeaseEnded
from metering.requests.executing import (
    finish_order,
    look_again,
    meters_with_orders,
    take_orders,
)
from metering.requests.types import RELAY, NoRelay, Order

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 5.0
WRITE_AGAIN_S = 2.0
VERDICTS = {CommandState.CONFIRMED: True, CommandState.FAILED: False, CommandState.UNKNOWN: None}


class End(NamedTuple):
    """How a command ended.

    Attributes:
        is_verified: whether the terminal shows it; None where nobody knows.
        error: stable code of what went wrong.
        shown: the command the terminal shows.
    """

    is_verified: bool | None
    error: str | None = None
    shown: str | None = None


class Commander:
    """Carries out the commands for meters that this poller asks, while its lease holds."""

    def __init__(
        self,
        engine: Engine,
        connections: Connections,
        *,
        owner: str,
        may_send: Callable[[], bool],
        timeout_s: float,
    ) -> None:
        self._engine, self._connections, self._owner = engine, connections, owner
        self._may_send, self._timeout_s = may_send, timeout_s
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
        control = _relay(asked.plan.profile.controls)
        if control is None:
            return End(is_verified=False, error=NoRelay.code)

        async def gate() -> None:
            if not self._may_send():
                raise LeaseEnded
            await asyncio.to_thread(self._look_again, order)

        try:
            came = await carry_out(
                connection.link,
                asked.target.unit,
                control,
                order.switch.value,
                gate=gate,
                timeout_s=self._timeout_s,
            )
        except GridhallError as refused:  # the profile does not know the command: nothing was sent
            return End(is_verified=False, error=refused.code)
        return End(VERDICTS[came.state], _code_of(came), came.shown)

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
                read_back={"shows": end.shown} if end.shown else None,
            )


def _relay(controls: Collection[Control]) -> Control | None:
    return next((one for one in controls if one.name == RELAY), None)


def _code_of(came: CommandResult) -> str | None:
    if came.error is None or came.state is CommandState.CONFIRMED:
        return None
    if isinstance(came.error, ExceptionReply):
        return f"exception_{came.error.exception:02x}"
    return came.error.code
