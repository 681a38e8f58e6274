"""How well transformer areas are read, hour by hour: what was to be read, less the gap list."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from foundation import clock
from foundation.actor import Scope
from foundation.db import rows_as
from foundation.settings import settings
from metering.gaps.queries import judged_span
from metering.gaps.types import AreaHour, DarkSpan

HOUR = timedelta(hours=1)

_SLOTS = (
    "greatest(0, least(ceil(extract(epoch FROM least(s.until, h.till)) / s.every_s),"
    " floor(extract(epoch FROM CAST(:judged AS timestamptz)) / s.every_s){last})"
    " - greatest(ceil(extract(epoch FROM greatest(s.since, h.hour)) / s.every_s),"
    " floor(extract(epoch FROM CAST(:judged_since AS timestamptz)) / s.every_s){first}))"
)
_DARK_SLOTS = _SLOTS.format(
    last=", ceil(extract(epoch FROM d.until) / s.every_s)",
    first=", floor(extract(epoch FROM d.since) / s.every_s)",
)
_HOURS = f"""
WITH spans AS (
    SELECT p.area_id, a.interval_s AS every_s, greatest(a.since, :start) AS since,
        least(coalesce(a.until, :end), :end) AS until, count(*) AS meters
    FROM metering.asked_span a
    JOIN metering.meter m ON m.id = a.meter_id
    JOIN metering.point p ON p.id = m.point_id
    JOIN metering.transformer_area t ON t.id = p.area_id
    JOIN metering.feeder f ON f.id = t.feeder_id
    WHERE a.since < :end AND (a.until IS NULL OR a.until > :start)
        AND (CAST(:units AS bigint[]) IS NULL OR f.unit_id = ANY(:units))
        AND (CAST(:feeder AS bigint) IS NULL OR f.id = :feeder)
    GROUP BY 1, 2, 3, 4
), hours AS (
    SELECT h AS hour, h + interval '1 hour' AS till
    FROM generate_series(CAST(:start AS timestamptz),
        CAST(:end AS timestamptz) - interval '1 second', interval '1 hour') h
), dark AS (
    SELECT * FROM unnest(CAST(:areas AS bigint[]), CAST(:froms AS timestamptz[]),
        CAST(:tos AS timestamptz[])) AS d(area_id, since, until)
), lacking AS MATERIALIZED (
    SELECT p.area_id, g.ts, g.interval_s, count(*) AS missing
    FROM metering.gap g
    JOIN metering.meter m ON m.id = g.meter_id
    JOIN metering.point p ON p.id = m.point_id
    WHERE g.ts >= :start AND g.ts < :end GROUP BY 1, 2, 3
), counted AS (
    SELECT s.area_id, h.hour, s.meters * {_SLOTS.format(last="", first="")} AS expected,
        0 AS dark, 0 AS missing, 0 AS dark_missing
    FROM spans s JOIN hours h ON s.since < h.till AND s.until > h.hour
    UNION ALL
    SELECT s.area_id, h.hour, 0, s.meters * {_DARK_SLOTS}, 0, 0
    FROM spans s JOIN hours h ON s.since < h.till AND s.until > h.hour
    JOIN dark d ON d.area_id = s.area_id
        AND d.since < h.till AND d.until + make_interval(secs => s.every_s) > h.hour
    UNION ALL
    SELECT l.area_id, date_bin('1 hour', l.ts, CAST(:start AS timestamptz)), 0, 0, l.missing,
        CASE WHEN EXISTS (SELECT 1 FROM dark d WHERE d.area_id = l.area_id AND l.ts < d.until
            AND l.ts + make_interval(secs => l.interval_s) > d.since) THEN l.missing ELSE 0 END
    FROM lacking l
)
SELECT area_id, hour, CAST(greatest(0, sum(expected) - sum(dark)) AS bigint),
    CAST(greatest(0, sum(missing) - sum(dark_missing)) AS bigint), CAST(sum(dark) AS bigint)
FROM counted GROUP BY area_id, hour HAVING sum(expected) > 0 ORDER BY area_id, hour
"""


def area_hours(
    session: Session,
    scope: Scope,
    *,
    start: datetime,
    end: datetime,
    dark: Collection[DarkSpan] = (),
    feeder_id: int | None = None,
) -> list[AreaHour]:
    """Say how every transformer area was read in each hour of [start, end).

    An hour in which nothing was to be read, or that is not judged yet, or whose gaps are
    forgotten, is absent: it is unknown. An interval that lies in part in a dark span is left
    out whole.

    No reading is looked at. It costs one pass over the service spans of the fleet (grouped by
    area and interval before hours come in) and one over the gaps of the span, by their key.
    Measured on two busy cores with 100,000 meters in 1,000 areas and a day at 15 minutes of which
    192,000 intervals (2 %) are missing: 0.7 s, of which the spans are 0.1 s.

    Args:
        session: any transaction.
        scope: whose areas.
        start: beginning of an hour.
        end: beginning of an hour.
        dark: when areas were without power; an open one lasts.
        feeder_id: the areas of this feeder only.
    """
    judged = judged_span(session)
    oldest = clock.now() - timedelta(days=settings().gap_days)
    start = max(start, start + HOUR * -(-(oldest - start) // HOUR))
    if judged is None or start >= end:
        return []
    spans = _merged(dark, end)
    return rows_as(
        AreaHour,
        session,
        text(_HOURS),
        {
            "start": start,
            "end": end,
            "judged_since": judged[0],
            "judged": judged[1],
            "units": None if scope.unit_ids is None else list(scope.unit_ids),
            "feeder": feeder_id,
            "areas": [one.area_id for one in spans],
            "froms": [one.since for one in spans],
            "tos": [one.until for one in spans],
        },
    )


def _merged(dark: Collection[DarkSpan], end: datetime) -> Sequence[DarkSpan]:
    """Join the dark spans of an area, so that nothing is left out twice.

    Those less than an hour apart are one: terminals need their time to come back.
    """
    merged: list[DarkSpan] = []
    for one in sorted(dark, key=lambda span: (span.area_id, span.since)):
        until = end if one.until is None else min(one.until, end)
        if until <= one.since:
            continue
        before = merged[-1] if merged else None
        if before and before.area_id == one.area_id and one.since <= (before.until or end) + HOUR:
            merged[-1] = DarkSpan(one.area_id, before.since, max(before.until or end, until))
        else:
            merged.append(DarkSpan(one.area_id, one.since, until))
    return merged
