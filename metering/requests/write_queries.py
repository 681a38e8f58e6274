"""Reads of commands."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from foundation import clock
from foundation.db import Query
from foundation.errors import NotFound
from foundation.settings import settings
from metering.devices.models import Meter, Terminal
from metering.modbus.profile import office_profiles
from metering.network.models import Point
from metering.requests.books import switching
from metering.requests.models import WriteOutcome, WriteRequest
from metering.requests.rules import FINAL, Progress, Standing, state_of
from metering.requests.types import RELAY, WriteCard, WriteKind, WriteState


def standing_of(session: Session, meter_id: int, *, is_repair_open: bool) -> Standing:
    """Give what is known of a meter before it is switched.

    Raises:
        NotFound: no meter in place has this number.
    """
    row = session.execute(
        select(Terminal.profile, Terminal.silent_since, Point.never_cut, Point.never_cut_until)
        .select_from(Meter)
        .join(Point, Point.id == Meter.point_id)
        .outerjoin(Terminal, Terminal.id == Meter.terminal_id)
        .where(Meter.id == meter_id, Meter.removed_at.is_(None))
    ).first()
    if row is None:
        raise NotFound(what="meter", id=meter_id)
    pending = session.scalar(
        select(func.count())
        .select_from(WriteRequest)
        .where(WriteRequest.meter_id == meter_id, WriteRequest.ended_as.is_(None))
    )
    return Standing(
        commands=commands_of(row.profile),
        never_cut=row.never_cut,
        never_cut_until=row.never_cut_until,
        is_pending=bool(pending),
        is_silent=row.silent_since is not None,
        is_repair_open=is_repair_open,
    )


def commands_of(profile: str | None) -> frozenset[str]:
    """Give what a model may be told: what its relay knows, and its clock if it can be set."""
    known = office_profiles(settings().data_dir).get(profile or "")
    if known is None:
        return frozenset()
    relay = known.control(RELAY)
    words = set(relay.write) if relay is not None else set()
    if known.clock is not None and known.clock.settable:
        words.add(WriteKind.SET_CLOCK.value)
    return frozenset(words)


def _commands() -> Query:
    return (
        select(WriteRequest, WriteOutcome, Meter.meter_no, Meter.point_id)
        .join(Meter, Meter.id == WriteRequest.meter_id)
        .outerjoin(WriteOutcome, WriteOutcome.request_id == WriteRequest.id)
    )


def _cards(session: Session, statement: Query, *, at: datetime | None = None) -> list[WriteCard]:
    now, patience = at or clock.now(), switching().answer
    return [
        _card(
            asked,
            outcome,
            meter_no,
            point_id,
            state_of(_progress(asked, outcome), now=now, patience=patience),
        )
        for asked, outcome, meter_no, point_id in session.execute(statement)
    ]


def _progress(asked: WriteRequest, outcome: WriteOutcome | None) -> Progress:
    return Progress(
        ended_as=asked.ended_as,
        expires_at=asked.expires_at,
        send_before=asked.send_before,
        taken_at=outcome.taken_at if outcome else None,
        answered_at=outcome.answered_at if outcome else None,
        is_verified=outcome.is_verified if outcome else None,
    )


def _card(
    asked: WriteRequest,
    outcome: WriteOutcome | None,
    meter_no: str,
    point_id: int,
    state: WriteState,
) -> WriteCard:
    return WriteCard(
        id=asked.id,
        command_no=asked.command_no,
        meter_id=asked.meter_id,
        meter_no=meter_no,
        point_id=point_id,
        kind=asked.kind,
        state=state,
        reason=asked.reason,
        note=asked.note,
        ticket_no=asked.ticket_no,
        asked_by_id=asked.asked_by_id,
        asked_by=asked.asked_by,
        asked_at=asked.asked_at,
        expires_at=asked.expires_at,
        reviewed_by=asked.reviewed_by,
        reviewed_at=asked.reviewed_at,
        opinion=asked.opinion,
        taken_at=outcome.taken_at if outcome else None,
        answered_at=outcome.answered_at if outcome else None,
        error=outcome.error if outcome else None,
        read_back=outcome.read_back if outcome else None,
        version=asked.version,
    )


def write_card(session: Session, command_no: str) -> WriteCard:
    """Give one command.

    Raises:
        NotFound: none has this number.
    """
    statement = _commands().where(WriteRequest.command_no == command_no)
    found = _cards(session, statement.execution_options(populate_existing=True))
    if not found:
        raise NotFound(what="command", id=command_no)
    return found[0]


def write_cards(
    session: Session,
    *,
    is_open: bool = False,
    meter_id: int | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> list[WriteCard]:
    """List commands, newest first.

    Args:
        session: the caller's transaction.
        is_open: only those whose end is not booked.
        meter_id: only those of a meter.
        before_id: only older ones, for paging.
        limit: how many at most.
    """
    statement = _commands().order_by(WriteRequest.id.desc()).limit(limit)
    if is_open:
        statement = statement.where(WriteRequest.ended_as.is_(None))
    if meter_id is not None:
        statement = statement.where(WriteRequest.meter_id == meter_id)
    if before_id is not None:
        statement = statement.where(WriteRequest.id < before_id)
    return _cards(session, statement)


def count_awaiting(session: Session) -> int:
    """Count the commands that wait for a review and are not void yet."""
    found: Any = session.scalar(
        select(func.count())
        .select_from(WriteRequest)
        .where(
            WriteRequest.ended_as.is_(None),
            WriteRequest.reviewed_at.is_(None),
            WriteRequest.expires_at > clock.now(),
        )
    )
    return int(found)


def writes_to_book(session: Session, *, before: datetime) -> list[WriteCard]:
    """Give commands whose end is certain and not booked, locked against a second booker.

    A command counts as never sent, or as timed out, only when its time was over at
    `before`; an answer counts at once.
    """
    statement = (
        _commands()
        .where(WriteRequest.ended_as.is_(None))
        .order_by(WriteRequest.id)
        .limit(200)
        .with_for_update(of=WriteRequest, skip_locked=True)
    )
    return [card for card in _cards(session, statement, at=before) if card.state in FINAL]
