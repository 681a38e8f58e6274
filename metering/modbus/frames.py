"""Recorded exchanges beside a profile: what was asked, what came back, what it means."""

from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from foundation.datafiles import build, load_toml
from metering.modbus.decode import decode
from metering.modbus.errors import ProfileRefused
from metering.modbus.mbap import READ_REQUEST, Frame, NotModbus, Unframer
from metering.modbus.plan import Plan, compile_plan
from metering.modbus.profile import Profile


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its response, whole frames in hexadecimal."""

    request: str
    response: str


@dataclass(frozen=True, slots=True)
class Frames:
    """All reads of one profile at one moment, and the values they hold.

    `expected` is in canonical units; `absent` names the quantities the terminal did not have.
    """

    profile: str
    source: str
    is_captured: bool
    exchanges: tuple[Exchange, ...]
    expected: dict[str, Decimal]
    absent: tuple[str, ...] = ()
    pt: Decimal = Decimal(1)
    ct: Decimal = Decimal(1)


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
    plan = compile_plan(profile)
    if len(frames.exchanges) != len(plan.blocks):
        raise ProfileRefused(profile=profile.name, why="frames are not one per block")
    replies = [_data(plan, number, exchange) for number, exchange in enumerate(frames.exchanges)]
    values = decode(plan, replies, pt=frames.pt, ct=frames.ct)
    for column, value in zip(plan.columns, values, strict=True):
        expected = frames.expected.get(column)
        if expected is None and column not in frames.absent:
            raise ProfileRefused(profile=profile.name, point=column, why="frames do not say")
        if value != (None if expected is None else float(expected)):
            raise ProfileRefused(
                profile=profile.name, point=column, got=value, expected=expected, why="frames"
            )


def _data(plan: Plan, number: int, exchange: Exchange) -> bytes:
    """The data bytes of one response, after both frames have been checked."""
    block = plan.blocks[number]
    request, response = _frame(plan, exchange.request), _frame(plan, exchange.response)
    wanted = READ_REQUEST.pack(
        request.transaction, 0, 6, request.unit, block.function, block.address, block.count
    )
    if bytes.fromhex(exchange.request) != wanted:
        raise ProfileRefused(profile=plan.profile.name, exchange=number, why="not our request")
    head = bytes((block.function, block.payload_bytes))
    if request[:2] != response[:2] or not response.pdu.startswith(head):
        raise ProfileRefused(profile=plan.profile.name, exchange=number, why="not its response")
    return response.pdu[2:]


def _frame(plan: Plan, text: str) -> Frame:
    try:
        found = list(Unframer().feed(bytes.fromhex(text)))
    except (ValueError, NotModbus) as error:
        raise ProfileRefused(profile=plan.profile.name, why="a frame is broken") from error
    if len(found) != 1:
        raise ProfileRefused(profile=plan.profile.name, why="a frame is cut short")
    return found[0]
