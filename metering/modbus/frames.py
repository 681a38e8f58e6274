"""Recorded exchanges beside a profile: what was asked, what came back, what it means."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from zoneinfo import ZoneInfo

from foundation.datafiles import build, load_toml
from metering.modbus.controls import command_shown, read_back
from metering.modbus.decode import Value, decode
from metering.modbus.errors import ProfileRefused
from metering.modbus.freezes import freeze_reader
from metering.modbus.identity import identified, identity_blocks
from metering.modbus.mbap import READ_LENGTH, READ_REQUEST, Frame, NotModbus, Unframer
from metering.modbus.meter_clock import clock_block, clock_shown
from metering.modbus.plan import Block, compile_plan
from metering.modbus.profile_parts import Freeze, Profile
from metering.modbus.quantities import EVERY_GROUP


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its response, whole frames in hexadecimal."""

    request: str
    response: str


@dataclass(frozen=True, slots=True)
class Also:
    """One read besides the points: of "clock", "freeze day", "identity serial", "control relay".

    `says` is what it means: an instant with its offset, a text, a command shown. `expected` are
    the values of a frozen entry.
    """

    of: str
    request: str
    response: str
    says: str
    expected: dict[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Frames:
    """All reads of one profile at one moment, and the values they hold.

    `exchanges` are the reads of every point there is, in the plan's order. `expected` is in
    canonical units; `absent` names the quantities the terminal did not have. `zone` is the
    terminal's local time.
    """

    profile: str
    source: str
    is_captured: bool
    exchanges: tuple[Exchange, ...]
    expected: dict[str, Decimal]
    absent: tuple[str, ...] = ()
    pt: Decimal = Decimal(1)
    ct: Decimal = Decimal(1)
    also: tuple[Also, ...] = ()
    zone: str = "Asia/Shanghai"


def read_frames(name: str, folder: Path | Traversable | None = None) -> Frames:
    """Read the exchanges beside a profile.

    Args:
        name: the profile's name.
        folder: where it stands; None is the packaged profiles.

    Raises:
        ProfileRefused: there are none.
        DataFileRefused: the file is not understood.
    """
    path = (folder or files("metering.profiles")).joinpath(f"{name}.frames.toml")
    if not path.is_file():
        raise ProfileRefused(profile=name, why="no frames stand beside it")
    return build(Frames, load_toml(path), where=path.name)


def check_frames(profile: Profile, frames: Frames) -> None:
    """Hold a profile against its recorded exchanges.

    Raises:
        ProfileRefused: a request is not one we would send, or a value comes out otherwise.
    """
    plan = compile_plan(profile, groups=EVERY_GROUP)
    if len(frames.exchanges) != len(plan.blocks):
        raise ProfileRefused(profile=profile.name, why="frames are not one per block")
    replies = [
        _data(profile, block, exchange.request, exchange.response)
        for block, exchange in zip(plan.blocks, frames.exchanges, strict=True)
    ]
    values = decode(plan, replies, pt=frames.pt, ct=frames.ct)
    got = dict(zip(plan.columns, values, strict=True))
    _compare(profile, got, frames.expected, frames.absent)
    for also in frames.also:
        _check_also(profile, frames, also)


def _compare(
    profile: Profile,
    got: Mapping[str, Value],
    expected: Mapping[str, Decimal],
    absent: tuple[str, ...] = (),
) -> None:
    for column, value in got.items():
        wanted = expected.get(column)
        if wanted is None and column not in absent:
            raise ProfileRefused(profile=profile.name, point=column, why="frames do not say")
        if value != (None if wanted is None else float(wanted)):
            raise ProfileRefused(
                profile=profile.name, point=column, got=value, expected=wanted, why="frames"
            )


def _check_also(profile: Profile, frames: Frames, also: Also) -> None:
    what, _, name = also.of.partition(" ")
    said: str | None = None
    if what == "clock" and profile.clock is not None:
        data = _data(profile, clock_block(profile), also.request, also.response)
        shown = clock_shown(profile.clock, data, ZoneInfo(frames.zone))
        said = None if shown is None else shown.isoformat()
    elif what == "identity":
        for one, block in identity_blocks(profile):
            if one.what == name:
                data = _data(profile, block, also.request, also.response)
                said = identified(one, data).said
    elif what == "control" and (control := profile.control(name)) is not None:
        data = _data(profile, read_back(control), also.request, also.response)
        said = command_shown(control, data)
    elif what == "freeze":
        for freeze in profile.freezes:
            if freeze.every == name:
                said = _check_freeze(profile, freeze, frames, also)
    if said != also.says:
        raise ProfileRefused(
            profile=profile.name, of=also.of, got=said, expected=also.says, why="frames"
        )


def _check_freeze(profile: Profile, freeze: Freeze, frames: Frames, also: Also) -> str | None:
    reader = freeze_reader(profile, freeze.every)
    if reader is None:
        return None
    ((block, numbers),) = reader.blocks_of(1, 1)
    data = _data(profile, block, also.request, also.response)
    zone = ZoneInfo(frames.zone)
    for entry in reader.entries(numbers, data, zone=zone, pt=frames.pt, ct=frames.ct):
        _compare(profile, entry.values, also.expected)
        return entry.at.isoformat()
    return None


def _data(profile: Profile, block: Block | None, asked: str, answered: str) -> bytes:
    """The data bytes of one response, after both frames have been checked."""
    request, response = _frame(profile, asked), _frame(profile, answered)
    if block is None:
        raise ProfileRefused(profile=profile.name, why="frames of what it has not")
    wanted = READ_REQUEST.pack(request.transaction, READ_LENGTH, request.unit, block.question)
    if bytes.fromhex(asked) != wanted:
        raise ProfileRefused(
            profile=profile.name, block=block, why="frames ask otherwise than we do"
        )
    head = bytes((block.function, block.payload_bytes))
    if request[:2] != response[:2] or not response.pdu.startswith(head):
        raise ProfileRefused(profile=profile.name, block=block, why="not its response")
    return response.pdu[2:]


def _frame(profile: Profile, text: str) -> Frame:
    try:
        found = list(Unframer().feed(bytes.fromhex(text)))
    except (ValueError, NotModbus) as error:
        raise ProfileRefused(profile=profile.name, why="a frame is broken") from error
    if len(found) != 1:
        raise ProfileRefused(profile=profile.name, why="a frame is cut short")
    return found[0]
