"""Reads of the gap list."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from foundation.actor import Scope
from foundation.db import rows_as
from metering.devices.models import Meter, Terminal
from metering.gaps.models import Gap, GapMark
from metering.gaps.types import AreaHour, Completeness, LackingMeter, Missed
from metering.network.models import Feeder, Point, TransformerArea
from metering.readings.types import Quality

_DUE = text(
    "SELECT g.meter_id, g.ts, g.interval_s FROM metering.gap g"
    " JOIN metering.meter m ON m.id = g.meter_id AND m.removed_at IS NULL"
    " JOIN metering.terminal t ON t.id = m.terminal_id AND t.in_service"
    " WHERE g.ts >= :since AND t.site = :site AND t.shard = ANY(:shards)"
    " AND t.failed_rounds = 0 AND (CAST(:profiles AS text[]) IS NULL OR t.profile = ANY(:profiles))"
    " ORDER BY g.ts DESC, g.meter_id LIMIT :limit"
)
_EXPECTED = text(
    "SELECT coalesce(sum(greatest(0,"
    " ceil(extract(epoch FROM least(a.until, :end)) / a.interval_s)"
    " - ceil(extract(epoch FROM greatest(a.since, :start)) / a.interval_s))), 0)"
    " FROM metering.asked_span a"
    " WHERE a.since < :end AND (a.until IS NULL OR a.until > :start)"
)
_BY_AREA = text(
    "WITH expected AS (SELECT p.area_id, h.hour, sum(greatest(0,"
    " ceil(extract(epoch FROM least(a.until, h.hour + interval '1 hour', :end)) / a.interval_s)"
    " - ceil(extract(epoch FROM greatest(a.since, h.hour)) / a.interval_s))) AS n"
    " FROM metering.asked_span a JOIN metering.meter m ON m.id = a.meter_id"
    " JOIN metering.point p ON p.id = m.point_id"
    " JOIN generate_series(CAST(:start AS timestamptz),"
    "  CAST(:end AS timestamptz) - interval '1 microsecond', interval '1 hour') AS h(hour)"
    "  ON a.since < h.hour + interval '1 hour' AND (a.until IS NULL OR a.until > h.hour)"
    " WHERE p.area_id = ANY(:area_ids) GROUP BY 1, 2),"
    " lacking AS (SELECT p.area_id, date_bin('1 hour', g.ts, :start) AS hour, count(*) AS n"
    " FROM metering.gap g JOIN metering.meter m ON m.id = g.meter_id"
    " JOIN metering.point p ON p.id = m.point_id"
    " WHERE g.ts >= :start AND g.ts < :end AND p.area_id = ANY(:area_ids) GROUP BY 1, 2)"
    " SELECT e.area_id, e.hour, e.n::bigint, coalesce(l.n, 0) FROM expected e"
    " LEFT JOIN lacking l USING (area_id, hour) WHERE e.n > 0 ORDER BY e.area_id, e.hour"
)
_READ = text(
    "SELECT count(*), count(*) FILTER (WHERE r.quality & :late <> 0),"
    " count(*) FILTER (WHERE r.quality & :backfilled <> 0)"
    " FROM metering.reading r JOIN metering.asked_span a ON a.meter_id = r.meter_id"
    " AND a.since <= r.ts AND (a.until IS NULL OR a.until > r.ts)"
    " WHERE r.ts >= :start AND r.ts < :end"
    " AND extract(epoch FROM r.ts)::bigint % a.interval_s = 0"
)


def late_due(
    session: Session,
    *,
    site: str,
    shards: Collection[int],
    since: datetime,
    profiles: Collection[str] | None = None,
    limit: int = 5000,
) -> list[Missed]:
    """List missed intervals of terminals that answer, newest first: what may be read late.

    Args:
        session: any transaction.
        site: whose terminals.
        shards: of these shards only.
        since: intervals that began since then.
        profiles: of terminals of these profiles only.
        limit: most to give.
    """
    return rows_as(
        Missed,
        session,
        _DUE,
        {
            "since": since,
            "site": site,
            "shards": list(shards),
            "profiles": None if profiles is None else list(profiles),
            "limit": limit,
        },
    )


def missed(
    session: Session,
    meter_ids: Collection[int],
    *,
    first: datetime,
    end: datetime,
    limit: int = 1000,
) -> list[Missed]:
    """List the missed intervals of several meters in [first, end), oldest first."""
    return rows_as(
        Missed,
        session,
        select(Gap.meter_id, Gap.ts, Gap.interval_s)
        .where(Gap.ts >= first, Gap.ts < end, Gap.meter_id.in_(meter_ids))
        .order_by(Gap.ts, Gap.meter_id)
        .limit(limit),
    )


def by_area_and_hour(
    session: Session, area_ids: Collection[int], *, start: datetime, end: datetime
) -> list[AreaHour]:
    """Give, by transformer area and hour, what was expected and what is missing (采集成功率).

    Args:
        session: any transaction.
        area_ids: these areas; one nobody was to be asked in is absent.
        start: beginning of the first hour.
        end: hours that begin before it.
    """
    return rows_as(
        AreaHour,
        session,
        _BY_AREA,
        {"area_ids": list(area_ids), "start": start, "end": end},
    )


def lacking_meters(
    session: Session,
    scope: Scope,
    *,
    since: datetime,
    area_id: int | None = None,
    limit: int = 200,
) -> list[LackingMeter]:
    """List the meters that lack intervals since an instant, those that lack most first."""
    gaps = func.count()
    statement = (
        select(
            Meter.id,
            Meter.meter_no,
            Point.point_no,
            Point.area_id,
            Terminal.terminal_no,
            gaps,
            func.min(Gap.ts),
            func.max(Gap.ts),
            Terminal.silent_since,
            Terminal.last_error,
        )
        .join(Meter, Meter.id == Gap.meter_id)
        .join(Point, Point.id == Meter.point_id)
        .outerjoin(Terminal, Terminal.id == Meter.terminal_id)
        .where(Gap.ts >= since)
        .group_by(Meter.id, Point.id, Terminal.id)
        .order_by(gaps.desc(), Meter.meter_no)
        .limit(limit)
    )
    if scope.unit_ids is not None:
        statement = (
            statement.join(TransformerArea, TransformerArea.id == Point.area_id)
            .join(Feeder, Feeder.id == TransformerArea.feeder_id)
            .where(Feeder.unit_id.in_(scope.unit_ids))
        )
    if area_id is not None:
        statement = statement.where(Point.area_id == area_id)
    return rows_as(LackingMeter, session, statement)


def open_gaps(session: Session) -> int:
    """Count the missed intervals of all meters."""
    return int(session.execute(text("SELECT count(*) FROM metering.gap")).scalar_one())


def checked_to(session: Session) -> datetime | None:
    """Give up to where intervals are judged; None before the first look."""
    return session.scalar(select(GapMark.checked_to))


def completeness(session: Session, *, start: datetime, end: datetime) -> Completeness:
    """Say how much of what was expected in intervals that began in [start, end) is there.

    Where all of them are judged, expected is read plus missing: the proof of the list.
    """
    span = {"start": start, "end": end}
    expected = session.execute(_EXPECTED, span).scalar_one()
    read, late, backfilled = session.execute(
        _READ, span | {"late": int(Quality.LATE), "backfilled": int(Quality.BACKFILLED)}
    ).one()
    missing = session.execute(
        text("SELECT count(*) FROM metering.gap WHERE ts >= :start AND ts < :end"), span
    ).scalar_one()
    return Completeness(int(expected), read, late, backfilled, missing, checked_to(session))
