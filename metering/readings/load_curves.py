"""The load of a subject: sums over the points read in each slot, and how many those are.

A slot is known when enough of its expected points were read; else its load is unknown,
never zero. What was read is summed as it is: a sum of nine tenths of the points is not
blown up to ten tenths.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from importlib import resources

from sqlalchemy import text
from sqlalchemy.orm import Session

from foundation import clock
from foundation.datafiles import build, load_toml
from metering.readings.types import LoadCurve, LoadPoint, LoadRules, Quality, Subject, SubjectKind

STEPS = (timedelta(minutes=15), timedelta(minutes=30), timedelta(hours=1))
Span = tuple[datetime, datetime]

_KEYS = {
    SubjectKind.SYSTEM: "0",
    SubjectKind.FEEDER: "a.feeder_id",
    SubjectKind.AREA: "p.area_id",
    SubjectKind.POINT: "p.id",
}
_PLACES = (
    " JOIN metering.point p ON p.id = m.point_id"
    " JOIN metering.transformer_area a ON a.id = p.area_id"
)


@cache
def load_rules() -> LoadRules:
    """Read load_curve.toml.

    Raises:
        DataFileRefused: it says something unknown or leaves something out.
    """
    file = resources.files("metering.readings") / "load_curve.toml"
    return build(LoadRules, load_toml(file), where="load_curve.toml")


def load_curve(
    session: Session, subject: Subject, span: Span, step: timedelta = STEPS[0]
) -> LoadCurve:
    """Give the load of one subject; see `load_curves`."""
    return load_curves(session, [subject], span, step)[subject]


def load_curves(
    session: Session, subjects: Collection[Subject], span: Span, step: timedelta = STEPS[0]
) -> dict[Subject, LoadCurve]:
    """Give the loads of several subjects: two statements for each kind of subject among them.

    Args:
        session: any.
        subjects: the system, feeders, transformer areas, points.
        span: [start, end) in UTC, on whole slots; slots that have not ended are unknown.
        step: length of a slot, one of STEPS.

    Raises:
        ValueError: another step, or a span that is not made of whole slots.
    """
    start, end = span
    if step not in STEPS:
        raise ValueError(f"step must be one of {[str(one) for one in STEPS]}")
    if start.timestamp() % step.total_seconds() or (end - start) % step:
        raise ValueError("the span must be made of whole slots")
    kinds: dict[SubjectKind, list[Subject]] = defaultdict(list)
    for subject in subjects:
        kinds[subject.kind].append(subject)
    curves: dict[Subject, LoadCurve] = {}
    for kind, same in kinds.items():
        curves |= _curves_of_kind(session, kind, same, span, step)
    return curves


def _curves_of_kind(
    session: Session, kind: SubjectKind, subjects: list[Subject], span: Span, step: timedelta
) -> dict[Subject, LoadCurve]:
    facts = {
        "start": span[0],
        "end": min(span[1], clock.now()),
        "step": step,
        "ids": [subject.id or 0 for subject in subjects],
    }
    read = _read(session, kind, facts)
    fleet = _fleet(session, kind, facts)
    return {
        subject: LoadCurve(
            subject,
            step,
            _points(span, step, read[subject.id or 0], fleet[subject.id or 0]),
        )
        for subject in subjects
    }


_Sum = tuple[int, float, bool]


def _read(
    session: Session, kind: SubjectKind, facts: dict[str, object]
) -> dict[int, dict[datetime, _Sum]]:
    """Sum the mean power of each point over each slot; readings out of range are left out."""
    key = _KEYS[kind]
    wanted = "" if kind is SubjectKind.SYSTEM else f" AND {key} = ANY(:ids)"
    rows = session.execute(
        text(
            "SELECT key, slot, count(*), sum(watts), bool_or(estimated) FROM ("
            f" SELECT {key} AS key, date_bin(:step, r.ts, :start) AS slot, m.point_id,"
            f" avg(r.p) AS watts, bool_or(r.quality & {int(Quality.ESTIMATED)} <> 0) AS estimated"
            " FROM metering.reading r JOIN metering.meter m ON m.id = r.meter_id"
            + _PLACES
            + " WHERE"
            f" r.ts >= :start AND r.ts < :end AND r.quality & {int(Quality.OUT_OF_RANGE)} = 0"
            f" AND r.p IS NOT NULL{wanted}"
            " GROUP BY 1, 2, 3) AS points GROUP BY key, slot"
        ),
        facts,
    )
    read: dict[int, dict[datetime, _Sum]] = defaultdict(dict)
    for number, slot, points, watts, estimated in rows:
        read[number][slot.astimezone(UTC)] = (points, watts, estimated)
    return read


_Change = tuple[datetime, int]


def _fleet(
    session: Session, kind: SubjectKind, facts: dict[str, object]
) -> dict[int, list[_Change]]:
    """Give how many points with a terminal there are, as changes in the order of time."""
    key = _KEYS[kind]
    wanted = "" if kind is SubjectKind.SYSTEM else f" AND {key} = ANY(:ids)"
    rows = session.execute(
        text(
            "SELECT key, at, sum(change) FROM ("
            f" SELECT {key} AS key, greatest(m.installed_at, :start) AS at, 1 AS change"
            f" FROM metering.meter m{_PLACES}"
            f" WHERE m.terminal_id IS NOT NULL AND m.installed_at < :end{wanted}"
            f" UNION ALL SELECT {key}, greatest(m.removed_at, :start), -1"
            f" FROM metering.meter m{_PLACES}"
            f" WHERE m.terminal_id IS NOT NULL AND m.removed_at < :end{wanted}"
            ") AS changes GROUP BY key, at ORDER BY at"
        ),
        facts,
    )
    fleet: dict[int, list[_Change]] = defaultdict(list)
    for number, at, change in rows:
        fleet[number].append((at, int(change)))
    return fleet


def _points(
    span: Span, step: timedelta, read: dict[datetime, _Sum], fleet: Iterable[_Change]
) -> tuple[LoadPoint, ...]:
    least, now = load_rules().least_share, clock.now()
    changes = iter([*fleet, (datetime.max.replace(tzinfo=UTC), 0)])
    change_at, change = next(changes)
    points, expected, slot = [], 0, span[0].astimezone(UTC)
    while slot < span[1]:
        while change_at <= slot:
            expected += change
            change_at, change = next(changes)
        count, watts, estimated = read.get(slot, (0, 0.0, False))
        expected_now = max(expected, count)
        known = count > 0 and slot + step <= now and Decimal(count) >= least * expected_now
        points.append(
            LoadPoint(slot, watts / 1000 if known else None, count, expected_now, estimated)
        )
        slot += step
    return tuple(points)
