"""Asking for a read, and answering it."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from sqlalchemy import insert, null, select, text, update
from sqlalchemy.orm import Session

from foundation import clock
from foundation.actor import Actor
from foundation.events import Signal
from foundation.outbox import signal
from metering.devices.models import Meter
from metering.requests.models import ReadRequest
from metering.requests.types import REQUEST_CHANNEL, NoTerminal, RawBlock, RequestState

PATIENCE = timedelta(seconds=10)


def ask(session: Session, actor: Actor, meter_id: int) -> int:
    """Ask for a meter to be read now; give the request's number.

    The links' owner hears of it when the caller commits. A request that is still open is
    not asked again: two people looking at one meter share the answer.

    Raises:
        NoTerminal: the meter has none.
    """
    meter = session.get(Meter, meter_id)
    if meter is None or meter.terminal_id is None:
        raise NoTerminal(meter_no=meter.meter_no if meter else str(meter_id))
    now = clock.now()
    open_one = session.scalar(
        select(ReadRequest.id).where(
            ReadRequest.meter_id == meter_id,
            ReadRequest.state == RequestState.ASKED,
            ReadRequest.expires_at > now,
        )
    )
    if open_one is not None:
        return open_one
    row = ReadRequest(
        meter_id=meter_id, asked_by=actor.name, asked_at=now, expires_at=now + PATIENCE
    )
    session.add(row)
    session.flush()
    session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": REQUEST_CHANNEL})
    signal(session, Signal("meter", str(meter_id), row.id))
    return row.id


def ask_all(session: Session, actor: Actor, meter_ids: Collection[int]) -> int:
    """Ask for several meters to be read now; give how many are asked that were not already.

    Meters without a terminal are left out.
    """
    now = clock.now()
    asked = select(ReadRequest.meter_id).where(
        ReadRequest.state == RequestState.ASKED, ReadRequest.expires_at > now
    )
    wanted = session.scalars(
        select(Meter.id)
        .where(Meter.id.in_(meter_ids), Meter.terminal_id.is_not(None), Meter.id.not_in(asked))
        .order_by(Meter.id)
    ).all()
    if not wanted:
        return 0
    common = {"asked_by": actor.name, "asked_at": now, "expires_at": now + PATIENCE}
    session.execute(
        insert(ReadRequest),
        [{"meter_id": one, "state": RequestState.ASKED, **common} for one in wanted],
    )
    session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": REQUEST_CHANNEL})
    return len(wanted)


def answer(
    session: Session,
    request_id: int,
    meter_id: int,
    *,
    at: datetime,
    error: str | None = None,
    raw: Sequence[RawBlock] = (),
) -> None:
    """Note the answer of a request, or what went wrong; an expired one stays expired.

    Args:
        session: the caller's transaction.
        request_id: which request.
        meter_id: of which meter.
        at: when the answer was there.
        error: stable code of what went wrong.
        raw: what was answered, as it came.
    """
    session.execute(
        update(ReadRequest)
        .where(ReadRequest.id == request_id, ReadRequest.state == RequestState.ASKED)
        .values(
            state=RequestState.FAILED if error else RequestState.ANSWERED,
            answered_at=at,
            error=error,
            raw=[asdict(one) for one in raw] or null(),
        )
    )
    signal(session, Signal("meter", str(meter_id), request_id))
