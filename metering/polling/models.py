"""Pollers, which of them owns which connections, and what each has stored."""

from datetime import date
from uuid import UUID

from sqlalchemy import BigInteger, Date, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from foundation.db import Base, utc


class PollWorker(Base):
    """A polling process, from its start to its last heartbeat."""

    __tablename__ = "poll_worker"
    __table_args__ = ({"postgresql_with": {"fillfactor": 50}},)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(comment="host and process number")
    site: Mapped[str]
    started_at: Mapped[utc]
    beat_at: Mapped[utc]
    live_until: Mapped[utc]
    terminals: Mapped[int]
    spool_bytes: Mapped[int] = mapped_column(BigInteger)
    spool_since: Mapped[utc | None] = mapped_column(
        comment="oldest slot of a reading it has not stored yet"
    )


class PollShard(Base):
    """The connections of one hash at one site, and who may ask them."""

    __tablename__ = "poll_shard"
    __table_args__ = ({"postgresql_with": {"fillfactor": 50}},)

    site: Mapped[str] = mapped_column(primary_key=True)
    shard: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    owner: Mapped[UUID | None] = mapped_column(comment="poll_worker; empty: handed back")
    epoch: Mapped[int] = mapped_column(comment="one more with every new owner: the fence")
    lease_until: Mapped[utc]
    last_slot: Mapped[utc | None] = mapped_column(
        comment="rounds planned up to this instant were begun"
    )


class PollParcel(Base):
    """The last parcel of each polling process that was stored; a second time it is not."""

    __tablename__ = "poll_parcel"

    worker: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int]
    stored_at: Mapped[utc]


class PollMissed(Base):
    """Slots in which a connection was not asked, by UTC day."""

    __tablename__ = "poll_missed"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    address: Mapped[str] = mapped_column(primary_key=True, comment="host:port")
    why: Mapped[str] = mapped_column(primary_key=True, comment="busy or held")
    slots: Mapped[int]
    last_at: Mapped[utc]
