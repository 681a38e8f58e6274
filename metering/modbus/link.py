"""The client of a terminal or gateway: reads, writes, and asks what it is."""

import asyncio
from collections.abc import Callable

from metering.modbus.breaker import BreakerState, Unit
from metering.modbus.controls import Write
from metering.modbus.exchange import Exchange
from metering.modbus.lanes import Priority, Question, Receiver, Request
from metering.modbus.link_parts import Counters, Forbids, LinkError, Observe
from metering.modbus.pdu import (
    IDENTIFICATION,
    identification_pdu,
    parse_identification,
    write_echo,
    write_pdu,
)
from metering.modbus.plan import Block
from metering.modbus.reach import Framing, TlsFiles

__all__ = [
    "Counters",
    "Forbids",
    "Framing",
    "Link",
    "LinkError",
    "Observe",
    "Priority",
    "Receiver",
    "Request",
    "TlsFiles",
]


class Link(Exchange):
    """A client of one address: connects when asked, keeps `depth` requests in flight.

    It belongs to the event loop it is made in. A unit has one request in flight at a time,
    however deep the link is.

    Args:
        host: name or address; the device file of a serial line.
        port: TCP port; of no meaning on a serial line.
        framing: how the other side speaks.
        depth: requests in flight at a time; RTU framing takes one only.
        connect_timeout_s: longest wait for a connection [s].
        min_gap_ms: pause between a reply and the next request [ms].
        connect_pause_ms: pause between connecting and the first request [ms].
        line: how a serial line is set, as `9600-8E1`.
        tls: certificates, where the framing is TLS.
        observe: called once per finished request.
        forbids: called right before each request leaves; the error it gives is the request's.
    """

    __slots__ = ()

    def read(
        self, unit: int, block: Block, *, timeout_s: float, priority: Priority = Priority.POLL
    ) -> asyncio.Future[bytes]:
        """Ask for one block at once; await the answer, its data bytes.

        Not a coroutine: making and resuming one for each read costs more than its checks.

        Args:
            unit: unit identifier, 0 to 255.
            block: what to read.
            timeout_s: longest wait for the reply, counted from the moment of sending [s]; also
                the longest wait for a reconnect that is being held back.
            priority: who goes first.

        Raises:
            LinkDown: no connection, or it was lost before the reply.
            UnitResting: the unit failed too often of late, and others share its link.
            NoReply: no reply within timeout_s.
            ExceptionReply: the unit or its gateway answered with a Modbus exception.
            GarbledReply: the reply does not fit the request.
        """
        answer: asyncio.Future[bytes] = self._loop.create_future()
        known = self.units.get(unit) or self.meet(unit)
        self.ask(Request(known, block, timeout_s, priority, answer))
        return answer

    def meet(self, number: int) -> Unit:
        """Give a unit by its identifier, and remember it."""
        return self.units.setdefault(number, Unit(number))

    async def write(
        self, unit: int, write: Write, *, timeout_s: float, priority: Priority = Priority.CONTROL
    ) -> None:
        """Write once, and see the device confirm that it took it; never repeated by itself.

        After NoReply, LinkDown or GarbledReply nobody knows whether it was taken: read back.

        Raises:
            LinkDown, UnitResting, NoReply, ExceptionReply, GarbledReply: as `read`.
        """
        echo = write_echo(write)
        await self._ask(
            unit, write_pdu(write), lambda pdu: pdu if pdu == echo else None, timeout_s, priority
        )

    async def identify(
        self, unit: int, *, timeout_s: float, priority: Priority = Priority.ON_DEMAND
    ) -> dict[int, bytes]:
        """Ask what the device says it is (function 43/14, basic objects), by object number.

        Raises:
            LinkDown, UnitResting, NoReply, ExceptionReply, GarbledReply: as `read`.
        """
        texts: dict[int, bytes] = {}
        following: int | None = 0
        while following is not None and following not in texts:
            answer = await self._ask(
                unit,
                identification_pdu(following),
                lambda pdu: pdu if parse_identification(pdu) else None,
                timeout_s,
                priority,
            )
            objects = parse_identification(answer)
            texts |= objects.texts if objects else {}
            following = objects.next_object if objects else None
        return texts

    @property
    def is_up(self) -> bool:
        """Whether a connection stands."""
        return self._wire is not None

    @property
    def queued(self) -> int:
        """Requests that wait for their turn."""
        return len(self._lanes.heap)

    def breakers(self) -> dict[int, BreakerState]:
        """How each unit asked so far stands, by unit id."""
        now = self._loop.time()
        return {number: unit.state(now) for number, unit in list(self.units.items())}

    async def _ask(
        self,
        unit: int,
        pdu: bytes,
        accept: Callable[[bytes], bytes | None],
        timeout_s: float,
        priority: Priority,
    ) -> bytes:
        """Ask what is no read."""
        known = self.units.get(unit) or self.meet(unit)
        address = int.from_bytes(pdu[1:3], "big") if pdu[0] != IDENTIFICATION else 0
        block = Block(pdu[0], address, 0)
        answer: asyncio.Future[bytes] = self._loop.create_future()
        self.ask(Question(known, block, timeout_s, priority, answer, pdu, accept))
        return await answer
