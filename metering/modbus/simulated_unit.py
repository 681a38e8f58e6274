"""A simulated meter: where it stands, what it measures now, and the registers that hold it."""

import math
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal
from typing import get_args

from foundation.errors import BadData
from metering.modbus.curves import Kind, MeterCurve, State, neutral_current, state
from metering.modbus.encode import DoesNotFit, encode
from metering.modbus.plan import Plan
from metering.modbus.profile import BIT_FUNCTIONS, Span
from metering.modbus.simulated_faults import Ailment, Fault, FaultKind, strike

ILLEGAL_FUNCTION = 1
ILLEGAL_ADDRESS = 2
ILLEGAL_VALUE = 3
DEVICE_FAILURE = 4
LAST_UNIT = 255


class FleetRefused(BadData):
    """The simulator cannot stand these units up."""

    code = "fleet_refused"


class Exceptional(Exception):
    """The terminal answers with a Modbus exception."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class SimulatedUnit:
    """Where one meter stands and what it measures.

    `key` is the meter number, `area_no` the transformer area. `peak_w` [W] and `nominal_v`
    [V, phase to neutral] are primary values; the registers hold them divided by `pt` and `ct`
    as the profile says.
    """

    key: str
    area_no: str
    host: str
    port: int
    unit_id: int
    profile: str
    kind: Kind
    seed: int
    peak_w: float
    nominal_v: float = 220.0
    pt: Decimal = Decimal(1)
    ct: Decimal = Decimal(1)

    @property
    def address(self) -> tuple[str, int]:
        """Where it is reached."""
        return self.host, self.port

    @property
    def misfit(self) -> str | None:
        """Why it cannot stand as it is described, or None."""
        if not 0 <= self.unit_id <= LAST_UNIT:
            return f"the unit id is not within 0 and {LAST_UNIT}"
        if self.kind not in get_args(Kind):
            return f"no kind {self.kind}"
        if self.peak_w <= 0 or self.nominal_v <= 0 or self.pt <= 0 or self.ct <= 0:
            return "power, voltage or a ratio is not above zero"
        return None


class Terminal:
    """A standing unit: answers reads at a time, under the faults that hold then."""

    def __init__(self, unit: SimulatedUnit, plan: Plan, ailment: Ailment, zone: tzinfo) -> None:
        self.unit = unit
        self.ailment = ailment
        self.curve = MeterCurve(
            unit.kind,
            seed=unit.seed,
            peak_w=unit.peak_w,
            zone=zone,
            nominal_v=unit.nominal_v,
            phases=plan.profile.phases,
        )
        self._plan = plan
        self._image: list[tuple[Span, bytes]] = []
        self._image_at = -1.0

    @property
    def has_cover_contact(self) -> bool:
        """Whether the profile tells of the meter's cover."""
        return "cover_open" in self._plan.columns

    def changed(self) -> None:
        """Forget the registers laid out for this second: a fault came or went."""
        self._image_at = -1.0

    def state(self, t: float) -> State:
        """Everything the meter shows at a time [s since 1970-01-01 UTC]."""
        curve, faults = self.curve, self.ailment.active(t)
        real, seen = strike(curve.loads(t), curve.phases, faults, curve.nominal_v)
        wh, varh = curve.energy(t)
        if not self.ailment.is_trivial:
            lost_wh, lost_varh = self.ailment.losses(curve, t)
            wh = [whole - lost for whole, lost in zip(wh, lost_wh, strict=False)]
            varh = [whole - lost for whole, lost in zip(varh, lost_varh, strict=False)]
        shown = state(seen, (wh, varh), neutral_a=neutral_current(real))
        if not any(phase.u for phase in seen):
            shown["f"] = 0.0
        shown["cover_open"] = float(any(fault.kind is FaultKind.COVER_OPEN for fault in faults))
        return shown

    def wire_faults(self, t: float) -> dict[FaultKind, Fault]:
        """What is wrong with its answers, by kind."""
        return {fault.kind: fault for fault in self.ailment.active(t)}

    def read(self, function: int, address: int, count: int, t: float) -> bytes:
        """Answer a read: the data bytes of the reply.

        Args:
            function: Modbus function code, 1 to 4.
            address: first register or bit.
            count: how many.
            t: seconds since 1970-01-01 UTC; registers change once a second [s].

        Raises:
            Exceptional: the profile has no such function (1) or address (2), the count is
                none it allows (3), or a value does not fit its register (4).
        """
        profile = self._plan.profile
        if not any(span.function == function for span in profile.readable):
            raise Exceptional(ILLEGAL_FUNCTION)
        limit = profile.max_bits if function in BIT_FUNCTIONS else profile.max_registers
        if not 1 <= count <= limit:
            raise Exceptional(ILLEGAL_VALUE)
        for span, data in self._registers(math.floor(t)):
            if span.holds(function, address, address + count - 1):
                return _cut(span, data, address, count)
        raise Exceptional(ILLEGAL_ADDRESS)

    def _registers(self, t: int) -> list[tuple[Span, bytes]]:
        """Every readable span as its registers stand in this second."""
        if self._image_at == t:
            return self._image
        unit, plan = self.unit, self._plan
        try:
            blocks = encode(plan, self.state(t), pt=unit.pt, ct=unit.ct)
        except DoesNotFit as error:
            raise Exceptional(DEVICE_FAILURE) from error
        self._image = []
        for span in plan.profile.readable:
            held = [
                (block.address - span.first, data)
                for block, data in zip(plan.blocks, blocks, strict=True)
                if span.holds(block.function, block.address, block.address + block.count - 1)
            ]
            self._image.append((span, _lay(span, held)))
        self._image_at = t
        return self._image


def _lay(span: Span, held: list[tuple[int, bytes]]) -> bytes:
    """One span's bytes; for bits, one big little-endian number."""
    count = span.last - span.first + 1
    if span.function in BIT_FUNCTIONS:
        bits = 0
        for offset, data in held:
            bits |= int.from_bytes(data, "little") << offset
        return bits.to_bytes((count + 7) // 8, "little")
    image = bytearray(2 * count)
    for offset, data in held:
        image[2 * offset : 2 * offset + len(data)] = data
    return bytes(image)


def _cut(span: Span, data: bytes, address: int, count: int) -> bytes:
    offset = address - span.first
    if span.function in BIT_FUNCTIONS:
        bits = int.from_bytes(data, "little") >> offset
        return (bits & ((1 << count) - 1)).to_bytes((count + 7) // 8, "little")
    return data[2 * offset : 2 * (offset + count)]
