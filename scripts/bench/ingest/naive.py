"""The way one would write it first: pymodbus, one conversion a field, one ORM object a reading.

Prints {"terminals", "cpu_s"}: what it read and stored, and the CPU time of this process.
"""

import asyncio
import json
import resource
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from pymodbus.client import AsyncModbusTcpClient
from sqlalchemy.orm import Session

from foundation.db import connect
from metering.modbus.profile import Point, office_profiles
from metering.readings.models import Reading

BATCH = 1000
KINDS = {
    "u16": AsyncModbusTcpClient.DATATYPE.UINT16,
    "u32": AsyncModbusTcpClient.DATATYPE.UINT32,
}
BLOCKS = ((2200, 60), (5000, 60))


class Store:
    """Rows on their way to the database, a thousand to a transaction."""

    def __init__(self, url: str) -> None:
        self._engine = connect(url, pool=1)
        self._rows: list[Reading] = []

    def add(self, row: Reading) -> None:
        """Keep a row; flush if there are enough."""
        self._rows.append(row)
        if len(self._rows) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Store what there is."""
        with Session(self._engine) as session:
            session.add_all(self._rows)
            session.commit()
        self._rows = []


async def read(
    client: AsyncModbusTcpClient, unit: int, points: Sequence[Point]
) -> dict[str, float]:
    """Read both blocks of a unit and convert field by field."""
    held: dict[int, list[int]] = {}
    for address, count in BLOCKS:
        reply = await client.read_holding_registers(address, count=count, device_id=unit)
        held[address] = reply.registers
    values: dict[str, float] = {}
    for point in points:
        start = next(first for first, count in BLOCKS if first <= point.address < first + count)
        at = point.address - start
        size = 2 if point.type == "u32" else 1
        raw = client.convert_from_registers(held[start][at : at + size], KINDS[point.type])
        values[point.quantity] = raw * float(point.scale)
    return values


async def walk(
    client: AsyncModbusTcpClient,
    numbers: range,
    points: Sequence[Point],
    store: Store,
    slot: datetime,
) -> None:
    """Read some terminals of one connection, one after the other."""
    for place, meter_id in enumerate(numbers):
        values = await read(client, 1 + place, points)
        store.add(
            Reading(
                ts=slot,
                meter_id=meter_id,
                read_off_s=int(time.time() - slot.timestamp()),
                quality=0,
                source=1,
                **values,
            )
        )


async def main() -> None:
    """Read and store TERMINALS over PORTS once."""
    url, folder, terminals, *ports = sys.argv[1:]
    points = office_profiles(Path(folder))["bench_meter"].points
    store, count = Store(url), int(terminals) // len(ports)
    clients = [AsyncModbusTcpClient("127.0.0.1", port=int(port)) for port in ports]
    await asyncio.gather(*(client.connect() for client in clients))
    now = int(time.time())
    slot = datetime.fromtimestamp(now - now % 60, tz=UTC)
    began = resource.getrusage(resource.RUSAGE_SELF)
    await asyncio.gather(
        *(
            walk(client, range(1 + n * count, 1 + (n + 1) * count), points, store, slot)
            for n, client in enumerate(clients)
        )
    )
    store.flush()
    ended = resource.getrusage(resource.RUSAGE_SELF)
    used = ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime
    print(json.dumps({"terminals": count * len(ports), "cpu_s": used}))
    for client in clients:
        client.close()


if __name__ == "__main__":
    asyncio.run(main())
