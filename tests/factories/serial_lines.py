"""A serial line between two device files, and what travels on it."""

import os
import select
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class SerialPair:
    """Two ends of a line.

    Attributes:
        ours, theirs: device files.
        is_cut: while set, bytes are lost.
        delay_s: how long what they say is on its way [s].
    """

    ours: str
    theirs: str
    is_cut: threading.Event = field(default_factory=threading.Event)
    delay_s: float = 0.0


@contextmanager
def serial_pair() -> Iterator[SerialPair]:
    """Join two pseudo terminals, so that each end looks like a serial port."""
    ends = [os.openpty() for _ in range(2)]
    for _, device in ends:
        tty.setraw(device)
    masters = [master for master, _ in ends]
    ours, theirs = (os.ttyname(device) for _, device in ends)
    pair, stopping = SerialPair(ours, theirs), threading.Event()

    def carry() -> None:
        while not stopping.is_set():
            for one in select.select(masters, [], [], 0.05)[0]:
                some = os.read(one, 4096)
                if not pair.is_cut.is_set():
                    if one == masters[1] and stopping.wait(pair.delay_s):
                        return
                    os.write(masters[one == masters[0]], some)

    thread = threading.Thread(target=carry, daemon=True)
    thread.start()
    try:
        yield pair
    finally:
        stopping.set()
        thread.join(10)
        for both in ends:
            for one in both:
                os.close(one)
