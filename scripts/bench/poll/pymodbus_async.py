"""pymodbus: one AsyncModbusTcpClient per connection, as shipped."""

import asyncio

from figures import WRONG, Figures, run_client
from pymodbus.client import AsyncModbusTcpClient


async def ask(port: int, connections: int, requests: int, count: int) -> Figures:
    """Ask; replies come decoded to integers."""
    clients = [AsyncModbusTcpClient("127.0.0.1", port=port) for _ in range(connections)]

    last = count - 1

    async def walk(number: int) -> None:
        client, unit = clients[number], 1 + number % 247
        for _ in range(requests):
            reply = await client.read_holding_registers(0, count=count, device_id=unit)
            if reply.registers[last] != last:
                raise SystemExit(WRONG)

    figures = Figures(connections, requests)
    with figures.connecting():
        await asyncio.gather(*(client.connect() for client in clients))
    with figures.asking():
        await asyncio.gather(*(walk(number) for number in range(connections)))
    for client in clients:
        client.close()
    return figures


if __name__ == "__main__":
    run_client(ask, None)
