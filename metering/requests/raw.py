"""What a terminal answered, point by point: address, the bytes as they came, what they mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from foundation.errors import BadData
from metering.modbus.decode import Value, decode
from metering.modbus.plan import Plan, compile_plan
from metering.modbus.profile import BIT_FUNCTIONS, Point, office_profiles
from metering.modbus.quantities import QUANTITIES
from metering.requests.types import RawBlock


@dataclass(frozen=True, slots=True)
class RawPoint:
    """One point of a profile in a reply.

    Attributes:
        address: of its first register, or its bit.
        data: its bytes as they came, in hexadecimal; a bit is 0 or 1; empty if none came.
        value: what they mean in `unit`, ratios included; None is "not available".
    """

    quantity: str
    function: int
    address: int
    type: str
    order: str
    data: str
    value: Value
    unit: str


def raw_points(
    data_dir: Path, profile: str, blocks: Sequence[RawBlock], *, pt: int, ct: int
) -> list[RawPoint]:
    """Take a kept reply apart by a profile as it is now; empty if there is no such profile.

    Args:
        data_dir: the office's data folder.
        profile: its name.
        blocks: as they came.
        pt: voltage transformer ratio [1].
        ct: current transformer ratio [1].
    """
    known = office_profiles(data_dir).get(profile)
    if known is None:
        return []
    plan = compile_plan(known)
    values = _values(plan, blocks, pt=pt, ct=ct)
    points = sorted(
        (point for layout in plan.layouts for point in layout.points),
        key=lambda point: (point.function, point.address),
    )
    return [
        RawPoint(
            quantity=point.quantity,
            function=point.function,
            address=point.address,
            type=point.type,
            order=point.order if point.size > 1 else "",
            data=_data(point, blocks),
            value=values.get(point.quantity),
            unit=QUANTITIES[point.quantity].unit,
        )
        for point in points
    ]


def _values(plan: Plan, blocks: Sequence[RawBlock], *, pt: int, ct: int) -> dict[str, Value]:
    """Decode the blocks the plan would ask for; one it would ask for otherwise means nothing."""
    came = {(one.function, one.address): bytes.fromhex(one.data) for one in blocks}
    replies = [
        reply if len(reply or b"") == block.payload_bytes else None
        for block in plan.blocks
        for reply in (came.get((block.function, block.address)),)
    ]
    try:
        values = decode(plan, replies, pt=pt, ct=ct)
    except BadData:
        return {}
    return dict(zip(plan.columns, values, strict=True))


def _data(point: Point, blocks: Sequence[RawBlock]) -> str:
    """Give a point's own bytes out of the block they came in."""
    for one in blocks:
        data = bytes.fromhex(one.data)
        at = point.address - one.address
        if one.function != point.function or at < 0:
            continue
        if point.function in BIT_FUNCTIONS:
            if at < 8 * len(data):
                return str(data[at // 8] >> at % 8 & 1)
        elif 2 * (at + point.size) <= len(data):
            return data[2 * at : 2 * (at + point.size)].hex(" ", 2)
    return ""
