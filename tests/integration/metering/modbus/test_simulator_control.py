"""The control socket, and the simulator as a process of its own."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from metering.modbus.simulator_control import Control, SimulatorUnreachable, order, order_now

TOKEN = "open sesame"
PROCESS = """
import sys
from pathlib import Path
from zoneinfo import ZoneInfo
from metering.modbus.simulated_unit import SimulatedUnit
from metering.modbus.simulator import run

def fleet():
    return [SimulatedUnit("M1", "T1", "127.0.0.1", 0, 1, "demo_single", "home", 1, 5000.0)]

def ready(simulator, port):
    print(port, simulator.ports["127.0.0.1", 0], flush=True)

run(fleet, zone=ZoneInfo("Asia/Shanghai"), token=sys.argv[1], control_port=0,
    state_file=Path(sys.argv[2]), ready=ready)
print("stopped", flush=True)
"""


async def _control(town: object) -> tuple[Control, int]:
    control = Control(town.simulator.execute, token=TOKEN)
    return control, await control.start("127.0.0.1", 0)


def test_orders_are_answered_and_refusals_have_codes(town_of: Callable, unit_of: Callable) -> None:
    async def scene() -> None:
        async with town_of(unit_of(1, "demo_single")) as town:
            control, port = await _control(town)

            async def ask(**fields: object) -> dict[str, object]:
                return await order("127.0.0.1", port, TOKEN, **fields)

            struck = await ask(order="sag", target="M1", to=0.7, duration_s=60)
            assert (struck["ok"], struck["meters"], struck["order_no"]) == (True, 1, 1)
            refused = await ask(order="sag", target="M1", phases="b", to=0.7)
            assert refused == {
                "ok": False,
                "error": "no_such_phase",
                "facts": {"target": "M1"},
            }
            status = await ask(order="status")
            assert (status["meters"], status["faults"], status["orders"]) == (1, 1, 3)
            assert (await ask(order="reload"))["error"] == "no_loader"
            assert (await ask(order="clear", target="M1", kind="x"))["error"] == "unknown_order"
            assert (await ask(order="clear", target="M1"))["ended"] == 1
            await control.stop()

    asyncio.run(scene())


def test_without_the_token_nothing_is_done(town_of: Callable) -> None:
    async def scene() -> None:
        async with town_of() as town:
            control, port = await _control(town)
            for token in ("", "open sesam", "芝麻开门"):
                answer = await order("127.0.0.1", port, token, order="silence", target="all")
                assert answer == {"ok": False, "error": "wrong_token"}
            assert town.simulator.faults() == []
            await control.stop()

    asyncio.run(scene())


def test_what_is_no_order_is_answered_and_the_talk_goes_on(town_of: Callable) -> None:
    async def scene() -> None:
        async with town_of() as town:
            control, port = await _control(town)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            said = [b"hello", b"[1]", json.dumps({"token": TOKEN, "order": "status"}).encode()]
            for line in said:
                writer.write(line + b"\n")
            answers = [json.loads(await reader.readline()) for _ in said]
            assert [answer.get("error") for answer in answers] == ["not_json", "not_json", None]
            await control.stop()
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()
            with pytest.raises(SimulatorUnreachable):
                await order("127.0.0.1", port, TOKEN, order="status")

    asyncio.run(scene())


def _start(state_file: Path) -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROCESS, TOKEN, str(state_file)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    control_port, _modbus_port = process.stdout.readline().split()
    return process, int(control_port)


def test_a_killed_process_comes_back_with_its_faults_and_a_told_one_stops_cleanly(
    tmp_path: Path,
) -> None:
    state_file = tmp_path / "simulator.json"
    process, port = _start(state_file)
    with process:
        assert order_now("127.0.0.1", port, TOKEN, order="ct_bypass", target="all")["ok"]
        process.kill()
    with pytest.raises(SimulatorUnreachable):
        order_now("127.0.0.1", port, TOKEN, order="list")
    process, port = _start(state_file)
    with process:
        faults = order_now("127.0.0.1", port, TOKEN, order="list")["faults"]
        assert [(row["kind"], row["meters"]) for row in faults] == [("ct_bypass", ["M1"])]
        process.send_signal(signal.SIGTERM)
        assert process.stdout is not None
        assert process.stdout.read() == "stopped\n"
        assert process.wait() == 0
