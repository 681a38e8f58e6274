"""The histories forecasts learn from: telemetry taken in, sums of meters added up, read back.

A subject has one history: where telemetry was taken in for it, the sums of its meters are
left aside. Half a town's points may not be read every quarter hour, and the meters that are
change from year to year, so their sum is another series, not another value of the same one.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import numpy as np
from sqlalchemy import CursorResult, text
from sqlalchemy.orm import Session

from foundation import clock
from foundation.actor import Actor
from foundation.audit import Act, record
from foundation.events import Signal
from foundation.flow.calendar import office_calendar
from foundation.outbox import signal
from loadmgmt.forecast.practice import load_practice
from loadmgmt.forecast.queries import loads, sources
from loadmgmt.forecast.rules.features import between, slots_of, wall_clock
from loadmgmt.forecast.types import (
    QUARTER,
    Floats,
    History,
    LoadSource,
    NewLoad,
    Slots,
    Times,
)
from loadmgmt.weather.queries import day_ahead_temperatures, forecast_temperatures, temperatures
from loadmgmt.weather.types import Temperature
from metering.api.network import feeders
from metering.api.readings import largest_points, load_curves
from metering.api.types import SYSTEM, LoadPoint, Subject, SubjectKind

LOAD_TAKEN = Act.of("load.taken", "rows", "file")
_DAY = timedelta(days=1)


def quarter_of(at: datetime) -> datetime:
    """Give the start of the quarter hour an instant lies in, UTC."""
    seconds = int(QUARTER.total_seconds())
    return datetime.fromtimestamp(at.timestamp() // seconds * seconds, tz=UTC)


def take_loads(
    session: Session, actor: Actor, subject: Subject, rows: Sequence[NewLoad], *, file: str
) -> int:
    """Take telemetry of a subject in; give how many quarter hours are new or changed.

    Taking the same rows twice changes nothing.

    Args:
        session: the caller's transaction.
        actor: who takes it.
        subject: whose load.
        rows: one for each quarter hour, in any order.
        file: where they come from, for the audit.
    """
    changed = store_loads(session, subject, rows, source=LoadSource.IMPORT)
    if changed:
        record(
            session,
            actor,
            LOAD_TAKEN,
            subject=("load", subject.key),
            rows=changed,
            file=file,
        )
    return changed


def store_loads(
    session: Session, subject: Subject, rows: Iterable[NewLoad], *, source: LoadSource
) -> int:
    """Write a history; telemetry replaces what was known, a sum only a sum of fewer points."""
    values: list[dict[str, object]] = [
        {"subject": subject.key, "ts": row.ts, "kw": row.kw, "share": row.share, "source": source}
        for row in {row.ts: row for row in rows}.values()
    ]
    return _upserted(session, values)


_UPSERT = text(
    "INSERT INTO loadmgmt.load_history AS old (subject, ts, kw, share, source)"
    " SELECT * FROM unnest(CAST(:subject AS text[]), CAST(:ts AS timestamptz[]),"
    " CAST(:kw AS float8[]), CAST(:share AS float4[]), CAST(:source AS text[]))"
    " ON CONFLICT (subject, ts) DO UPDATE"
    " SET kw = excluded.kw, share = excluded.share, source = excluded.source"
    " WHERE CASE WHEN excluded.source = 'import' THEN old.kw IS DISTINCT FROM excluded.kw"
    " ELSE old.source = 'meters' AND (old.share IS NULL OR excluded.share > old.share) END"
)
"""One array a column: a year of quarter hours is one statement, not 175,000 parameters."""


def _upserted(session: Session, values: list[dict[str, object]]) -> int:
    if not values:
        return 0
    columns = {name: [row[name] for row in values] for name in values[0]}
    changed = cast("CursorResult[Any]", session.execute(_UPSERT, columns)).rowcount
    if changed:
        signal(session, Signal("load"))
    return changed


def metered_subjects(session: Session) -> list[Subject]:
    """List what is forecast from meters: feeders, the largest customers, maybe the system."""
    practice = load_practice()
    since = clock.business_date() - timedelta(days=30)
    largest = largest_points(session, since=since, limit=practice.largest_customers)
    subjects = [SYSTEM]
    subjects += [Subject(SubjectKind.FEEDER, one.feeder_id) for one in feeders(session)]
    subjects += [Subject(SubjectKind.POINT, one.point_id) for one in largest]
    telemetry = sources(session, subjects)
    return [one for one in subjects if telemetry.get(one) is not LoadSource.IMPORT]


def roll_up(session: Session, *, since: datetime) -> int:
    """Add up the meters of every metered subject from an instant to now.

    A subject without a history yet is added up from as far back as the practice says.
    """
    until = quarter_of(clock.now())
    subjects = metered_subjects(session)
    known = sources(session, subjects)
    fresh = [one for one in subjects if one not in known]
    far = until - timedelta(days=load_practice().history.first_days)
    old = [one for one in subjects if one in known]
    return _rolled(session, fresh, far, until) + _rolled(session, old, quarter_of(since), until)


def _rolled(session: Session, subjects: list[Subject], since: datetime, until: datetime) -> int:
    changed = 0
    while subjects and since < until:  # day by day: a statement is to stay small
        end = min(since + _DAY, until)
        curves = load_curves(session, subjects, (since, end))
        values = [
            _sum(subject, point)
            for subject, curve in curves.items()
            for point in curve.points
            if point.read
        ]
        changed += _upserted(session, values)
        since = end
    return changed


def _sum(subject: Subject, point: LoadPoint) -> dict[str, object]:
    return {
        "subject": subject.key,
        "ts": point.start,
        "kw": point.kw,
        "share": point.share,
        "source": LoadSource.METERS,
    }


def history_of(session: Session, subject: Subject, *, until: datetime) -> History:
    """Give what was known of a load at an origin; it ends there, gaps are unknown.

    Args:
        session: any.
        subject: whose.
        until: the origin, on a quarter hour.
    """
    reach = until - timedelta(days=load_practice().history.keep_days)
    known = loads(session, subject, (reach, until))
    first = min(known, default=until)
    instants = [first + QUARTER * place for place in range(int((until - first) / QUARTER))]
    starts = wall_clock(instants, clock.office_zone())
    slots = slots_of(starts, QUARTER, office_calendar())
    span = (first, until)
    observed = _drawn(starts, temperatures(session, span))
    forecast = _drawn(starts, day_ahead_temperatures(session, span))
    kw = np.array([known.get(at, np.nan) for at in instants], dtype=np.float64)
    return History(
        Slots(slots.starts, slots.step, slots.rest, slots.holiday, observed), kw, forecast
    )


def horizon_of(session: Session, days: Sequence[date], *, known_until: datetime) -> Slots:
    """Give the slots of office days in a row, with the weather as it was forecast by then."""
    start, end = clock.day_span(days[0])[0], clock.day_span(days[-1])[1]
    instants = [start + QUARTER * place for place in range(int((end - start) / QUARTER))]
    slots = slots_of(wall_clock(instants, clock.office_zone()), QUARTER, office_calendar())
    said = forecast_temperatures(session, (start, end), issued_by=known_until)
    warm = _drawn(slots.starts, said)
    return Slots(slots.starts, slots.step, slots.rest, slots.holiday, warm)


def _drawn(starts: Times, known: list[Temperature]) -> Floats | None:
    if not known:
        return None
    times = wall_clock([one.at for one in known], clock.office_zone())
    values = np.array([one.temperature_c for one in known], dtype=np.float64)
    return between(times, values, starts)
