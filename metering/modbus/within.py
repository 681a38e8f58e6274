"""Waiting for a look at a device, but not for ever."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from metering.modbus.errors import LookTooLong

T = TypeVar("T")


async def within(looking: Coroutine[Any, Any, T], seconds: float | None) -> T:
    """Wait so long for a look at a device.

    Args:
        looking: what is waited for; it is cancelled, and closes its link, when time is up.
        seconds: how long [s]; None waits as long as it takes.

    Raises:
        LookTooLong: it took longer; facts: seconds.
    """
    try:
        async with asyncio.timeout(seconds):
            return await looking
    except TimeoutError as error:
        raise LookTooLong(seconds=seconds) from error
