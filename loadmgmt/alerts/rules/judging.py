"""A batch of meters judged at once, on scaled integers; equal to the scalar rules.

The scalar rules in `voltage` and `current` are the specification; a property test holds
the two together.
"""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from loadmgmt.alerts.types import AlertKind, Finding, Thresholds
from metering.api.types import COVER_OPEN, UNKNOWN, BatchArrays, Quality, Supply

_PPM = 1_000_000
_SUPPLIES = tuple(Supply)
_PHASES = "abc"
_NOT_JUDGED = int(Quality.OUT_OF_RANGE | Quality.ESTIMATED)

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Judged:
    """What a batch shows.

    Attributes:
        findings: one per meter and kind.
        seen: points whose values could be judged, so that standing alerts may end; by kind.
    """

    findings: tuple[Finding, ...]
    seen: dict[AlertKind, frozenset[int]]


def judge(batch: BatchArrays, thresholds: Thresholds) -> Judged:
    """Name everything wrong in a batch.

    Args:
        batch: n meters of one slot.
        thresholds: the office's.
    """
    usable = (batch.quality & _NOT_JUDGED) == 0
    exists = np.array([[p in s.phases for p in _PHASES] for s in _SUPPLIES])[batch.supply]
    known = (batch.volts != UNKNOWN) & exists & usable[:, None]
    masks = _voltage_masks(batch, thresholds, known)
    masks[AlertKind.CURRENT_LOSS] = _current_loss(batch, thresholds, known, exists)
    findings = [
        _finding(batch, thresholds, kind, mask, int(row))
        for kind, mask in masks.items()
        for row in np.flatnonzero(mask.any(axis=1))
    ]
    open_covers = usable & (batch.inputs >= 0) & ((batch.inputs & COVER_OPEN) != 0)
    findings += [_cover(batch, int(row)) for row in np.flatnonzero(open_covers)]
    return Judged(tuple(findings), _seen(batch, masks, known, usable))


def _voltage_masks(
    batch: BatchArrays, thresholds: Thresholds, known: Mask
) -> dict[AlertKind, Mask]:
    """Give, for each kind of voltage alert, which phases of which meters deserve it."""
    nominal = _nominal_tenths()[batch.supply][:, None]
    volts = batch.volts.astype(np.int64) * _PPM
    low = nominal * _edges(thresholds, "low")[batch.supply][:, None]
    high = nominal * _edges(thresholds, "high")[batch.supply][:, None]
    loss = thresholds.loss
    carries = (batch.amps != UNKNOWN) & (
        np.abs(batch.amps.astype(np.int64)) * _PPM
        > batch.rated_ma[:, None] * _ppm(loss.current_none)
    )
    broken = known & (volts < nominal * _ppm(loss.phase_break_below)) & ~carries
    lost = known & (volts < nominal * _ppm(loss.voltage_loss_below)) & carries
    everywhere = (broken | ~known).all(axis=1) & known.any(axis=1)
    rest = known & ~broken & ~lost
    return {
        AlertKind.POWER_LOSS: broken & everywhere[:, None],
        AlertKind.PHASE_BREAK: broken & ~everywhere[:, None],
        AlertKind.VOLTAGE_LOSS: lost,
        AlertKind.OVER_VOLTAGE: rest & (volts > high),
        AlertKind.UNDER_VOLTAGE: rest & (volts < low),
    }


def _current_loss(batch: BatchArrays, thresholds: Thresholds, known: Mask, exists: Mask) -> Mask:
    """Give the phases without current; a neighbour's load counts, its voltage known or not."""
    loss = thresholds.loss
    nominal = _nominal_tenths()[batch.supply][:, None]
    amps_known = known & (batch.amps != UNKNOWN)
    amps = np.abs(batch.amps.astype(np.int64)) * _PPM
    rated = batch.rated_ma[:, None]
    carries = exists & (batch.amps != UNKNOWN)
    loaded = carries & (amps > rated * _ppm(loss.current_loss_neighbour))
    others = loaded.sum(axis=1, keepdims=True) - loaded > 0
    there = batch.volts.astype(np.int64) * _PPM > nominal * _ppm(loss.current_loss_volts_above)
    lost: Mask = amps_known & there & (amps < rated * _ppm(loss.current_none)) & others
    return lost


