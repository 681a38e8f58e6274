"""CPU time of judging: a batch as arrays and one statement, beside rules and ORM row by row.

Both find the same things in the same readings, write them into the same table and are rolled
back; if they ever disagree the benchmark ends. Prints what each round took, in CPU seconds of
this process and of its database backend.
"""

import gc
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
from sqlalchemy import Engine, insert, select, text
from sqlalchemy.orm import Session
from town import make_area

from foundation import clock
from foundation.actor import Actor
from foundation.db import connect, unit_of_work
from foundation.settings import settings
from loadmgmt.alerts.models import Alert, AlertHistory
from loadmgmt.alerts.raising import raise_or_extend
from loadmgmt.alerts.rules.current import lost_phases
from loadmgmt.alerts.rules.judging import judge
from loadmgmt.alerts.rules.voltage import phase_alert
from loadmgmt.alerts.thresholds import load_thresholds
from loadmgmt.alerts.types import AlertKind, AlertState
from metering.api.network import point_places
from metering.api.types import UNKNOWN, BatchArrays, PointPlace, Supply
from metering.network.models import Point
from webapp import database

METERS, THREE_PHASE_EVERY, WRONG_EVERY = 5000, 5, 50
SUPPLIES = tuple(Supply)
SLOT = datetime(2026, 6, 18, 11, tzinfo=UTC)
ACTOR = Actor.system("bench")
THRESHOLDS = load_thresholds()
WRONG = (
    # what a meter in fifty shows, in turn: tenths of a volt, milliamperes
    ((1900, 2200, 2210), (1000, 1000, 1000)),
    ((2400, 2200, 2210), (1000, 1000, 1000)),
    ((0, 0, 0), (0, 0, 0)),
    ((1500, 2200, 2210), (1000, 1000, 1000)),
    ((2200, 2210, 2190), (0, 4000, 4000)),
)

Found = set[tuple[int | None, AlertKind, str]]


@dataclass(frozen=True, slots=True)
class Reading:
    """One meter of the batch, as plain code holds it; values of phases that exist."""

    point_id: int
    supply: Supply
    rated_amps: Decimal
    volts: tuple[Decimal | None, ...]
    amps: tuple[Decimal | None, ...]


