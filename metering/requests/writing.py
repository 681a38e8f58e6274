"""Asking for a command, and the second person's review (遥控复核)."""

from datetime import timedelta

from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from foundation import clock, outbox
from foundation.actor import Actor
from foundation.audit import Act, record
from foundation.events import Signal
from foundation.flow.calendar import office_calendar
from foundation.numbering import next_daily
from metering.requests.books import switching
from metering.requests.models import WriteRequest
from metering.requests.rules import checks, forbidding
from metering.requests.types import (
    REQUEST_CHANNEL,
    Check,
    Checked,
    MeterNotConfirmed,
    NewWrite,
    OpinionMissing,
    SecondPersonNeeded,
    WriteCard,
    WriteChanged,
    WriteKind,
    WriteReasonMissing,
    WriteRefused,
    WriteState,
    WritesVerified,
)
from metering.requests.write_queries import standing_of, write_card, writes_to_book

WRITE_ASKED = Act.of("write.asked", "meter", "kind", "reason", "note", "ticket")
WRITE_REVIEWED = Act.of("write.reviewed", "meter", "kind", "approved", "opinion")
WRITE_WITHDRAWN = Act.of("write.withdrawn", "meter", "kind")
WRITE_ENDED = Act.of("write.ended", "meter", "kind", "state", "error", "read_back")

CLOSING_MARGIN = timedelta(seconds=10)
"""An order taken right before its limit is committed and sent within this, or not at all."""


def write_checks(
    session: Session, meter_id: int, kind: WriteKind, *, is_repair_open: bool
) -> list[Checked]:
    """Look at everything that may speak against switching a meter now.

    Raises:
        NotFound: this meter does not stand anywhere.
    """
    standing = standing_of(session, meter_id, is_repair_open=is_repair_open)
    return checks(kind, standing, rules=switching(), at=clock.now(), calendar=office_calendar())


def cutting_hours() -> tuple[str, str]:
    """Give from when until when supply may be taken away, as HH:MM of the office's zone."""
    rules = switching()
    return rules.opens_from, rules.opens_until


def write_reasons(kind: WriteKind) -> tuple[str, ...]:
    """Give the words people choose a reason from."""
    return switching().reasons.of(kind)


