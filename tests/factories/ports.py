"""Ports for servers that are started a moment later."""

import random
import socket
from contextlib import suppress

LOWEST, HIGHEST = 10_000, 17_999
"""Below those the kernel gives to outgoing connections, which would take one meanwhile."""


def free_ports(count: int) -> list[int]:
    """Give ports nobody listens on."""
    found: list[int] = []
    for port in random.sample(range(LOWEST, HIGHEST + 1), HIGHEST + 1 - LOWEST):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == count:
            return found
    raise RuntimeError("no free port")
