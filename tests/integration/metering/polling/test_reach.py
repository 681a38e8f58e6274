"""Terminals behind TLS and on a serial line, from the timetable to the table of readings."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import text

from foundation.db import unit_of_work
from metering.devices.actions import set_manner
from metering.devices.types import Framing, Manner
from tests.factories.certificates import DEVICE, authority_in
from tests.factories.foundation import SYSTEM
from tests.factories.serial_lines import SerialPair, serial_pair
from tests.integration.metering.polling.conftest import Field, fitted, gateway, until

UNITS = 3


@asynccontextmanager
async def inside_tls(folder: Path, port: int) -> AsyncIterator[int]:
    """Put a gateway behind TLS; give the port."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / DEVICE)
    tls.load_verify_locations(folder / "authority.pem")
    tls.verify_mode = ssl.CERT_REQUIRED

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_pipe(reader, back), _pipe(there, writer))

    server = await asyncio.start_server(carry, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while some := await reader.read(4096):
            writer.write(some)
    except (ConnectionError, ssl.SSLError):
        pass
    finally:
        writer.close()


@asynccontextmanager
async def on_a_line(pair: SerialPair, port: int) -> AsyncIterator[None]:
    """Put a gateway that speaks RTU at the far end of a line."""
    line = os.open(pair.theirs, os.O_RDWR | os.O_NONBLOCK)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    loop = asyncio.get_running_loop()
    loop.add_reader(line, lambda: writer.write(os.read(line, 4096)))

    async def back() -> None:
        while some := await reader.read(4096):
            os.write(line, some)

    carrying = asyncio.create_task(back())
    try:
        yield
    finally:
        carrying.cancel()
        loop.remove_reader(line)
        writer.close()
        os.close(line)


def test_terminals_behind_tls_are_read(outdoors: Field, tmp_path: Path) -> None:
    async def scene() -> None:
        files = authority_in(tmp_path)
        async with gateway(UNITS) as (_, port), inside_tls(tmp_path, port) as outside:
            meters = fitted(outdoors, outside, UNITS, framing="tls", depth=UNITS)
            async with outdoors.polling(tls=files):
                await until(lambda: all(outdoors.readings(one) for one in meters), "readings")
        assert outdoors.doubles() == 0

    asyncio.run(scene())


def test_without_certificates_no_terminal_behind_tls_is_read(
    outdoors: Field, tmp_path: Path
) -> None:
    async def scene() -> None:
        authority_in(tmp_path)
        async with gateway(1) as (_, port), inside_tls(tmp_path, port) as outside:
            (one,) = fitted(outdoors, outside, 1, framing="tls")
            async with outdoors.polling():
                error = "SELECT last_error FROM metering.terminal"
                await until(lambda: outdoors.value(error) == "link_down", "the reason")
        assert not outdoors.readings(one)

    asyncio.run(scene())


def test_terminals_on_a_serial_line_are_read(outdoors: Field) -> None:
    async def scene() -> None:
        with serial_pair() as pair:
            async with gateway(UNITS, framing="rtu") as (_, port), on_a_line(pair, port):
                meters = fitted(outdoors, 0, UNITS, in_service=False, interval_s=2)
                with unit_of_work(outdoors.office) as session:
                    session.execute(
                        text(
                            "UPDATE metering.terminal SET host = :h, port = 0, in_service = true,"
                            " framing = 'serial', line = '9600-8N1'"
                        ),
                        {"h": pair.ours},
                    )
                async with outdoors.polling():
                    await until(lambda: all(outdoors.readings(one) for one in meters), "readings")
                    with unit_of_work(outdoors.office) as session:
                        number = session.execute(
                            text("SELECT terminal_no FROM metering.terminal LIMIT 1")
                        ).scalar_one()
                        faster = Manner(Framing.SERIAL, line="19200 8n1")
                        set_manner(session, SYSTEM, number, faster, seen="serial 9600-8N1")
                    seen = [outdoors.readings(one) for one in meters]
                    await until(
                        lambda: all(
                            outdoors.readings(one) > before + 1
                            for one, before in zip(meters, seen, strict=True)
                        ),
                        "readings at the new speed",
                    )
        lines = "SELECT count(*) FROM metering.terminal WHERE line = '19200-8N1'"
        assert outdoors.value(lines) == UNITS
        assert outdoors.doubles() == 0

    asyncio.run(scene())
