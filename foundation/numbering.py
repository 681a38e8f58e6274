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
