"""Where a device is, and a link of one's own to it: for looks and visits, not for rounds."""

from dataclasses import dataclass

from metering.modbus.link import Framing, Link, TlsFiles
from metering.modbus.profile_parts import Profile


@dataclass(frozen=True, slots=True)
class Place:
    """Where a device is reached.

    Attributes:
        host: name or address; the device file of a serial line.
        timeout_s: patience for each request [s].
        line: how a serial line is set, as `9600-8E1`.
        tls: certificates, to try TLS.
    """

    host: str
    port: int
    unit: int
    timeout_s: float = 2.0
    line: str = ""
    tls: TlsFiles | None = None


def link_to(place: Place, framing: Framing, profile: Profile | None = None) -> Link:
    """Give a link of one's own to a device, with the pauses its profile asks for."""
    return Link(
        place.host,
        place.port,
        framing=framing,
        connect_timeout_s=place.timeout_s,
        min_gap_ms=0 if profile is None else profile.min_gap_ms,
        connect_pause_ms=0 if profile is None else profile.connect_pause_ms,
        line=place.line,
        tls=place.tls,
    )
