"""Every fault of the simulator in both framings, as far as the table of readings."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from foundation.db import unit_of_work
from metering.modbus.curves import FIRST_DAY
from metering.modbus.simulated_faults import FaultKind
from metering.modbus.simulator import Simulator
from tests.factories.metering import Fitted
from tests.integration.metering.modbus.test_fault_matrix import FIELDS, HARMLESS, OF_THE_GRID
from tests.integration.metering.polling.conftest import Field, fitted, gateway, until

ORDERS = FIELDS | {FaultKind.SLOW: {"seconds": 2.0}, FaultKind.TRICKLE: {"seconds": 0.1}}
"""Slower than the poller's patience."""
REASONS = {"no_reply", "garbled_reply", "link_down", "exception_04", "unit_resting"}
WHEN_AND_HOW = "{ts,read_off_s,stored_at,quality,source}"
SEEN = """
SELECT to_jsonb(r) - CAST(:others AS text[]) FROM metering.reading r WHERE meter_id = :m
"""


def noon() -> float:
    """A clock that stands, so that the registers of the simulator never change."""
    return datetime(*FIRST_DAY, 12, tzinfo=UTC).timestamp()


def rows(field: Field, one: Fitted) -> list[dict[str, Any]]:
    """What was stored of a meter, without when and how."""
    with unit_of_work(field.office) as session:
        found = session.execute(text(SEEN), {"m": one.meter_id, "others": WHEN_AND_HOW})
        return [row for (row,) in found]


def wrong(row: dict[str, Any], truth: dict[str, Any]) -> dict[str, Any]:
    """What a row says that is not so; what it does not know is not wrong."""
    return {name: v for name, v in row.items() if v is not None and v != truth[name]}


def reason(field: Field, one: Fitted) -> str | None:
    """Why a terminal does not answer, as its page says."""
    sql = "SELECT last_error FROM metering.terminal WHERE id = :id"
    found: str | None = field.value(sql, id=one.terminal_id)
    return found


@pytest.mark.parametrize("framing", ["mbap", "rtu"])
def test_no_fault_stores_a_wrong_value_or_stops_its_neighbours_and_each_has_its_reason(
    outdoors: Field, framing: str
) -> None:
    async def scene() -> None:
        async with AsyncExitStack() as stack:
            fields: dict[FaultKind, tuple[Simulator, list[Fitted]]] = {}
            for kind in sorted(set(FaultKind) - OF_THE_GRID):
                simulator, port = await stack.enter_async_context(
                    gateway(3, clock=noon, framing=framing)
                )
                fields[kind] = (simulator, fitted(outdoors, port, 3, framing=framing, interval_s=1))
            everyone = [one for _, meters in fields.values() for one in meters]
            async with outdoors.polling():
                await until(lambda: all(rows(outdoors, one) for one in everyone), "all readings")
                truth = {one.meter_id: rows(outdoors, one)[0] for one in everyone}
                assert all(row["u_a"] is not None for row in truth.values())
                troubled = []
                for kind, (simulator, meters) in fields.items():
                    order = {"order": kind, "target": "M2", **ORDERS.get(kind, {})}
                    if (await simulator.execute(order))["ok"] and kind not in HARMLESS:
                        troubled.append((kind, meters))
                await until(
                    lambda: all(reason(outdoors, meters[1]) for _, meters in troubled), "reasons"
                )
                had = {one.meter_id: len(rows(outdoors, one)) for one in everyone}
                neighbours = [one for _, (a, _b, c) in troubled for one in (a, c)]
                await until(
                    lambda: all(
                        len(rows(outdoors, one)) > 1 + had[one.meter_id] for one in neighbours
                    ),
                    "two more rounds of the neighbours",
                )
                for kind, meters in troubled:
                    assert reason(outdoors, meters[1]) in REASONS, kind
                for one in everyone:
                    for row in rows(outdoors, one):
                        assert wrong(row, truth[one.meter_id]) == {}
                for simulator, _ in fields.values():
                    await simulator.execute({"order": "clear", "target": "all"})
                await until(
                    lambda: not any(reason(outdoors, meters[1]) for _, meters in troubled),
                    "every terminal to be back",
                )

    asyncio.run(scene())
