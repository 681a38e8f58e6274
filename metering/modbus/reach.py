"""How a device is reached: TCP, TLS over TCP, or a serial line.

Source of TLS: MODBUS/TCP Security V21 (port 802, TLS 1.2 or later, both sides show a
certificate). Roles in certificates are the device's to judge.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from foundation.settings import Settings
from metering.modbus.rtu import SILENCE_S
from metering.modbus.serial_line import SerialLine, open_serial
from metering.modbus.wire import Owner, TlsWire, Wire, cheapest_wire

Framing = Literal["mbap", "rtu", "tls", "serial"]
"""Modbus TCP; RTU frames carried over TCP; Modbus TCP inside TLS; RTU frames on a serial line."""
RTU: frozenset[Framing] = frozenset({"rtu", "serial"})

Open = Callable[[Owner], Awaitable[Wire]]
"""Connects, and gives the wire."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Whom we trust and who we are, towards devices.

    Attributes:
        authority: certificates of who signs the devices' own.
        certificate: ours, with what leads to its authority; None shows none.
        key: of ours; None if it stands in the certificate's file.
        checks_names: whether a device's certificate must name the host it is reached by.
    """

    authority: Path
    certificate: Path | None = None
    key: Path | None = None
    checks_names: bool = True

    @classmethod
    def of(cls, settings: Settings) -> "TlsFiles | None":
        """Give those of the office; None where no authority is set."""
        if settings.meter_tls_ca is None:
            return None
        return cls(
            settings.meter_tls_ca,
            settings.meter_tls_cert,
            settings.meter_tls_key,
            settings.meter_tls_names,
        )

    def context(self) -> ssl.SSLContext:
        """Give what a connection needs; renewed files are read again.

        Raises:
            OSError: a file is missing or holds no certificate.
        """
        files = (self.authority, self.certificate, self.key)
        return _context(self, tuple(one.stat().st_mtime_ns for one in files if one is not None))


@lru_cache(maxsize=4)
def _context(files: TlsFiles, _as_of: tuple[int, ...]) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(files.authority))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = files.checks_names
    if files.certificate is not None:
        context.load_cert_chain(files.certificate, files.key)
    return context


def opener(host: str, port: int, framing: Framing, *, line: str, tls: TlsFiles | None) -> Open:
    """Give what connects to a device.

    Args:
        host: name or address; the device file of a serial line.
        port: TCP port; of no meaning on a serial line.
        framing: how it speaks.
        line: how a serial line is set.
        tls: for TLS.

    Raises:
        LineWrong: a serial line is set in no known way.
    """
    if framing == "serial":
        setting = SerialLine.of(line)
        return lambda owner: open_serial(owner, host, setting)
    if framing == "tls":
        return lambda owner: _open_tls(owner, host, port, tls)
    return lambda owner: _open_tcp(owner, host, port, is_rtu=framing == "rtu")


def silence_s(framing: Framing, line: str) -> float:
    """Give the pause between a reply and the next request that the framing itself needs [s]."""
    if framing == "serial":
        return SerialLine.of(line).silence_s
    return SILENCE_S if framing in RTU else 0.0


async def _open_tcp(owner: Owner, host: str, port: int, *, is_rtu: bool) -> Wire:
    loop = asyncio.get_running_loop()
    kind = cheapest_wire(loop)
    _, wire = await loop.create_connection(lambda: kind(owner, is_rtu=is_rtu), host, port)
    return wire


async def _open_tls(owner: Owner, host: str, port: int, tls: TlsFiles | None) -> Wire:
    if tls is None:
        raise OSError("no certificate authority is set (GRIDHALL_METER_TLS_CA)")
    loop = asyncio.get_running_loop()
    _, wire = await loop.create_connection(
        lambda: TlsWire(owner), host, port, ssl=tls.context(), server_hostname=host
    )
    return wire
