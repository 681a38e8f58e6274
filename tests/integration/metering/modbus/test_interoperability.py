"""Our link against servers nobody here wrote."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from metering.modbus.controls import Write
from metering.modbus.errors import ExceptionReply
from metering.modbus.link import Link
from metering.modbus.plan import Block
from tests.factories.certificates import DEVICE, authority_in
from tests.factories.serial_lines import serial_pair

SERVERS = Path(__file__).parent / "servers"
PATIENCE_S = 10.0
PYMODBUS = ["pymodbus", *(f"pymodbus over {one}" for one in ("rtu", "tls", "serial"))]
OTHERS = ["libmodbus", "pymodbustcp", "umodbus", *PYMODBUS]

Reach = Callable[[], Link]


def _command(name: str, folder: Path) -> list[str]:
    if name != "libmodbus":
        script = SERVERS / f"{name.partition(' ')[0]}_server.py"
        return [sys.executable, str(script)]
    if not shutil.which("gcc") or not shutil.which("pkg-config"):
        pytest.skip("needs gcc and pkg-config (Debian: gcc pkg-config libmodbus-dev)")
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "libmodbus"],
        check=False,
        capture_output=True,
        text=True,
    )
    if flags.returncode:
        pytest.skip("needs libmodbus (Debian: libmodbus-dev)")
    program = folder / "server"
    source = str(SERVERS / "libmodbus_server.c")
    subprocess.run(["gcc", "-O1", "-o", program, source, *flags.stdout.split()], check=True)
    return [str(program)]


@contextmanager
def _served(command: list[str]) -> Iterator[int]:
    """Run a server and give the port it prints."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.kill()


@pytest.fixture(scope="module", params=OTHERS)
def other(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Reach]]:
    """Run one server for the tests of this file; give its name and how to reach it."""
    name, folder = request.param, tmp_path_factory.mktemp("server")
    command = _command(name, folder)
    if name.endswith("tls"):
        files = authority_in(folder)
        command += ["tls", str(folder / DEVICE), str(files.authority)]
        with _served(command) as port:
            yield name, partial(Link, "127.0.0.1", port, framing="tls", tls=files)
    elif name.endswith("serial"):
        with serial_pair() as pair, _served([*command, "serial", pair.theirs]):
            yield name, partial(Link, pair.ours, 0, framing="serial", line="9600-8N1")
    else:
        is_rtu = name.endswith("rtu")
        if name in PYMODBUS:
            command.append("rtu" if is_rtu else "socket")
        with _served(command) as port:
            yield name, partial(Link, "127.0.0.1", port, framing="rtu" if is_rtu else "mbap")


def words(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]


def bits(data: bytes, count: int) -> list[int]:
    return [data[place // 8] >> place % 8 & 1 for place in range(count)]


@pytest.mark.parametrize("function", [3, 4])
@pytest.mark.parametrize(("first", "count"), [(100, 1), (100, 60), (75, 125)])
def test_registers_are_read_as_they_stand(
    other: tuple[str, Reach], function: int, first: int, count: int
) -> None:
    async def scene() -> None:
        link = other[1]()
        data = await link.read(1, Block(function, first, count), timeout_s=PATIENCE_S)
        assert words(data) == [1000 + at for at in range(first, first + count)]
        await link.close()

    asyncio.run(scene())


@pytest.mark.parametrize("function", [1, 2])
@pytest.mark.parametrize(("first", "count"), [(100, 1), (103, 9), (0, 100)])
def test_bits_are_read_as_they_stand(
    other: tuple[str, Reach], function: int, first: int, count: int
) -> None:
    async def scene() -> None:
        link = other[1]()
        data = await link.read(1, Block(function, first, count), timeout_s=PATIENCE_S)
        assert bits(data, count) == [int(at % 3 == 0) for at in range(first, first + count)]
        await link.close()

    asyncio.run(scene())


@pytest.mark.parametrize(
    "write",
    [
        Write(6, 10, (4711,)),
        Write(16, 12, (1, 65535, 3)),
        Write(5, 150, (1,)),
        Write(5, 151, (0,)),
        Write(15, 160, (1, 0, 1, 1, 0, 0, 0, 1, 1)),
    ],
)
def test_what_is_written_is_confirmed_and_read_back(other: tuple[str, Reach], write: Write) -> None:
    async def scene() -> None:
        link = other[1]()
        await link.write(1, write, timeout_s=PATIENCE_S)
        back = Block(3 if write.function in {6, 16} else 1, write.address, len(write.values))
        data = await link.read(1, back, timeout_s=PATIENCE_S)
        shown = words(data) if back.function == 3 else bits(data, back.count)
        assert tuple(shown) == write.values
        await link.close()

    asyncio.run(scene())


def test_what_is_not_there_is_an_exception_and_the_link_goes_on(other: tuple[str, Reach]) -> None:
    async def scene() -> None:
        link = other[1]()
        place = 40_000 if other[0] != "pymodbustcp" else 65_530
        with pytest.raises(ExceptionReply) as caught:
            await link.read(1, Block(3, place, 10), timeout_s=PATIENCE_S)
        assert caught.value.exception == 2
        assert words(await link.read(1, Block(3, 100, 1), timeout_s=PATIENCE_S)) == [1100]
        assert link.counters.connects == 1
        await link.close()

    asyncio.run(scene())


def test_pymodbus_says_what_it_is(other: tuple[str, Reach]) -> None:
    if other[0] not in PYMODBUS:
        pytest.skip("only pymodbus' server knows function 43/14")

    async def scene() -> None:
        link = other[1]()
        texts = await link.identify(1, timeout_s=PATIENCE_S)
        assert texts == {0: b"pymodbus", 1: b"PM", 2: b"3.16"}
        await link.close()

    asyncio.run(scene())
