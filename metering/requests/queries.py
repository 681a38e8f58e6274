"""Reads of on-demand requests."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation import clock
from metering.requests.models import ReadRequest
from metering.requests.types import RawBlock, RawRead, ReadRequestCard, RequestState

NEWS = timedelta(minutes=2)
"""How long a screen tells what became of a request."""


def newest_request(session: Session, meter_id: int) -> ReadRequestCard | None:
    """Give the last on-demand read of a meter; one past its time shows as expired."""
    row = session.execute(
        select(
            ReadRequest.id,
            ReadRequest.meter_id,
            ReadRequest.state,
            ReadRequest.asked_by,
            ReadRequest.asked_at,
            ReadRequest.answered_at,
            ReadRequest.error,
            ReadRequest.expires_at,
        )
        .where(ReadRequest.meter_id == meter_id)
        .order_by(ReadRequest.id.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    state = row.state
    if state is RequestState.ASKED and row.expires_at < clock.now():
        state = RequestState.EXPIRED
    return ReadRequestCard(
        row.id,
        row.meter_id,
        state,
        row.asked_by,
        row.asked_at,
        row.answered_at,
        row.error,
        is_fresh=clock.now() - row.asked_at < NEWS,
    )


def newest_raw(session: Session, meter_id: int) -> RawRead | None:
    """Give the newest on-demand read of a meter whose reply was kept; None if none was."""
    row = session.execute(
        select(ReadRequest.answered_at, ReadRequest.asked_by, ReadRequest.raw)
        .where(
            ReadRequest.meter_id == meter_id,
            ReadRequest.answered_at.is_not(None),
            ReadRequest.raw.is_not(None),
        )
        .order_by(ReadRequest.id.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    blocks = tuple(RawBlock(one["function"], one["address"], one["data"]) for one in row.raw)
    return RawRead(row.answered_at, row.asked_by, blocks)


def open_requests(session: Session) -> list[tuple[int, int]]:
    """Give unanswered, unexpired requests as (request, meter), oldest first."""
    rows = session.execute(
        select(ReadRequest.id, ReadRequest.meter_id)
        .where(ReadRequest.state == RequestState.ASKED, ReadRequest.expires_at > clock.now())
        .order_by(ReadRequest.id)
        .limit(200)
    )
    return [(row[0], row[1]) for row in rows]
