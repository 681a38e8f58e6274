"""The least of a load."""

import math
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from loadmgmt.forecast.histories import store_loads
from loadmgmt.forecast.types import QUARTER, LoadSource, NewLoad
from metering.api.types import SYSTEM, Subject


def kw_at(at: datetime) -> float:
    """Give a load that follows the time of day and grows a little by the week [kW]."""
    hours = at.timestamp() / 3600
    return round(500 + 120 * math.sin(hours / 12 * math.pi) + hours / 24, 3)


def loads(
    session: Session,
    *,
    until: datetime,
    days: int,
    subject: Subject = SYSTEM,
    source: LoadSource = LoadSource.IMPORT,
) -> None:
    """Store the whole history of so many days before an instant."""
    start = until - timedelta(days=days)
    slots = [start + QUARTER * place for place in range(days * 96)]
    rows = [NewLoad(slot, kw_at(slot)) for slot in slots]
    store_loads(session, subject, rows, source=source)