def ask_write(session: Session, actor: Actor, new: NewWrite) -> str:
    """Ask for a meter's relay to be switched; a second person has to approve it.

    Returns:
        The command's number.

    Raises:
        WriteReasonMissing: no reason of the list, or one that has to be explained.
        WriteRefused: a binding check forbids it.
    """
    rules = switching()
    note = new.note.strip()
    if new.reason not in rules.reasons.of(new.kind):
        raise WriteReasonMissing(field="reason")
    if new.reason in rules.reasons.explained and not note:
        raise WriteReasonMissing(field="note")
    _refuse(session, new.meter_id, new.kind, is_repair_open=new.is_repair_open)
    now = clock.now()
    row = WriteRequest(
        command_no=next_daily(session, "ZL"),
        meter_id=new.meter_id,
        kind=new.kind,
        reason=new.reason,
        note=note,
        ticket_no=new.ticket_no.strip(),
        asked_by_id=actor.id,
        asked_by=actor.name,
        asked_at=now,
        expires_at=now + timedelta(minutes=rules.review_minutes),
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError as twice:  # somebody asked for this meter in the same moment
        raise WriteRefused(checks=[Check.NOTHING_PENDING]) from twice
    card = write_card(session, row.command_no)
    record(
        session,
        actor,
        WRITE_ASKED,
        subject=("command", row.command_no),
        meter=card.meter_no,
        kind=new.kind,
        reason=new.reason,
        note=note,
        ticket=row.ticket_no,
    )
    _tell(session, card)
    return row.command_no


def _refuse(session: Session, meter_id: int, kind: WriteKind, *, is_repair_open: bool) -> None:
    against = forbidding(write_checks(session, meter_id, kind, is_repair_open=is_repair_open))
    if against:
        raise WriteRefused(checks=against)


def approve_write(
    session: Session,
    actor: Actor,
    command_no: str,
    *,
    version: int,
    ending: str,
    opinion: str,
    is_repair_open: bool = False,
) -> None:
    """Approve a command as the second person; the link's owner hears of it on commit.

    Args:
        session: the caller's transaction.
        actor: who reviews; another person than the one who asked.
        command_no: ZL-...
        version: as the reviewer saw it.
        ending: the last four characters of the meter's number, typed.
        opinion: why it is right.
        is_repair_open: as in `NewWrite`.

    Raises:
        SecondPersonNeeded, MeterNotConfirmed, OpinionMissing: the review is not one.
        WriteRefused: a binding check forbids it by now.
        WriteChanged: somebody was first, or its time is over.
    """
    card = _reviewable(session, actor, command_no, opinion)
    if ending.strip().upper() != card.meter_ending.upper():
        raise MeterNotConfirmed(field="ending")
    found = write_checks(session, card.meter_id, card.kind, is_repair_open=is_repair_open)
    against = [one for one in forbidding(found) if one is not Check.NOTHING_PENDING]
    if against:
        raise WriteRefused(checks=against)
    now = clock.now()
    _move(
        session,
        card,
        version,
        reviewed_by_id=actor.id,
        reviewed_by=actor.name,
        reviewed_at=now,
        opinion=opinion.strip(),
        approved_at=now,
        send_before=now + switching().answer,
    )
    _record_review(session, actor, card, opinion, approved=True)
    session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": REQUEST_CHANNEL})


def reject_write(
    session: Session, actor: Actor, command_no: str, *, version: int, opinion: str
) -> None:
    """Reject a command as the second person; it is never sent.

    Raises:
        SecondPersonNeeded, OpinionMissing: the review is not one.
        WriteChanged: somebody was first, or its time is over.
    """
    card = _reviewable(session, actor, command_no, opinion)
    now = clock.now()
    _move(
        session,
        card,
        version,
        reviewed_by_id=actor.id,
        reviewed_by=actor.name,
        reviewed_at=now,
        opinion=opinion.strip(),
        ended_as=WriteState.REJECTED,
        ended_at=now,
    )
    _record_review(session, actor, card, opinion, approved=False)


def _reviewable(session: Session, actor: Actor, command_no: str, opinion: str) -> WriteCard:
    card = write_card(session, command_no)
    if actor.id is None or actor.id == card.asked_by_id:
        raise SecondPersonNeeded(by=card.asked_by)
    if not opinion.strip():
        raise OpinionMissing(field="opinion")
    return card


def _record_review(
    session: Session, actor: Actor, card: WriteCard, opinion: str, *, approved: bool
) -> None:
    record(
        session,
        actor,
        WRITE_REVIEWED,
        subject=("command", card.command_no),
        meter=card.meter_no,
        kind=card.kind,
        approved=approved,
        opinion=opinion.strip(),
    )


def withdraw_write(session: Session, actor: Actor, command_no: str, *, version: int) -> None:
    """Take back a command nobody has reviewed yet; only whoever asked for it may.

    Raises:
        SecondPersonNeeded: somebody else asked for it: reject it instead.
        WriteChanged: somebody was first, or its time is over.
    """
    card = write_card(session, command_no)
    if actor.id != card.asked_by_id:
        raise SecondPersonNeeded(by=card.asked_by)
    _move(session, card, version, ended_as=WriteState.WITHDRAWN, ended_at=clock.now())
    record(
        session,
        actor,
        WRITE_WITHDRAWN,
        subject=("command", card.command_no),
        meter=card.meter_no,
        kind=card.kind,
    )


def _move(session: Session, card: WriteCard, version: int, **values: object) -> None:
    """Change a command that still waits for review, if it is as its reader saw it."""
    changed = session.execute(
        update(WriteRequest)
        .where(
            WriteRequest.id == card.id,
            WriteRequest.version == version,
            WriteRequest.reviewed_at.is_(None),
            WriteRequest.ended_as.is_(None),
            WriteRequest.expires_at > clock.now(),
        )
        .values(version=WriteRequest.version + 1, **values)
        .returning(WriteRequest.id)
    ).first()
    if changed is None:
        row = session.execute(
            select(WriteRequest.reviewed_by, WriteRequest.reviewed_at, WriteRequest.asked_by)
            .where(WriteRequest.id == card.id)
        ).one()  # fmt: skip
        raise WriteChanged(by=row[0] or row[2], at=row[1] or card.expires_at, state=card.state)
    _tell(session, card)


def _tell(session: Session, card: WriteCard) -> None:
    outbox.signal(
        session,
        Signal("commands", card.command_no, card.version),
        Signal("meter", str(card.meter_id), card.id),
    )


def book_ended_writes(session: Session, actor: Actor) -> int:
    """Book the end of commands that have one: audit, event, and room for the next command.

    Returns:
        How many ended.
    """
    now = clock.now()
    ended = writes_to_book(session, before=now - CLOSING_MARGIN)
    if not ended:
        return 0
    session.execute(
        update(WriteRequest),
        [{"id": card.id, "ended_as": card.state, "ended_at": now} for card in ended],
    )
    for card in ended:
        record(
            session,
            actor,
            WRITE_ENDED,
            subject=("command", card.command_no),
            meter=card.meter_no,
            kind=card.kind,
            state=card.state,
            error=card.error,
            read_back=card.read_back,
        )
        _tell(session, card)
    facts = tuple(
        {
            "command_no": card.command_no,
            "meter_id": card.meter_id,
            "point_id": card.point_id,
            "kind": card.kind.value,
            "state": card.state.value,
        }
        for card in ended
    )
    outbox.publish(session, actor, WritesVerified(writes=facts))
    return len(ended)
