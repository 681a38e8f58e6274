"""Reads of what the pollers need to know, and of what they do."""

from collections.abc import Collection
from datetime import date, datetime, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from foundation import clock
from foundation.db import rows_as
from metering.polling.models import PollMissed, PollShard, PollWorker
from metering.polling.types import ConnectionRow, Known, PollerRow

_KNOWN = text(
    "SELECT l.meter_id, l.read_at, l.wh_import, l.wh_export, l.varh_import, l.p,"
    " coalesce((SELECT array_agg(e.kind) FROM metering.reading_event e"
    "  WHERE e.meter_id = l.meter_id AND e.ended_at IS NULL), '{}')"
    " FROM metering.latest l JOIN metering.meter m ON m.id = l.meter_id"
    " JOIN metering.terminal t ON t.id = m.terminal_id"
    " WHERE m.removed_at IS NULL AND t.site = :site AND t.shard = ANY(:shards)"
)


def known_meters(session: Session, *, site: str, shards: Collection[int]) -> list[Known]:
    """Give what is remembered of the meters of several shards."""
    rows = session.execute(_KNOWN, {"site": site, "shards": list(shards)})
    return [
        Known(meter_id, read_at, (first, second, third), p, tuple(events))
        for meter_id, read_at, first, second, third, p, events in rows
    ]


def stored_in(session: Session, *, slot: datetime, meter_ids: Collection[int]) -> set[int]:
    """Give those of several meters that have a reading in a slot."""
    return set(
        session.scalars(
            text(
                "SELECT meter_id FROM metering.reading WHERE ts = :slot"
                " AND meter_id = ANY(:meter_ids)"
            ),
            {"slot": slot, "meter_ids": list(meter_ids)},
        )
    )


def spooled_since(session: Session) -> datetime | None:
    """Give the oldest slot that a living poller has read and not stored yet."""
    return session.scalar(
        select(func.min(PollWorker.spool_since)).where(PollWorker.live_until > clock.now())
    )


def pollers(session: Session) -> list[PollerRow]:
    """List the polling processes of the last day, those alive first."""
    owned = (
        select(func.count())
        .select_from(PollShard)
        .where(PollShard.owner == PollWorker.id, PollShard.lease_until > clock.now())
        .scalar_subquery()
    )
    return rows_as(
        PollerRow,
        session,
        select(
            PollWorker.id,
            PollWorker.name,
            PollWorker.site,
            PollWorker.started_at,
            PollWorker.beat_at,
            PollWorker.live_until > clock.now(),
            owned,
            PollWorker.terminals,
            PollWorker.spool_bytes,
            PollWorker.spool_since,
        )
        .where(PollWorker.beat_at > clock.now() - timedelta(days=1))
        .order_by((PollWorker.live_until > clock.now()).desc(), PollWorker.name, PollWorker.id)
        .limit(200),
    )


def missed_slots(session: Session, *, since: date, limit: int = 200) -> list[ConnectionRow]:
    """List the connections that missed slots since a UTC day, the worst first."""
    return rows_as(
        ConnectionRow,
        session,
        select(
            PollMissed.day,
            PollMissed.address,
            PollMissed.slots,
            PollMissed.why,
            PollMissed.last_at,
        )
        .where(PollMissed.day >= since)
        .order_by(PollMissed.slots.desc(), PollMissed.day.desc(), PollMissed.address)
        .limit(limit),
    )


def slots_missed(session: Session, *, since: date) -> int:
    """Count the slots in which connections were not asked, since a UTC day."""
    return int(
        session.scalar(
            select(func.coalesce(func.sum(PollMissed.slots), 0)).where(PollMissed.day >= since)
        )
        or 0
    )


def owner_of(session: Session, *, site: str, shard: int) -> PollerRow | None:
    """Give the living poller that owns a shard; None if nobody does."""
    worker = session.scalar(
        select(PollShard.owner).where(
            PollShard.site == site, PollShard.shard == shard, PollShard.lease_until > clock.now()
        )
    )
    return next((one for one in pollers(session) if one.worker == worker), None)


def missed_by(session: Session, address: str, *, since: date) -> list[ConnectionRow]:
    """List the slots one connection missed since a UTC day, newest first."""
    return rows_as(
        ConnectionRow,
        session,
        select(
            PollMissed.day,
            PollMissed.address,
            PollMissed.slots,
            PollMissed.why,
            PollMissed.last_at,
        )
        .where(PollMissed.address == address, PollMissed.day >= since)
        .order_by(PollMissed.day.desc(), PollMissed.why),
    )
