"""Doubts and contacts as entries of a meter's event list, with the figures that show why."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from metering.modbus.quantities import QUANTITIES
from metering.polling.meters import BITS
from metering.readings.rules.validation import Before, Sample
from metering.readings.types import EventKind, NewEvent

_REGISTERS = (EventKind.RESET, EventKind.STEP, EventKind.STOPPED, EventKind.ENERGY)
_SHOWN = {
    EventKind.PHASE_SUM: ("p", "p_a", "p_b", "p_c"),
    EventKind.PHASE_ORDER: ("p_a", "p_b", "p_c", "q_a", "q_b", "q_c"),
    EventKind.CT_RATIO: ("p", "q", "u_a", "u_b", "u_c", "i_a", "i_b", "i_c"),
    EventKind.STOPPED: ("p", "wh_import"),
    EventKind.ENERGY: ("p", "wh_import"),
    EventKind.RESET: ("wh_import", "wh_export", "varh_import"),
    EventKind.STEP: ("wh_import", "wh_export", "varh_import"),
}


def tell(
    meter_id: int,
    at: datetime,
    *,
    begins: int,
    ends: int,
    happens: int,
    sample: Sample,
    before: Before | None,
) -> Iterator[NewEvent]:
    """Give the events of one reading.

    Args:
        meter_id: whose.
        at: when it was read.
        begins: bits of what lasts from now on.
        ends: bits of what does no more.
        happens: bits of what happens at once.
        sample: the reading, in steps of resolution.
        before: what was remembered of the meter.
    """
    for name, bit in BITS.items():
        kind = EventKind(name)
        if begins & bit:
            yield NewEvent(meter_id, kind, at, "begins", _facts(kind, sample, before, at))
        if happens & bit:
            yield NewEvent(meter_id, kind, at, "happens", _facts(kind, sample, before, at))
        if ends & bit:
            yield NewEvent(meter_id, kind, at, "ends")


def _facts(kind: EventKind, sample: Sample, before: Before | None, at: datetime) -> dict[str, Any]:
    names = _SHOWN.get(kind, tuple(sample) if kind is EventKind.RANGE else ())
    facts: dict[str, Any] = {
        name: _in_units(name, value) for name in names if (value := sample.get(name)) is not None
    }
    if before is not None and kind in _REGISTERS:
        facts["wh_before"], facts["p_before"] = before.registers[0], before.p
        since = before.still_s if kind is EventKind.STOPPED else before.at_s
        facts["seconds"] = int(at.timestamp()) - since
    return facts


def _in_units(name: str, steps: int) -> float:
    per_unit = QUANTITIES[name].steps_per_unit
    return steps if per_unit == 1 else steps / per_unit
