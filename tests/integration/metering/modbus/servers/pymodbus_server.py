"""A server made of pymodbus alone: registers hold 1000 + their address. Prints its port.

Arguments: `socket` for Modbus TCP; `rtu` for RTU frames over TCP; `tls` and the files of its
certificate and of who signs its clients'; `serial` and a device file, where the port is 0.
"""

import asyncio
import ssl
import sys

from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.framer import FramerType
from pymodbus.pdu.device import ModbusDeviceIdentification
from pymodbus.server import ModbusSerialServer, ModbusTcpServer, ModbusTlsServer


async def serve() -> None:
    """Serve until killed."""
    words = ModbusSequentialDataBlock(1, [1000 + place for place in range(200)])
    bits = ModbusSequentialDataBlock(1, [place % 3 == 0 for place in range(200)])
    device = ModbusDeviceContext(di=bits, co=bits, hr=words, ir=words)
    identity = ModbusDeviceIdentification(
        info_name={"VendorName": "pymodbus", "ProductCode": "PM", "MajorMinorRevision": "3.16"}
    )
    context = ModbusServerContext(devices={1: device}, single=False)
    over, *files = sys.argv[1:]
    if over == "serial":
        line = ModbusSerialServer(context, port=files[0], identity=identity, baudrate=9600)
        await line.serve_forever(background=True)
        print(0, flush=True)
        await asyncio.Event().wait()
    anywhere = ("127.0.0.1", 0)
    server: ModbusTcpServer
    if over == "tls":
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(files[0])
        tls.load_verify_locations(files[1])
        tls.verify_mode = ssl.CERT_REQUIRED
        server = ModbusTlsServer(
            context, framer=FramerType.SOCKET, identity=identity, address=anywhere, sslctx=tls
        )
    else:
        server = ModbusTcpServer(
            context, framer=FramerType(over), identity=identity, address=anywhere
        )
    await server.serve_forever(background=True)
    print(server.transport.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


asyncio.run(serve())
