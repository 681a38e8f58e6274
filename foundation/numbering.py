"""Numbers people say aloud: GD-260618-0187, counted per prefix and office day."""

from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Mapped, Session, mapped_column

from foundation import clock
from foundation.db import Base


class NumberSeries(Base):
    """The last number given out for a prefix on a day."""

    __tablename__ = "number_series"

    prefix: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    last: Mapped[int]


def next_daily(session: Session, prefix: str, *, digits: int = 4) -> str:
    """Give the next number of a prefix today, e.g. `GD-260618-0187`.

    The row is held until the caller commits, so numbers have no gaps and no doubles.
    """
    day = clock.business_date()
    last = session.execute(
        text(
            "INSERT INTO foundation.number_series AS s (prefix, day, last)"
            " VALUES (:prefix, :day, 1)"
            " ON CONFLICT (prefix, day) DO UPDATE SET last = s.last + 1 RETURNING last"
        ),
        {"prefix": prefix, "day": day},
    ).scalar_one()
    return f"{prefix}-{day:%y%m%d}-{last:0{digits}d}"


RUNNING = date(1970, 1, 1)  # the "day" of a series that never begins anew


def next_running(session: Session, prefix: str, *, digits: int, above: int = 0) -> str:
    """Give the next number of a series that never begins anew, e.g. account `9900001043`.

    The row is held until the caller commits: a transaction that is rolled back leaves no
    gap, and two never get the same.

    Args:
        session: the caller's transaction.
        prefix: what every number begins with.
        digits: how many follow it.
        above: the highest number known from elsewhere (an import, an older system).
    """
    last = session.execute(
        text(
            "INSERT INTO foundation.number_series AS s (prefix, day, last)"
            " VALUES (:prefix, :day, :above + 1) ON CONFLICT (prefix, day)"
            " DO UPDATE SET last = greatest(s.last, :above) + 1 RETURNING last"
        ),
        {"prefix": prefix, "day": RUNNING, "above": above},
    ).scalar_one()
    return f"{prefix}{last:0{digits}d}"
