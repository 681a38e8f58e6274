"""The gap list as work: which meters lack most, what one meter lacks, asking for it again."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from foundation import clock
from foundation.actor import Actor, Scope
from foundation.audit import Act, record
from foundation.db import rows_as
from metering.gaps.types import MissingMeter, MissingRun

ASKED = Act.of("collection.backfill_asked", "meters", "intervals", "first", "end")

_METERS = """
WITH lacking AS (
    SELECT g.meter_id, max(g.interval_s) AS interval_s, count(*) AS intervals,
        min(g.ts) AS first, max(g.ts) AS last, (array_agg(g.why ORDER BY g.ts DESC))[1] AS why,
        max(g.asked_at) AS asked_at,
        (array_agg(g.asked_by ORDER BY g.asked_at DESC NULLS LAST))[1] AS asked_by
    FROM metering.gap g
    JOIN metering.meter m ON m.id = g.meter_id
    JOIN metering.point p ON p.id = m.point_id
    JOIN metering.transformer_area a ON a.id = p.area_id
    JOIN metering.feeder f ON f.id = a.feeder_id
    WHERE g.ts >= :first AND g.ts < :end
        AND (CAST(:units AS bigint[]) IS NULL OR f.unit_id = ANY(:units))
        AND (CAST(:feeder AS bigint) IS NULL OR f.id = :feeder)
        AND (CAST(:area AS bigint) IS NULL OR a.id = :area)
    GROUP BY g.meter_id
)
SELECT l.meter_id, m.meter_no, m.point_id, a.id, a.area_no, a.name, f.id, f.feeder_no,
    l.interval_s, l.intervals, l.first, l.last, l.why, l.asked_at, l.asked_by,
    t.terminal_no, t.profile, t.silent_since, t.last_error
FROM lacking l
JOIN metering.meter m ON m.id = l.meter_id
JOIN metering.point p ON p.id = m.point_id
JOIN metering.transformer_area a ON a.id = p.area_id
JOIN metering.feeder f ON f.id = a.feeder_id
LEFT JOIN metering.terminal t ON t.id = m.terminal_id
WHERE CAST(:after_n AS bigint) IS NULL
    OR (-l.intervals, l.meter_id) > (-CAST(:after_n AS bigint), CAST(:after_id AS bigint))
ORDER BY l.intervals DESC, l.meter_id LIMIT :limit
"""
_RUNS = """
SELECT min(ts), max(ts), interval_s, count(*), (array_agg(why ORDER BY ts DESC))[1], max(asked_at)
FROM (
    SELECT *, extract(epoch FROM ts) / interval_s
        - row_number() OVER (PARTITION BY interval_s ORDER BY ts) AS island
    FROM metering.gap WHERE meter_id = :meter_id AND ts >= :first AND ts < :end
) g GROUP BY interval_s, island ORDER BY min(ts) DESC LIMIT :limit
"""
_ASK = text(
    "UPDATE metering.gap SET asked_at = :at, asked_by = :by"
    " WHERE ts >= :first AND ts < :end AND meter_id = ANY(:meters) RETURNING meter_id"
)


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of the gap list is looked at.

    Attributes:
        first, end: intervals that began in [first, end).
        feeder_id, area_id: of this feeder or transformer area only.
    """

    first: datetime
    end: datetime
    feeder_id: int | None = None
    area_id: int | None = None


def missing_meters(
    session: Session,
    scope: Scope,
    window: Window,
    *,
    after: tuple[int, int] | None = None,
    limit: int = 50,
) -> list[MissingMeter]:
    """List the meters that lack intervals, those that lack most first.

    It costs one pass over the gaps of the window, by their key: measured with 100,000 meters,
    0.07 s for an hour, 0.6 s for a day with 192,000 gaps.

    Args:
        session: any transaction.
        scope: whose meters.
        window: which gaps.
        after: intervals and meter_id of the last one seen.
        limit: most to give.
    """
    return rows_as(
        MissingMeter,
        session,
        text(_METERS),
        {
            "first": window.first,
            "end": window.end,
            "units": None if scope.unit_ids is None else list(scope.unit_ids),
            "feeder": window.feeder_id,
            "area": window.area_id,
            "after_n": after[0] if after else None,
            "after_id": after[1] if after else None,
            "limit": limit,
        },
    )


def missing_runs(
    session: Session, meter_id: int, *, first: datetime, end: datetime, limit: int = 50
) -> list[MissingRun]:
    """List what one meter lacks, intervals in a row as one, newest first.

    It costs one pass over the gaps of the span: their key begins with the time.
    """
    return rows_as(
        MissingRun,
        session,
        text(_RUNS),
        {"meter_id": meter_id, "first": first, "end": end, "limit": limit},
    )


def ask_backfill(
    session: Session, actor: Actor, meter_ids: Collection[int], *, first: datetime, end: datetime
) -> int:
    """Ask for missed intervals to be read again (补采); give how many.

    The pollers look at the list every few seconds. An interval in its late window is read
    anew, an older one from what the terminal froze itself, where an entry shows that very
    instant. The request is kept until the reading is there, or the gap is forgotten.

    Args:
        session: the caller's transaction.
        actor: who asks.
        meter_ids: of these meters.
        first: intervals that began then or later.
        end: and before this.
    """
    given = {
        "at": clock.now(), "by": actor.name, "first": first, "end": end, "meters": list(meter_ids)
    }  # fmt: skip
    asked = session.execute(_ASK, given).scalars().all()
    if asked:
        record(
            session,
            actor,
            ASKED,
            subject=("collection", first.date().isoformat()),
            meters=len(set(asked)),
            intervals=len(asked),
            first=first.isoformat(),
            end=end.isoformat(),
        )
    return len(asked)