def make_batch(session: Session) -> BatchArrays:
    """Make the points, and readings of one slot: one meter in fifty shows something wrong."""
    area_id = make_area(session)
    numbers = np.arange(METERS)
    single = numbers % THREE_PHASE_EVERY > 0
    points = [
        {
            "point_no": f"P-9902-{number:04d}",
            "area_id": area_id,
            "box_no": "B-9902-01",
            "supply": Supply.SINGLE_220 if single[number] else Supply.THREE_380,
        }
        for number in range(METERS)
    ]
    made = session.scalars(insert(Point).returning(Point.id, sort_by_parameter_order=True), points)
    ids = np.array(made.all(), dtype=np.int64)
    random = np.random.default_rng(7)
    volts = random.integers(2120, 2330, (METERS, 3), dtype=np.int32)
    amps = random.integers(500, 6000, (METERS, 3), dtype=np.int32)
    for turn, row in enumerate(random.choice(METERS, METERS // WRONG_EVERY, replace=False)):
        volts[row], amps[row] = WRONG[turn % len(WRONG)]
    volts[single, 1:] = amps[single, 1:] = UNKNOWN
    one, three = SUPPLIES.index(Supply.SINGLE_220), SUPPLIES.index(Supply.THREE_380)
    return BatchArrays(
        batch_id=1,
        slot=SLOT,
        meter_id=ids,
        point_id=ids,
        area_id=np.full(METERS, area_id),
        supply=np.where(single, one, three).astype(np.int8),
        quality=np.zeros(METERS, dtype=np.int16),
        rated_ma=np.full(METERS, 5000),
        volts=volts,
        amps=amps,
        watts=np.zeros((METERS, 3), dtype=np.int64),
        inputs=np.zeros(METERS, dtype=np.int16),
    )


def as_readings(batch: BatchArrays) -> list[Reading]:
    """Give the same batch as objects with decimals."""

    def decimals(values: np.ndarray, supply: Supply, step: str) -> tuple[Decimal | None, ...]:
        return tuple(
            None if value == UNKNOWN or name not in supply.phases else int(value) * Decimal(step)
            for name, value in zip("abc", values, strict=True)
        )

    return [
        Reading(
            int(batch.point_id[row]),
            supply,
            Decimal(int(batch.rated_ma[row])) / 1000,
            decimals(batch.volts[row], supply, "0.1"),
            decimals(batch.amps[row], supply, "0.001"),
        )
        for row, supply in enumerate(SUPPLIES[index] for index in batch.supply)
    ]


def ours(session: Session, batch: BatchArrays) -> Found:
    """Judge as the scanner does."""
    findings = judge(batch, THRESHOLDS).findings
    raise_or_extend(session, ACTOR, findings, THRESHOLDS)
    return {(one.point_id, one.kind, one.phases) for one in findings}


def naive(session: Session, readings: Sequence[Reading]) -> Found:
    """Judge as one would write it first: a rule a phase, a query and an object a finding."""
    found = [(one, kind, phases) for one in readings for kind, phases in _wrong(one).items()]
    places = point_places(session, {one.point_id for one, _, _ in found})
    fresh = [
        _raise_one(session, one, kind, phases, places[one.point_id]) for one, kind, phases in found
    ]
    session.flush()
    session.add_all(
        AlertHistory(
            alert_id=alert.id,
            at=alert.raised_at,
            what="raised",
            to_state=AlertState.OPEN,
            actor_name=ACTOR.name,
        )
        for alert in fresh
        if alert is not None
    )
    session.flush()
    return {(one.point_id, kind, phases) for one, kind, phases in found}


def _wrong(one: Reading) -> dict[AlertKind, str]:
    found: dict[AlertKind, str] = {}
    nominal, known = one.supply.nominal_volts, ""
    for name, volts, amps in zip("abc", one.volts, one.amps, strict=True):
        if volts is None:
            continue
        known += name
        kind = phase_alert(
            volts,
            amps,
            nominal_volts=nominal,
            rated_amps=one.rated_amps,
            band=THRESHOLDS.band[one.supply.value],
            loss=THRESHOLDS.loss,
        )
        if kind is not None:
            found[kind] = found.get(kind, "") + name
    if known and found.get(AlertKind.PHASE_BREAK) == known:
        found[AlertKind.POWER_LOSS] = found.pop(AlertKind.PHASE_BREAK)
    lost = lost_phases(
        one.volts,
        one.amps,
        nominal_volts=nominal,
        rated_amps=one.rated_amps,
        loss=THRESHOLDS.loss,
    )
    return found | ({AlertKind.CURRENT_LOSS: lost} if lost else {})


def _raise_one(
    session: Session, one: Reading, kind: AlertKind, phases: str, place: PointPlace
) -> Alert | None:
    subject = f"point:{one.point_id}"
    standing = session.scalar(
        select(Alert).where(Alert.subject == subject, Alert.kind == kind, Alert.ended_at.is_(None))
    )
    if standing is not None:
        standing.last_seen_at, standing.good_intervals = SLOT, 0
        return None
    alert = Alert(
        kind=kind,
        severity=THRESHOLDS.of(kind).severity,
        subject=subject,
        point_id=one.point_id,
        area_id=place.area_id,
        feeder_id=place.feeder_id,
        unit_id=place.unit_id,
        phases=phases,
        measured=min(volts for volts in one.volts if volts is not None),
        evidence={
            "volts": [None if volts is None else str(volts) for volts in one.volts],
            "amps": [None if amps is None else str(amps) for amps in one.amps],
        },
        started_at=SLOT,
        raised_at=clock.now(),
        last_seen_at=SLOT,
    )
    session.add(alert)
    return alert


def measured(engine: Engine, judging: Callable[[Session], Found]) -> tuple[Found, dict[str, float]]:
    """Judge once and take it back; give what was found and what it cost."""
    with Session(engine) as session:
        backend = session.scalar(text("SELECT pg_backend_pid()"))
        gc.collect()
        cpu, served = time.process_time(), _cpu_of(backend)
        found = judging(session)
        cost = {"client_s": time.process_time() - cpu, "backend_s": _cpu_of(backend) - served}
        session.rollback()
    return found, cost


def _cpu_of(process: int) -> float:
    """Give the CPU time of a process so far [s]."""
    spent = Path(f"/proc/{process}/schedstat").read_text(encoding="ascii").split()[0]
    return int(spent) / 1e9


def rounds(engine: Engine, count: int) -> Iterator[Mapping[str, object]]:
    """Measure ours and the naive way in turn; the first round warms both up."""
    with unit_of_work(engine) as session:
        batch = make_batch(session)
    readings = as_readings(batch)
    for number in range(count + 1):
        found, our_cost = measured(engine, lambda session: ours(session, batch))
        expected, naive_cost = measured(engine, lambda session: naive(session, readings))
        if found != expected or not found:
            raise SystemExit(f"the two ways disagree about {len(found ^ expected)} findings")
        if number:
            yield {"findings": len(found), "ours": our_cost, "naive": naive_cost}


def main() -> None:
    """Print the rounds, as many as the first argument says."""
    engine = connect(database.addresses(settings()).office, pool=1, application="gridhall-bench")
    costs = list(rounds(engine, int(sys.argv[1])))
    engine.dispose()
    print(json.dumps({"meters": METERS, "rounds": costs}))


if __name__ == "__main__":
    main()
