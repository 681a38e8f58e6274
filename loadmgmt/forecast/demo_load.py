"""The demo town's telemetry: its whole load, replayed as time goes on."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from foundation import clock
from loadmgmt.forecast.histories import quarter_of, store_loads
from loadmgmt.forecast.models import LoadHistory
from loadmgmt.forecast.types import QUARTER, LoadSource, NewLoad
from metering.api.simulation import simulated_system_load
from metering.api.types import SYSTEM

BACK = timedelta(days=364)
"""One run through the extract: further back it would repeat itself."""


def replay(session: Session) -> int:
    """Write the quarter hours that have ended since the last one known; give how many."""
    end = quarter_of(clock.now())
    newest: datetime | None = session.scalar(
        select(func.max(LoadHistory.ts)).where(
            LoadHistory.subject == SYSTEM.key, LoadHistory.source == LoadSource.IMPORT
        )
    )
    start = max(newest + QUARTER, end - BACK) if newest else end - BACK
    slots = [start + QUARTER * place for place in range(int((end - start) / QUARTER))]
    rows = [NewLoad(slot, kw) for slot, kw in zip(slots, simulated_system_load(slots), strict=True)]
    return store_loads(session, SYSTEM, rows, source=LoadSource.IMPORT)
