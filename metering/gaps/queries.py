"""Reads of the gap list."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from foundation.db import rows_as
from metering.gaps.models import Gap, GapMark
from metering.gaps.types import Completeness, Missed
from metering.readings.types import Quality

_DUE = text(
    "SELECT g.meter_id, g.ts, g.interval_s FROM metering.gap g"
    " JOIN metering.meter m ON m.id = g.meter_id AND m.removed_at IS NULL"
    " JOIN metering.terminal t ON t.id = m.terminal_id AND t.in_service"
    " WHERE g.ts >= :since AND t.site = :site AND t.shard = ANY(:shards)"
    " AND t.failed_rounds = 0 AND (CAST(:profiles AS text[]) IS NULL OR t.profile = ANY(:profiles))"
    " ORDER BY g.ts DESC, g.meter_id LIMIT :limit"
)
_ASKED = text(
    "SELECT g.meter_id, g.ts, g.interval_s, g.asked_at FROM metering.gap g"
    " JOIN metering.meter m ON m.id = g.meter_id AND m.removed_at IS NULL"
    " JOIN metering.terminal t ON t.id = m.terminal_id AND t.in_service"
    " WHERE g.asked_at > :after AND t.site = :site AND t.shard = ANY(:shards)"
    " ORDER BY g.asked_at, g.meter_id, g.ts LIMIT :limit"
)
_EXPECTED = text(
    "SELECT coalesce(sum(greatest(0,"
    " ceil(extract(epoch FROM least(a.until, :end)) / a.interval_s)"
    " - ceil(extract(epoch FROM greatest(a.since, :start)) / a.interval_s))), 0)"
    " FROM metering.asked_span a"
    " WHERE a.since < :end AND (a.until IS NULL OR a.until > :start)"
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


def asked_again(
    session: Session,
    *,
    site: str,
    shards: Collection[int],
    after: datetime,
    limit: int = 50_000,
) -> list[tuple[Missed, datetime]]:
    """List the missed intervals somebody asked for after an instant, and when that was."""
    rows = session.execute(
        _ASKED, {"after": after, "site": site, "shards": list(shards), "limit": limit}
    )
    return [(Missed(meter_id, ts, interval_s), at) for meter_id, ts, interval_s, at in rows]


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


def open_gaps(session: Session) -> int:
    """Count the missed intervals of all meters."""
    return int(session.execute(text("SELECT count(*) FROM metering.gap")).scalar_one())


def checked_to(session: Session) -> datetime | None:
    """Give up to where intervals are judged; None before the first look."""
    return session.scalar(select(GapMark.checked_to))


def judged_span(session: Session) -> tuple[datetime, datetime] | None:
    """Give from when to when intervals are judged; None before the first look."""
    row = session.execute(select(GapMark.since, GapMark.checked_to)).first()
    return None if row is None else (row.since, row.checked_to)


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
