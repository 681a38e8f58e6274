"""The link owner's side of a command: take it once, say what became of it.

It can only read commands: its database account may write the outcome table and nothing of
the request.
"""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from foundation import clock
from foundation.events import Signal
from foundation.outbox import signal
from metering.devices.models import Meter
from metering.network.models import Point
from metering.requests.models import WriteOutcome, WriteRequest
from metering.requests.rules import is_protected
from metering.requests.types import NeverCut, Order, OrderVoid, WriteKind

SEND_MARGIN = timedelta(seconds=5)
"""An order that waited for this long after its time is not sent; its end is not booked yet."""

TAKE = text(
    """
    WITH due AS (
        SELECT r.id, r.command_no, r.meter_id, r.kind,
               r.kind = 'open' AND p.never_cut IS NOT NULL
                   AND (p.never_cut_until IS NULL OR p.never_cut_until >= :today) AS is_protected
        FROM metering.write_request r
        JOIN metering.meter m ON m.id = r.meter_id AND m.removed_at IS NULL
        JOIN metering.point p ON p.id = m.point_id
        WHERE r.approved_at IS NOT NULL AND r.ended_as IS NULL
          AND r.send_before > :now AND r.meter_id = ANY(:meters)
    ), taken AS (
        INSERT INTO metering.write_outcome
            (request_id, taken_at, taken_by, answered_at, is_verified, error)
        SELECT id, :now, :owner,
               CASE WHEN is_protected THEN CAST(:now AS timestamptz) END,
               CASE WHEN is_protected THEN false END,
               CASE WHEN is_protected THEN 'never_cut' END
        FROM due ON CONFLICT (request_id) DO NOTHING
        RETURNING request_id
    )
    SELECT due.id, due.command_no, due.meter_id, due.kind
    FROM due JOIN taken ON taken.request_id = due.id
    WHERE NOT due.is_protected ORDER BY due.id
    """
)


def meters_with_orders(session: Session) -> list[int]:
    """Give the meters for which approved commands wait; few at any time."""
    return list(
        session.scalars(
            select(WriteRequest.meter_id).where(
                WriteRequest.ended_as.is_(None), WriteRequest.send_before > clock.now()
            )
        )
    )


def take_orders(session: Session, owner: str, meter_ids: Collection[int]) -> list[Order]:
    """Take approved, unexpired commands for meters this poller asks, each once for ever.

    The never-cut mark is looked at again here: a point that got it since the approval is
    not switched, and the outcome says so. The caller commits before it sends anything.
    """
    rows = session.execute(
        TAKE,
        {
            "now": clock.now(),
            "today": clock.business_date(),
            "owner": owner,
            "meters": list(meter_ids),
        },
    )
    return [Order(row[0], row[1], row[2], WriteKind(row[3])) for row in rows]


def look_again(session: Session, order: Order) -> None:
    """Look at a command once more, right before it is written to the wire.

    Raises:
        NeverCut: its point is on the list by now.
        OrderVoid: its time is over, or it was ended otherwise.
    """
    row = session.execute(
        select(
            Point.never_cut,
            Point.never_cut_until,
            WriteRequest.send_before,
            WriteRequest.ended_as,
        )
        .select_from(WriteRequest)
        .join(Meter, Meter.id == WriteRequest.meter_id)
        .join(Point, Point.id == Meter.point_id)
        .where(WriteRequest.id == order.request_id, WriteRequest.approved_at.is_not(None))
    ).first()
    if row is None or row.ended_as is not None or clock.now() > row.send_before + SEND_MARGIN:
        raise OrderVoid(command_no=order.command_no)
    if order.kind is WriteKind.OPEN and is_protected(
        row.never_cut, row.never_cut_until, clock.business_date()
    ):
        raise NeverCut(command_no=order.command_no)


def finish_order(
    session: Session,
    order: Order,
    *,
    is_verified: bool | None,
    error: str | None = None,
    read_back: dict[str, Any] | None = None,
) -> None:
    """Say what became of a command.

    Args:
        session: the caller's transaction.
        order: as it was taken.
        is_verified: the terminal shows what was asked; None where nobody knows.
        error: stable code of what went wrong.
        read_back: what the terminal showed.
    """
    session.execute(
        update(WriteOutcome)
        .where(WriteOutcome.request_id == order.request_id, WriteOutcome.answered_at.is_(None))
        .values(answered_at=clock.now(), is_verified=is_verified, error=error, read_back=read_back)
    )
    signal(
        session,
        Signal("commands", order.command_no),
        Signal("meter", str(order.meter_id), order.request_id),
    )
