"""A server made of pyModbusTCP alone: registers hold 1000 + their address. Prints its port."""

import socket
import time

from pyModbusTCP.server import DataBank, ModbusServer

with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]

bank = DataBank()
words = [1000 + place for place in range(200)]
bits = [place % 3 == 0 for place in range(200)]
bank.set_holding_registers(0, words)
bank.set_input_registers(0, words)
bank.set_coils(0, bits)
bank.set_discrete_inputs(0, bits)
server = ModbusServer("127.0.0.1", port, no_block=True, data_bank=bank)
server.start()
print(port, flush=True)
while True:
    time.sleep(60)
