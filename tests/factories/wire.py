"""Terminals that note every request: plain Modbus TCP answers in a thread, and when they came."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from struct import pack, unpack


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came: unit behind which port, first register asked, and when."""

    port: int
    unit: int
    address: int
    at_s: float


class Terminals:
    """Answers on several ports, every unit, zeros in every register."""

    def __init__(self, ports: int) -> None:
        self.requests: list[Request] = []
        self.connects: list[int] = []
        self.ports: list[int] = []
        self.is_mute = False
        self._count = ports
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait(10)

    def close(self) -> None:
        """Hang up on everybody."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        servers = self._loop.run_until_complete(self._open())
        self._ready.set()
        self._loop.run_forever()
        for server in servers:
            server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        pending = asyncio.all_tasks(self._loop)
        for task in pending:
            task.cancel()
        if pending:
            self._loop.run_until_complete(asyncio.wait(pending))
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _open(self) -> list[asyncio.Server]:
        servers = [
            await asyncio.start_server(self._serve, "127.0.0.1", 0) for _ in range(self._count)
        ]
        self.ports += [server.sockets[0].getsockname()[1] for server in servers]
        return servers

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = writer.get_extra_info("sockname")[1]
        self.connects.append(port)
        self._writers.add(writer)
        try:
            while True:
                transaction, _, _, unit, function, address, count = unpack(
                    ">HHHBBHH", await reader.readexactly(12)
                )
                self.requests.append(Request(port, unit, address, time.time()))
                if self.is_mute:
                    continue
                size = -(-count // 8) if function in (1, 2) else 2 * count
                writer.write(
                    pack(">HHHBBB", transaction, 0, 3 + size, unit, function, size) + bytes(size)
                )
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()


@contextmanager
def terminals(ports: int) -> Iterator[Terminals]:
    """Run terminals."""
    running = Terminals(ports)
    try:
        yield running
    finally:
        running.close()
