"""What a device says it is: identity registers, and function 43/14, held against its profile."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from metering.modbus.plan import Block, byte_positions
from metering.modbus.profile_parts import DeviceIdentification, Identity, Profile, What

VENDOR, PRODUCT, REVISION = 0, 1, 2
"""Objects of the basic category of function 43/14.

Source: MODBUS Application Protocol Specification V1.1b3, section 6.21.
"""


@dataclass(frozen=True, slots=True)
class Identified:
    """One thing a device said of itself.

    Attributes:
        what: maker, model, serial number or firmware.
        said: as text; None if the registers hold nothing.
        fits: whether it is what the profile expects; None if it expects nothing.
    """

    what: What
    said: str | None
    fits: bool | None


def identity_blocks(profile: Profile) -> list[tuple[Identity, Block]]:
    """Give what to read for each identity register."""
    return [(one, Block(one.function, one.address, one.size)) for one in profile.identity]


def identified(identity: Identity, data: bytes) -> Identified:
    """Say what one identity register tells.

    Args:
        identity: of the profile.
        data: the data bytes of the reply.
    """
    said = _text(data) if identity.type == "text" else _number(identity, data)
    return Identified(identity.what, said, _fits(said, identity.expect))


def identified_by_device(
    expected: DeviceIdentification | None, objects: Mapping[int, bytes]
) -> list[Identified]:
    """Say what function 43/14 tells.

    Args:
        expected: of the profile; None if it does not say.
        objects: what the device answered, by object number.
    """
    known: Sequence[tuple[int, What, tuple[str, ...]]] = (
        (VENDOR, "maker", expected.vendor if expected else ()),
        (PRODUCT, "model", expected.product if expected else ()),
        (REVISION, "firmware", ()),
    )
    found = []
    for number, what, beginnings in known:
        if number in objects:
            said = _text(objects[number])
            found.append(Identified(what, said, _fits(said, beginnings)))
    return found


def _text(data: bytes) -> str | None:
    """ASCII up to the first zero; what is no ASCII shows as a replacement sign."""
    said = data.split(b"\0", 1)[0].decode("ascii", errors="replace").strip()
    return said or None


def _number(identity: Identity, data: bytes) -> str | None:
    raw = int.from_bytes(bytes(data[at] for at in byte_positions(identity.order, len(data))), "big")
    return None if raw in {0, (1 << 8 * len(data)) - 1} else str(raw)


def _fits(said: str | None, beginnings: tuple[str, ...]) -> bool | None:
    if not beginnings:
        return None
    return said is not None and said.startswith(beginnings)
