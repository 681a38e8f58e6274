"""A simulated meter: where it stands, what it measures now, and the registers that hold it."""

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Literal, get_args

from foundation.errors import BadData, Refused
from metering.modbus.controls import control_write, read_back, shown_by
from metering.modbus.curves import FIRST_DAY, Kind, MeterCurve, Phase, State, neutral_current
from metering.modbus.encode import DoesNotFit, encode_block
from metering.modbus.identity import PRODUCT, REVISION, VENDOR
from metering.modbus.meter_clock import read_stamp
from metering.modbus.plan import Plan
from metering.modbus.profile import BIT_FUNCTIONS, Profile, Span
from metering.modbus.profile_parts import Clock, Control
from metering.modbus.simulated_faults import Ailment, Energies, Fault, FaultKind, gross, strike
from metering.modbus.simulated_memory import (
    Memory,
    clock_ahead_s,
    clock_registers,
    identity_registers,
)
from metering.modbus.simulated_shown import demands, ratios, shown

ILLEGAL_FUNCTION = 1
ILLEGAL_ADDRESS = 2
ILLEGAL_VALUE = 3
DEVICE_FAILURE = 4
LAST_UNIT = 255
Framing = Literal["mbap", "rtu"]
"""How an address speaks: Modbus TCP, or RTU frames carried over TCP."""
CLOCK_STEP_S = 2.0
"""A clock set this near to ours is taken to be right [s]."""


class CannotListen(Refused):
    """The port the simulator takes orders on is in use; facts: port."""

    code = "simulator_cannot_listen"


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
    framing: Framing = "mbap"

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
        if self.framing not in get_args(Framing):
            return f"no framing {self.framing}"
        if self.peak_w <= 0 or self.nominal_v <= 0 or self.pt <= 0 or self.ct <= 0:
            return "power, voltage or a ratio is not above zero"
        return None


