"""A lock after repeated failures on public pages, kept in a table: it holds for all processes."""

from datetime import datetime, timedelta

from sqlalchemy import case, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from foundation import clock
from foundation.actor import Actor
from foundation.db import Base, utc
from foundation.errors import Refused

WINDOW = timedelta(minutes=15)
"""Failures are counted within this time, and a lock holds as long unless it is said otherwise."""


class TooManyTries(Refused):
    """Too many failures; facts: until."""

    code = "too_many_tries"


class PublicFailure(Base):
    """How often something failed lately: from one address, against one number, or in one name.

    A name is kept as its hash: it may be anything somebody typed, a password too.
    """

    __tablename__ = "public_failure"

    key: Mapped[str] = mapped_column(primary_key=True, comment="address:… or number:…")
    failures: Mapped[int]
    first_at: Mapped[utc]
    locked_until: Mapped[utc | None]


def refuse_locked(session: Session, *keys: str) -> None:
    """Refuse while one of several keys is locked.

    Raises:
        TooManyTries: facts: until.
    """
    until = locked_until(session, *keys)
    if until is not None:
        raise TooManyTries(until=until)


def locked_until(session: Session, *keys: str) -> datetime | None:
    """Say until when one of several keys is locked; None if none is."""
    return session.scalar(
        select(PublicFailure.locked_until)
        .where(PublicFailure.key.in_(keys), PublicFailure.locked_until > clock.now())
        .order_by(PublicFailure.locked_until.desc())
        .limit(1)
    )


def count_failure(session: Session, key: str, *, most: int, lasting: timedelta = WINDOW) -> None:
    """Count a failure; the last that is allowed locks the key.

    Args:
        session: the caller's transaction, to be committed although the answer is an error.
        key: what failed.
        most: failures within the window that lock.
        lasting: how long the lock holds.
    """
    now = clock.now()
    table = PublicFailure.__table__.c
    fresh = table.first_at < now - WINDOW
    row = session.execute(
        insert(PublicFailure)
        .values(key=key, failures=1, first_at=now)
        .on_conflict_do_update(
            index_elements=["key"],
            set_={
                "failures": case((fresh, 1), else_=table.failures + 1),
                "first_at": case((fresh, now), else_=table.first_at),
            },
        )
        .returning(PublicFailure.failures)
    ).scalar_one()
    if row >= most:
        failed = session.get_one(PublicFailure, key, populate_existing=True)
        failed.failures, failed.locked_until = 0, now + lasting


def clear(session: Session, key: str) -> None:
    """Forget the failures of a key: it has just succeeded."""
    session.execute(delete(PublicFailure).where(PublicFailure.key == key))


def forget_old(session: Session, actor: Actor) -> None:  # noqa: ARG001 - a job's signature
    """Drop failures that count no more."""
    session.execute(delete(PublicFailure).where(PublicFailure.first_at < clock.now() - 2 * WINDOW))
