"""How a connection may be talked to."""

import re
from dataclasses import replace

from metering.devices.types import Framing, Manner, MannerWrong
from metering.modbus.serial_line import LineWrong, SerialLine

MOST_DEPTH = 16
_DEVICE = re.compile(r"/dev/(?!.*\.\.)[0-9A-Za-z][0-9A-Za-z._/-]{0,99}")


def is_device(host: str) -> bool:
    """Whether a host is the device file of a serial line."""
    return _DEVICE.fullmatch(host) is not None


def usual(host: str, manner: Manner) -> Manner:
    """Give a manner in its usual notation: only a serial line has a setting, and one in flight.

    Raises:
        MannerWrong: a connection to this host cannot be like this.
    """
    if not 1 <= manner.depth <= MOST_DEPTH:
        raise MannerWrong(why="depth", said=str(manner.depth))
    if is_device(host) != (manner.framing is Framing.SERIAL):
        raise MannerWrong(why="device", said=host)
    if manner.framing is not Framing.SERIAL:
        depth = 1 if manner.framing is Framing.RTU else manner.depth
        return replace(manner, depth=depth, line="")
    try:
        return Manner(Framing.SERIAL, 1, str(SerialLine.of(manner.line)))
    except LineWrong as wrong:
        raise MannerWrong(why="line", said=manner.line) from wrong
