"""The simulator's control socket: one JSON order a line, one JSON answer a line, loopback."""

import asyncio
import hmac
import json
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from foundation.errors import Unreachable

LINE_LIMIT = 1 << 20
PATIENCE_S = 10.0

Answer = dict[str, Any]
Execute = Callable[[Answer], Awaitable[Answer]]


class SimulatorUnreachable(Unreachable):
    """Nobody listens on the simulator's control socket, or it hung up."""

    code = "simulator_unreachable"


class Control:
    """Listens for orders; an order without the token is refused unread."""

    def __init__(self, execute: Execute, *, token: str) -> None:
        self._execute = execute
        self._token = token
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int) -> int:
        """Listen; say on which port (0 asks for any free one)."""
        self._server = await asyncio.start_server(self._talk, host, port, limit=LINE_LIMIT)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Stop listening and end the talks under way."""
        if self._server is None:
            return
        self._server.close()
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        await self._server.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.current_task()
        if talk is not None:
            self._talks.add(talk)
        try:
            while line := await reader.readline():
                answer = await self._answer(line)
                writer.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")
                await writer.drain()
        except (OSError, ValueError):
            return
        finally:
            writer.close()
            if talk is not None:
                self._talks.discard(talk)

    async def _answer(self, line: bytes) -> Answer:
        try:
            order = json.loads(line)
        except ValueError:
            return {"ok": False, "error": "not_json"}
        if not isinstance(order, dict):
            return {"ok": False, "error": "not_json"}
        token = str(order.pop("token", ""))
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            return {"ok": False, "error": "wrong_token"}
        return await self._execute(order)


async def order(host: str, port: int, token: str, **fields: object) -> Answer:
    """Send one order and wait for its answer.

    Args:
        host: of the control socket.
        port: of the control socket.
        token: the shared secret.
        fields: `order` (the word), `target`, and what that order takes.

    Returns:
        `ok` true and what the order gives, or `ok` false and an `error` code with `facts`.

    Raises:
        SimulatorUnreachable: nobody listens, or no answer came.
    """
    try:
        async with asyncio.timeout(PATIENCE_S):
            reader, writer = await asyncio.open_connection(host, port, limit=LINE_LIMIT)
            try:
                writer.write(_line(token, fields))
                return _read(await reader.readline(), host, port)
            finally:
                writer.close()
                await writer.wait_closed()
    except OSError as error:
        raise SimulatorUnreachable(host=host, port=port, why=str(error)) from error


def order_now(host: str, port: int, token: str, **fields: object) -> Answer:
    """Send one order from code that has no event loop; see `order`.

    Raises:
        SimulatorUnreachable: nobody listens, or no answer came.
    """
    try:
        with socket.create_connection((host, port), timeout=PATIENCE_S) as connection:
            connection.sendall(_line(token, fields))
            with connection.makefile("rb") as lines:
                return _read(lines.readline(LINE_LIMIT), host, port)
    except OSError as error:
        raise SimulatorUnreachable(host=host, port=port, why=str(error)) from error


def _line(token: str, fields: dict[str, object]) -> bytes:
    return json.dumps({"token": token, **fields}, ensure_ascii=False).encode() + b"\n"


def _read(line: bytes, host: str, port: int) -> Answer:
    try:
        answer: Answer = json.loads(line)
    except ValueError as error:
        raise SimulatorUnreachable(host=host, port=port, why="no answer") from error
    return answer
