"""The same responder as responder.c, for machines without a C compiler; it costs more."""

import select
import socket
import sys
from struct import Struct

HEADER = Struct(">HHHB")
REQUEST = Struct(">HHHBBHH")


def answer(request: bytes) -> bytes:
    """Answer one read of holding registers; register i holds its own number."""
    transaction, _, _, unit, function, address, count = REQUEST.unpack(request)
    data = b"".join(number.to_bytes(2, "big") for number in range(address, address + count))
    return HEADER.pack(transaction, 0, len(data) + 3, unit) + bytes((function, len(data))) + data


def serve() -> None:
    """Answer on a free port until standard input ends."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    listener.setblocking(False)
    poll = select.epoll()
    poll.register(listener, select.EPOLLIN)
    poll.register(sys.stdin, select.EPOLLIN)
    print(listener.getsockname()[1], flush=True)
    connections: dict[int, socket.socket] = {}
    replies: dict[bytes, bytes] = {}
    while True:
        for number, _ in poll.poll():
            if number == sys.stdin.fileno():
                return
            if number == listener.fileno():
                fresh, _ = listener.accept()
                fresh.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connections[fresh.fileno()] = fresh
                poll.register(fresh, select.EPOLLIN)
                continue
            request = connections[number].recv(4096)
            if not request:
                connections.pop(number).close()
                continue
            body = request[2:]
            if body not in replies:
                replies[body] = answer(request)[2:]
            connections[number].send(request[:2] + replies[body])


if __name__ == "__main__":
    serve()
