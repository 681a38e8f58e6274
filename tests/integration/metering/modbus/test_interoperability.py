"""Our link against servers nobody here wrote."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from metering.modbus.controls import Write
from metering.modbus.errors import ExceptionReply
from metering.modbus.link import Link
from metering.modbus.plan import Block

SERVERS = Path(__file__).parent / "servers"
PATIENCE_S = 10.0
OTHERS = ["libmodbus", "pymodbustcp", "umodbus", "pymodbus", "pymodbus over rtu"]


def _command(name: str, folder: Path) -> list[str]:
    if name != "libmodbus":
        script, _, over = name.partition(" over ")
        framer = {"pymodbus": [over or "socket"]}.get(script, [])
        return [sys.executable, str(SERVERS / f"{script}_server.py"), *framer]
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


@pytest.fixture(scope="module", params=OTHERS)
def other(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, int]]:
    """Run one server for the tests of this file; give its name and port."""
    command = _command(request.param, tmp_path_factory.mktemp("server"))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield request.param, int(process.stdout.readline())
        finally:
            process.kill()


def link_to(other: tuple[str, int]) -> Link:
    name, port = other
    return Link("127.0.0.1", port, framing="rtu" if name.endswith("rtu") else "mbap")


def words(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]


def bits(data: bytes, count: int) -> list[int]:
    return [data[place // 8] >> place % 8 & 1 for place in range(count)]


@pytest.mark.parametrize("function", [3, 4])
@pytest.mark.parametrize(("first", "count"), [(100, 1), (100, 60), (75, 125)])
def test_registers_are_read_as_they_stand(
    other: tuple[str, int], function: int, first: int, count: int
) -> None:
    async def scene() -> None:
        link = link_to(other)
        data = await link.read(1, Block(function, first, count), timeout_s=PATIENCE_S)
        assert words(data) == [1000 + at for at in range(first, first + count)]
        await link.close()

    asyncio.run(scene())


@pytest.mark.parametrize("function", [1, 2])
@pytest.mark.parametrize(("first", "count"), [(100, 1), (103, 9), (0, 100)])
def test_bits_are_read_as_they_stand(
    other: tuple[str, int], function: int, first: int, count: int
) -> None:
    async def scene() -> None:
        link = link_to(other)
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
def test_what_is_written_is_confirmed_and_read_back(other: tuple[str, int], write: Write) -> None:
    async def scene() -> None:
        link = link_to(other)
        await link.write(1, write, timeout_s=PATIENCE_S)
        back = Block(3 if write.function in {6, 16} else 1, write.address, len(write.values))
        data = await link.read(1, back, timeout_s=PATIENCE_S)
        shown = words(data) if back.function == 3 else bits(data, back.count)
        assert tuple(shown) == write.values
        await link.close()

    asyncio.run(scene())


def test_what_is_not_there_is_an_exception_and_the_link_goes_on(other: tuple[str, int]) -> None:
    async def scene() -> None:
        link = link_to(other)
        place = 40_000 if other[0] != "pymodbustcp" else 65_530
        with pytest.raises(ExceptionReply) as caught:
            await link.read(1, Block(3, place, 10), timeout_s=PATIENCE_S)
        assert caught.value.exception == 2
        assert words(await link.read(1, Block(3, 100, 1), timeout_s=PATIENCE_S)) == [1100]
        assert link.counters.connects == 1
        await link.close()

    asyncio.run(scene())


def test_pymodbus_says_what_it_is(other: tuple[str, int]) -> None:
    if not other[0].startswith("pymodbus") or other[0] == "pymodbustcp":
        pytest.skip("only pymodbus' server knows function 43/14")

    async def scene() -> None:
        link = link_to(other)
        texts = await link.identify(1, timeout_s=PATIENCE_S)
        assert texts == {0: b"pymodbus", 1: b"PM", 2: b"3.16"}
        await link.close()

    asyncio.run(scene())