class Terminal:
    """A standing unit: answers reads and writes at a time, under the faults that hold then.

    Args:
        unit: where it stands and what it measures.
        plan: its profile compiled for every group of quantities.
        ailment: its faults and what they cost.
        zone: its local time.
    """

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
        self._plan, self._zone = plan, zone
        self._first_s = datetime(*FIRST_DAY, tzinfo=zone).timestamp()
        self._memory = Memory(plan.profile, pt=unit.pt, ct=unit.ct, zone=zone)
        self._identity = identity_registers(plan.profile, zlib.crc32(unit.key.encode()))
        self._shows_demand = not {"p_demand", "p_demand_max"}.isdisjoint(plan.columns)
        self._commands: dict[str, str] = {}
        self._image: dict[Span, bytes] = {}
        self._values: State = {}
        self._image_at = -1.0

    @property
    def profile(self) -> Profile:
        """What model it is."""
        return self._plan.profile

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
        values = shown(seen, self.registered(t), neutral_a=neutral_current(real))
        kinds = {fault.kind for fault in faults}
        values["cover_open"] = float(FaultKind.COVER_OPEN in kinds)
        values["relay_closed"] = float(FaultKind.RELAY_OPEN not in kinds)
        values |= ratios(self.unit.pt, self.unit.ct)
        if self._shows_demand:
            values |= demands(self.registered, t, self.unit.peak_w, self._first_s)
        return values

    def registered(self, t: float) -> Energies:
        """What its counters show at a time, by phase [s since 1970-01-01 UTC]."""
        whole = gross(self.curve, t)
        if self.ailment.is_trivial:
            return whole
        return whole.plus(self.ailment.losses(self.curve, t), [-1.0] * len(self.curve.phases))

    def clock_ahead_s(self, t: float) -> float:
        """How far its own clock is ahead [s]."""
        return clock_ahead_s(self.ailment.active(t), t)

    def wire_faults(self, t: float) -> dict[FaultKind, Fault]:
        """What is wrong with its answers, by kind."""
        return {fault.kind: fault for fault in self.ailment.active(t)}

    def identification(self) -> dict[int, bytes]:
        """What function 43/14 tells; empty if the model does not know it."""
        told = self.profile.device_identification
        if told is None:
            return {}
        vendor = told.vendor[0] if told.vendor else self.profile.maker
        product = told.product[0] if told.product else self.profile.name
        texts = {VENDOR: vendor, PRODUCT: product, REVISION: "1.0"}
        return {number: text.encode("ascii", "replace") for number, text in texts.items()}

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
        profile = self.profile
        limit = profile.max_bits if function in BIT_FUNCTIONS else profile.max_registers
        spans = [span for span in profile.readable if span.function == function]
        if spans and not 1 <= count <= limit:
            raise Exceptional(ILLEGAL_VALUE)
        for span in spans:
            if span.holds(function, address, address + count - 1):
                return _cut(span, self._registers(span, math.floor(t)), address, count)
        for span, data in self._kept(t):
            if span.holds(function, address, address + count - 1):
                return _cut(span, data, address, count)
        try:
            found = self._memory.read(
                function, address, count, t, self.clock_ahead_s(t), self._counters_at
            )
        except DoesNotFit as error:
            raise Exceptional(DEVICE_FAILURE) from error
        if found is not None:
            return found
        raise Exceptional(ILLEGAL_ADDRESS if spans else ILLEGAL_FUNCTION)

    def write(self, function: int, address: int, values: tuple[int, ...], t: float) -> None:
        """Take a write: a command of a control point, or a clock.

        Args:
            function: 5, 6, 15 or 16.
            address: first register or coil.
            values: words, or 0 and 1.
            t: seconds since 1970-01-01 UTC [s].

        Raises:
            Exceptional: nothing can be written so (1), there (2), or to that value (3).
        """
        clock = self.profile.clock
        if clock is not None and clock.settable and (function, address) == (16, clock.address):
            self._set_clock(clock, values, t)
            return
        kin = {5: {5, 15}, 15: {5, 15}, 6: {6, 16}, 16: {6, 16}}[function]
        controls = [one for one in self.profile.controls if one.function in kin]
        if not controls:
            raise Exceptional(ILLEGAL_FUNCTION)
        there = [one for one in controls if one.address == address]
        if not there:
            raise Exceptional(ILLEGAL_ADDRESS)
        for control in there:
            for command in control.write:
                if control_write(control, command).values == values:
                    self._obey(control, command, t)
                    return
        raise Exceptional(ILLEGAL_VALUE)

    def _obey(self, control: Control, command: str, t: float) -> None:
        """Keep a command; a relay that opens takes the load off the meter."""
        self._commands[control.name] = command
        if "relay_closed" in self._plan.columns and control.name == "relay":
            now = float(math.floor(t))
            if command == "open":
                fault = Fault(FaultKind.RELAY_OPEN, 0, self.unit.key, now)
                self.ailment.add(fault, self.curve)
            else:
                self.ailment.heal(self.curve, now, FaultKind.RELAY_OPEN)
        self.changed()

    def _set_clock(self, clock: Clock, values: tuple[int, ...], t: float) -> None:
        data = b"".join(value.to_bytes(2, "big") for value in values)
        at = read_stamp(clock.form, data, UTC if clock.zone == "utc" else self._zone)
        if at is None:
            raise Exceptional(ILLEGAL_VALUE)
        drifts = [one for one in self.ailment.active(t) if one.kind is FaultKind.CLOCK_DRIFT]
        ppm, ahead_s = sum(one.ppm for one in drifts), at.timestamp() - math.floor(t)
        self.ailment.heal(self.curve, t, FaultKind.CLOCK_DRIFT)
        if ppm or abs(ahead_s) > CLOCK_STEP_S:
            drift = Fault(FaultKind.CLOCK_DRIFT, 0, self.unit.key, t, seconds=ahead_s, ppm=ppm)
            self.ailment.add(drift, self.curve)

    def _counters_at(self, t: float) -> State:
        """The counters at a time [s]; empty before the first day."""
        if t < self._first_s:
            return {}
        energies = self.registered(t)
        dead = [Phase(0.0, 0.0, 0.0)] * len(self.curve.phases)
        return shown(dead, energies, neutral_a=0.0)

    def _kept(self, t: float) -> Iterator[tuple[Span, bytes]]:
        """Registers outside the points: clock, identity, read-backs of commands."""
        clock = clock_registers(self.profile, t + self.clock_ahead_s(t), self._zone)
        if clock is not None:
            yield clock
        yield from self._identity
        for control in self.profile.controls:
            command = self._commands.get(control.name, next(iter(control.expect)))
            block = read_back(control)
            span = Span(block.function, block.address, block.last)
            yield span, shown_by(control, command)

    def _registers(self, span: Span, t: int) -> bytes:
        """One readable span as its registers stand in this second."""
        if self._image_at != t:
            self._image, self._values = {}, self.state(t)
            self._image_at = t
        found = self._image.get(span)
        if found is None:
            found = self._image[span] = self._laid(span)
        return found

    def _laid(self, span: Span) -> bytes:
        unit, plan = self.unit, self._plan
        held = []
        try:
            for layout in plan.layouts:
                block = layout.block
                if span.holds(block.function, block.address, block.last):
                    data = encode_block(plan, layout, self._values, pt=unit.pt, ct=unit.ct)
                    held.append((block.address - span.first, data))
        except DoesNotFit as error:
            raise Exceptional(DEVICE_FAILURE) from error
        if span.function not in BIT_FUNCTIONS:
            kept = self._kept(self._image_at)
            held += [
                (one.first - span.first, data)
                for one, data in kept
                if span.holds(one.function, one.first, one.last)
            ]
        return _lay(span, held)


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
