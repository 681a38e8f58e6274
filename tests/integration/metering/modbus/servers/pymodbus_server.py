"""A server made of pymodbus alone: registers hold 1000 + their address. Prints its port.

Argument: `socket` for Modbus TCP, `rtu` for RTU frames over TCP.
"""

import asyncio
import sys

from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.framer import FramerType
from pymodbus.pdu.device import ModbusDeviceIdentification
from pymodbus.server import ModbusTcpServer


async def serve() -> None:
    """Serve until killed."""
    words = ModbusSequentialDataBlock(1, [1000 + place for place in range(200)])
    bits = ModbusSequentialDataBlock(1, [place % 3 == 0 for place in range(200)])
    device = ModbusDeviceContext(di=bits, co=bits, hr=words, ir=words)
    identity = ModbusDeviceIdentification(
        info_name={"VendorName": "pymodbus", "ProductCode": "PM", "MajorMinorRevision": "3.16"}
    )
    server = ModbusTcpServer(
        ModbusServerContext(devices={1: device}, single=False),
        framer=FramerType(sys.argv[1]),
        identity=identity,
        address=("127.0.0.1", 0),
    )
    await server.serve_forever(background=True)
    print(server.transport.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


asyncio.run(serve())
