"""A server made of umodbus alone: registers hold 1000 + their address. Prints its port."""

from socketserver import TCPServer

from umodbus.server.tcp import RequestHandler, get_server

PLACES = list(range(200))
registers = {place: 1000 + place for place in PLACES}
coils = {place: int(place % 3 == 0) for place in PLACES}

TCPServer.allow_reuse_address = True
app = get_server(TCPServer, ("127.0.0.1", 0), RequestHandler)


@app.route(slave_ids=[1], function_codes=[3, 4], addresses=PLACES)
def read_register(slave_id: int, function_code: int, address: int) -> int:
    """Answer functions 3 and 4."""
    return registers[address]


@app.route(slave_ids=[1], function_codes=[1, 2], addresses=PLACES)
def read_bit(slave_id: int, function_code: int, address: int) -> int:
    """Answer functions 1 and 2."""
    return coils[address]


@app.route(slave_ids=[1], function_codes=[6, 16], addresses=PLACES)
def write_register(slave_id: int, function_code: int, address: int, value: int) -> None:
    """Take functions 6 and 16."""
    registers[address] = value


@app.route(slave_ids=[1], function_codes=[5, 15], addresses=PLACES)
def write_bit(slave_id: int, function_code: int, address: int, value: int) -> None:
    """Take functions 5 and 15."""
    coils[address] = value


print(app.server_address[1], flush=True)
app.serve_forever()