def _finding(
    batch: BatchArrays, thresholds: Thresholds, kind: AlertKind, mask: Mask, row: int
) -> Finding:
    phases = "".join(name for name, hit in zip(_PHASES, mask[row], strict=True) if hit)
    volts = [_decimal(value, "0.1") for value in batch.volts[row]]
    amps = [_decimal(value, "0.001") for value in batch.amps[row]]
    hit = [volts[_PHASES.index(name)] or Decimal(0) for name in phases]
    nominal = _SUPPLIES[batch.supply[row]].nominal_volts
    measured: Decimal | None = max(hit) if kind is AlertKind.OVER_VOLTAGE else min(hit)
    limit: Decimal | None = None
    if kind is AlertKind.CURRENT_LOSS:
        measured = min(abs(amps[_PHASES.index(name)] or Decimal(0)) for name in phases)
        limit = thresholds.loss.current_none * Decimal(int(batch.rated_ma[row])) / 1000
    else:
        limit = (1 + _edge_of(thresholds, kind, _SUPPLIES[batch.supply[row]])) * nominal
    return Finding(
        kind=kind,
        at=batch.slot,
        point_id=int(batch.point_id[row]),
        area_id=int(batch.area_id[row]),
        phases=phases,
        measured=measured,
        limit=limit.quantize(Decimal("0.001")),
        facts={
            "volts": [None if v is None else str(v) for v in volts],
            "amps": [None if a is None else str(a) for a in amps],
        },
    )


def _cover(batch: BatchArrays, row: int) -> Finding:
    return Finding(
        kind=AlertKind.COVER_OPEN,
        at=batch.slot,
        point_id=int(batch.point_id[row]),
        area_id=int(batch.area_id[row]),
        facts={"input": 0},
    )


def _seen(
    batch: BatchArrays, masks: dict[AlertKind, Mask], known: Mask, usable: Mask
) -> dict[AlertKind, frozenset[int]]:
    """Give, by kind, the points where the kind's absence is proven, not merely unknown."""
    volts_known = frozenset(batch.point_id[known.any(axis=1)].tolist())
    amps_known = frozenset(batch.point_id[(known & (batch.amps != UNKNOWN)).any(axis=1)].tolist())
    inputs_known = frozenset(batch.point_id[usable & (batch.inputs >= 0)].tolist())
    seen = dict.fromkeys(masks, volts_known)
    seen[AlertKind.CURRENT_LOSS] = amps_known
    seen[AlertKind.COVER_OPEN] = inputs_known
    return seen


def _nominal_tenths() -> NDArray[np.int64]:
    return np.array([int(s.nominal_volts * 10) for s in _SUPPLIES], dtype=np.int64)


def _edges(thresholds: Thresholds, side: str) -> NDArray[np.int64]:
    """Give a side of every supply's band, in millionths of nominal."""
    return np.array(
        [_PPM + _ppm(getattr(thresholds.band[s.value], side)) for s in _SUPPLIES], dtype=np.int64
    )


def _edge_of(thresholds: Thresholds, kind: AlertKind, supply: Supply) -> Decimal:
    band, loss = thresholds.band[supply.value], thresholds.loss
    return {
        AlertKind.OVER_VOLTAGE: band.high,
        AlertKind.UNDER_VOLTAGE: band.low,
        AlertKind.VOLTAGE_LOSS: loss.voltage_loss_below - 1,
    }.get(kind, loss.phase_break_below - 1)


def _ppm(fraction: Decimal) -> int:
    return int(fraction * _PPM)


def _decimal(value: np.integer, step: str) -> Decimal | None:
    return None if value == UNKNOWN else Decimal(int(value)) * Decimal(step)
