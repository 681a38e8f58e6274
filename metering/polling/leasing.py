"""Leases of connections: taken, renewed, handed back; the database's clock decides.

Shards of a site are shared evenly among its living pollers. Each change of owner raises the
shard's epoch; whoever writes under an older epoch finds no row.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from metering.polling.rules import share
from metering.polling.types import SHARD_CHANNEL, SHARDS, Beat, Gained, Standing

_NOW = "clock_timestamp()"
_ALIVE = text(
    "INSERT INTO metering.poll_worker AS w (id, name, site, started_at, beat_at, live_until,"
    f" terminals, spool_bytes, spool_since) VALUES (:id, :name, :site, {_NOW}, {_NOW},"
    f" {_NOW} + make_interval(secs => :ttl), :terminals, :bytes, :since)"
    " ON CONFLICT (id) DO UPDATE SET beat_at = excluded.beat_at,"
    " live_until = excluded.live_until, terminals = excluded.terminals,"
    " spool_bytes = excluded.spool_bytes, spool_since = excluded.spool_since"
)
_SHARDS = text(
    "INSERT INTO metering.poll_shard (site, shard, epoch, lease_until)"
    f" SELECT CAST(:site AS text), n, 0, 'epoch' FROM generate_series(0, {SHARDS - 1}) n"
    " WHERE NOT EXISTS (SELECT 1 FROM metering.poll_shard WHERE site = :site)"
    " ON CONFLICT DO NOTHING"
)
_RENEW = text(
    "WITH own AS (SELECT shard FROM metering.poll_shard WHERE site = :site AND owner = :me"
    f" AND (:resumes OR lease_until > {_NOW}) AND shard = ANY(:held)"
    " ORDER BY shard FOR UPDATE)"
    f" UPDATE metering.poll_shard s SET lease_until = {_NOW} + make_interval(secs => :ttl)"
    " FROM own WHERE s.site = :site AND s.shard = own.shard RETURNING s.shard, s.epoch"
)
_LIVE = text(
    f"SELECT count(*) FROM metering.poll_worker WHERE site = :site AND live_until > {_NOW}"
)
_CLAIM = text(
    "WITH free AS (SELECT shard, owner FROM metering.poll_shard WHERE site = :site"
    f" AND (owner IS NULL OR lease_until < {_NOW})"
    " ORDER BY owner IS NULL DESC, shard LIMIT :room FOR UPDATE SKIP LOCKED)"
    " UPDATE metering.poll_shard s SET owner = :me, epoch = s.epoch + 1,"
    f" lease_until = {_NOW} + make_interval(secs => :ttl)"
    " FROM free WHERE s.site = :site AND s.shard = free.shard"
    " RETURNING s.shard, s.epoch, s.last_slot, free.owner IS NULL"
)
_OWN = text(
    "SELECT s.shard, s.epoch FROM metering.poll_shard s WHERE s.site = :site AND s.owner = :me"
    " AND s.shard = ANY(:shards) ORDER BY s.shard FOR UPDATE"
)
_ADVANCE = text(
    "UPDATE metering.poll_shard s SET last_slot = greatest(s.last_slot, d.at)"
    " FROM (SELECT unnest(CAST(:shards AS int[])) AS shard,"
    " unnest(CAST(:ats AS timestamptz[])) AS at) d"
    " WHERE s.site = :site AND s.shard = d.shard"
)
_RELEASE = text(
    "UPDATE metering.poll_shard SET owner = NULL, lease_until = 'epoch'"
    " WHERE site = :site AND shard = ANY(:shards)"
)
_EXPIRE = text(
    "UPDATE metering.poll_shard SET lease_until = 'epoch'"
    " WHERE site = :site AND shard = ANY(:shards)"
)
_BURY = text(
    "WITH dead AS (SELECT site, shard FROM metering.poll_shard WHERE owner = ANY(:dead)"
    " ORDER BY site, shard FOR UPDATE)"
    " UPDATE metering.poll_shard s SET lease_until = 'epoch' FROM dead"
    " WHERE s.site = dead.site AND s.shard = dead.shard"
)


def beat(session: Session, said: Beat) -> Standing:
    """Say that a poller lives; renew its leases, and take free shards up to its share.

    A lease that ran out is not renewed, unless the poller reads on without one and nobody
    took the shard: somebody else may have taken and handed it back meanwhile.

    Args:
        session: a transaction of its own.
        said: what the poller holds and wants.
    """
    me = {"id": said.worker, "me": said.worker, "site": said.site, "ttl": said.ttl_s}
    session.execute(
        _ALIVE,
        me
        | {
            "name": said.name,
            "terminals": said.terminals,
            "bytes": said.spool_bytes,
            "since": said.spool_since,
        },
    )
    session.execute(_SHARDS, me)
    renewed: dict[int, int] = {}
    if said.held:
        held = {"held": sorted(said.held), "resumes": said.resumes}
        renewed = {row[0]: row[1] for row in session.execute(_RENEW, me | held)}
    live = int(session.execute(_LIVE, me).scalar_one())
    fair = share(live)
    gained = []
    if len(renewed) < fair:
        rows = session.execute(_CLAIM, me | {"room": fair - len(renewed)})
        gained = [Gained(*row) for row in rows]
    return Standing(renewed, gained, live, fair)


def advance(
    session: Session, worker: UUID, site: str, progress: Mapping[int, tuple[int, datetime | None]]
) -> set[int]:
    """Note how far shards have come; give those that are still this poller's.

    Args:
        session: the transaction that stores what was read.
        worker: who read it.
        site: its site.
        progress: by shard, the epoch it was read under, and up to when rounds were begun
            (None: no news).
    """
    if not progress:
        return set()
    mine = _own(session, worker, site, {shard: epoch for shard, (epoch, _) in progress.items()})
    if mine:
        ordered = sorted(mine)
        session.execute(
            _ADVANCE,
            {"site": site, "shards": ordered, "ats": [progress[shard][1] for shard in ordered]},
        )
    return mine


def release(session: Session, worker: UUID, site: str, held: Mapping[int, int]) -> None:
    """Hand shards back, by shard and epoch; those that are no longer its own stay as they are."""
    mine = _own(session, worker, site, held)
    if mine:
        session.execute(_RELEASE, {"site": site, "shards": sorted(mine)})
        _tell(session, site)


def leave(session: Session, worker: UUID, site: str, held: Mapping[int, int]) -> None:
    """End all leases and stop counting among the living.

    Rounds were cut short: who takes the shards looks at what is stored, as after a loss.
    """
    mine = _own(session, worker, site, held)
    session.execute(_EXPIRE, {"site": site, "shards": sorted(mine)})
    _no_longer_live(session, [worker])
    _tell(session, site)


def bury(session: Session, dead: Collection[UUID]) -> None:
    """End the leases of pollers that are known to be dead: their shards are free at once."""
    if dead:
        session.execute(_BURY, {"dead": list(dead)})
        _no_longer_live(session, dead)
        _tell(session, "")


def _tell(session: Session, site: str) -> None:
    session.execute(
        text("SELECT pg_notify(:channel, :site)"), {"channel": SHARD_CHANNEL, "site": site}
    )


def _own(session: Session, worker: UUID, site: str, epochs: Mapping[int, int]) -> set[int]:
    """Lock the shards that are still owned under these epochs; give them."""
    rows = session.execute(_OWN, {"site": site, "me": worker, "shards": sorted(epochs)})
    return {shard for shard, epoch in rows if epochs[shard] == epoch}


def _no_longer_live(session: Session, workers: Collection[UUID]) -> None:
    session.execute(
        text(f"UPDATE metering.poll_worker SET live_until = {_NOW} WHERE id = ANY(:ids)"),
        {"ids": list(workers)},
    )
