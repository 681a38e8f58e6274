"""TLS and serial lines: whom we trust, and what a line does when it is cut, slow or gone."""

import asyncio
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from struct import pack, unpack

import pytest

from metering.modbus.errors import LinkDown, NoReply
from metering.modbus.link import Link
from metering.modbus.plan import Block
from metering.modbus.reach import TlsFiles
from metering.modbus.rtu import framed_rtu
from tests.factories.certificates import DEVICE, authority_in
from tests.factories.serial_lines import SerialPair, serial_pair

PATIENCE_S = 5.0
BLOCK = Block(3, 7, 1)
READ_BYTES = 8


async def device(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer each read of one register with its address."""
    try:
        while True:
            transaction, _, _, unit, function, address, _ = unpack(
                ">HHHBBHH", await reader.readexactly(12)
            )
            writer.write(pack(">HHHBBBH", transaction, 0, 5, unit, function, 2, address))
    except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
        writer.close()


@contextmanager
def answering(pair: SerialPair) -> Iterator[None]:
    """Answer at the far end: each reply counts one up, so that they can be told apart."""
    line = os.open(pair.theirs, os.O_RDWR | os.O_NONBLOCK)
    loop, numbers = asyncio.get_running_loop(), count(1)

    def came() -> None:
        for _ in range(len(os.read(line, 64)) // READ_BYTES):
            os.write(line, framed_rtu(1, pack(">BBH", 3, 2, next(numbers))))

    loop.add_reader(line, came)
    try:
        yield
    finally:
        loop.remove_reader(line)
        os.close(line)


async def why_not(folder: Path, ours: TlsFiles | None, *, host: str = "127.0.0.1") -> str | None:
    """Give why a device that wants to know who we are is not read; None if it is."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / DEVICE)
    tls.load_verify_locations(folder / "authority.pem")
    tls.verify_mode = ssl.CERT_REQUIRED
    server = await asyncio.start_server(device, "127.0.0.1", 0, ssl=tls)
    link = Link(host, server.sockets[0].getsockname()[1], framing="tls", tls=ours)
    try:
        assert await link.read(1, BLOCK, timeout_s=PATIENCE_S) == b"\x00\x07"
    except LinkDown as down:
        return str(down.facts["why"])
    else:
        return None
    finally:
        await link.close()
        server.close()


def test_only_a_device_whose_certificate_holds_is_read(tmp_path: Path) -> None:
    async def scene() -> None:
        here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
        for folder in (here, elsewhere):
            folder.mkdir()
        ours, others = authority_in(here), authority_in(elsewhere)
        assert await why_not(here, ours) is None
        assert "certificate verify failed" in (await why_not(here, others) or "")
        assert "GRIDHALL_METER_TLS_CA" in (await why_not(here, None) or "")
        wrong_name = await why_not(here, ours, host="localhost") or ""
        assert "Hostname mismatch" in wrong_name
        assert await why_not(here, replace(ours, checks_names=False), host="localhost") is None
        assert await why_not(here, replace(ours, certificate=None)) is not None
        missing = replace(ours, authority=tmp_path / "none.pem")
        assert "none.pem" in (await why_not(here, missing) or "")

    asyncio.run(scene())


def test_a_renewed_authority_is_read_again(tmp_path: Path) -> None:
    async def scene() -> None:
        ours = authority_in(tmp_path)
        assert await why_not(tmp_path, ours) is None
        authority_in(tmp_path)
        assert await why_not(tmp_path, ours) is None

    asyncio.run(scene())


def test_a_line_that_was_cut_is_read_again() -> None:
    async def scene() -> None:
        with serial_pair() as pair, answering(pair):
            link = Link(pair.ours, 0, framing="serial", line="9600-8N1")
            assert await link.read(1, BLOCK, timeout_s=PATIENCE_S) == b"\x00\x01"
            pair.is_cut.set()
            with pytest.raises(NoReply):
                await link.read(1, BLOCK, timeout_s=0.3)
            pair.is_cut.clear()
            assert await link.read(1, BLOCK, timeout_s=PATIENCE_S) == b"\x00\x02"
            await link.close()

    asyncio.run(scene())


def test_a_late_reply_on_a_line_is_never_taken_for_the_next() -> None:
    async def scene() -> None:
        with serial_pair() as pair, answering(pair):
            link = Link(pair.ours, 0, framing="serial", line="9600-8N1")
            pair.delay_s = 0.45
            with pytest.raises(NoReply):
                await link.read(1, BLOCK, timeout_s=0.3)
            pair.delay_s = 0.0
            assert await link.read(1, BLOCK, timeout_s=PATIENCE_S) == b"\x00\x02"
            assert link.counters.late == 1
            await link.close()

    asyncio.run(scene())


def test_a_line_that_is_not_there_or_in_use_is_down_and_says_why() -> None:
    async def scene() -> None:
        link = Link("/dev/no-such-line", 0, framing="serial", line="9600-8N1")
        with pytest.raises(LinkDown) as caught:
            await link.read(1, BLOCK, timeout_s=PATIENCE_S)
        assert "/dev/no-such-line" in str(caught.value.facts["why"])
        await link.close()
        with serial_pair() as pair, answering(pair):
            owner, other = (Link(pair.ours, 0, framing="serial", line="9600-8N1") for _ in range(2))
            await owner.read(1, BLOCK, timeout_s=PATIENCE_S)
            with pytest.raises(LinkDown):
                await other.read(1, BLOCK, timeout_s=PATIENCE_S)
            await owner.read(1, BLOCK, timeout_s=PATIENCE_S)
            await owner.close()
            await other.close()

    asyncio.run(scene())
