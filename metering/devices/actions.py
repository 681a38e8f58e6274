"""Fitting and removing meters; putting terminals into service and out of it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select, text, update
from sqlalchemy.orm import Session

from foundation import clock
from foundation.actor import Actor
from foundation.audit import Act, record
from foundation.errors import BadData, LostRace, NotFound
from metering.devices.manners import usual
from metering.devices.models import AskedSpan, Meter, Terminal
from metering.devices.rules import DAY_S, interval_of
from metering.devices.timetable import load_timetable
from metering.devices.types import (
    FLEET_CHANNEL,
    Manner,
    MeterGone,
    MeterNoTaken,
    PointOccupied,
    fleet_part,
)
from metering.network.models import Point
from metering.network.types import PointClass

REMOVED = Act.of("meter.removed", "removed_at", "end_wh")
SERVICE = Act.of("terminal.service", "in_service", "reason")
INTERVAL = Act.of("terminal.interval", "before", "after", "own")
MANNER = Act.of("terminal.manner", "address", "before", "after")


@dataclass(frozen=True, slots=True)
class Registers:
    """What a meter's import register shows when it is fitted, and where it begins again.

    Attributes:
        start_wh: at fitting [Wh, primary]; None if nobody read it.
        limit_wh: where it goes back to zero [Wh, primary]; None if it never does.
    """

    start_wh: int | None = None
    limit_wh: int | None = None


def add_terminal(
    session: Session,
    terminal_no: str,
    *,
    profile: str,
    host: str,
    port: int,
    unit: int,
    interval_s: int | None = None,
    site: str = "",
    manner: Manner | None = None,
    in_service: bool = True,
) -> int:
    """Add a terminal, or give the one of this number.

    Args:
        session: the caller's transaction.
        terminal_no: its number.
        profile: name of its profile.
        host: name or address.
        port: TCP port.
        unit: Modbus unit id.
        interval_s: an interval of its own [s]; without one it follows its meter's point.
        site: only pollers of this site may ask it.
        manner: of its connection, the same for all terminals behind it.
        in_service: whether it may be asked.
    """
    known = session.scalar(select(Terminal.id).where(Terminal.terminal_no == terminal_no))
    if known is not None:
        return known
    manner = manner or Manner()
    row = Terminal(
        terminal_no=terminal_no,
        profile=profile,
        host=host,
        port=port,
        unit=unit,
        own_interval=interval_s is not None,
        interval_s=interval_s or interval_of(load_timetable(), PointClass.LOW_VOLTAGE),
        site=site,
        framing=manner.framing,
        depth=manner.depth,
        line=manner.line,
        in_service=in_service,
    )
    session.add(row)
    session.flush()
    return row.id


def install_meter(
    session: Session,
    meter_no: str,
    *,
    point_id: int,
    terminal_id: int | None,
    installed_at: datetime,
    ct: int = 1,
    pt: int = 1,
    rated_a: int = 5,
    registers: Registers | None = None,
) -> int:
    """Fit a meter at a point; the pollers learn of it when the caller commits.

    Raises:
        MeterNoTaken: another meter has this number.
        PointOccupied: a meter stands there already.
    """
    if session.scalar(select(Meter.id).where(Meter.meter_no == meter_no)) is not None:
        raise MeterNoTaken(meter_no=meter_no)
    standing = session.scalar(
        select(Meter.meter_no).where(Meter.point_id == point_id, Meter.removed_at.is_(None))
    )
    if standing is not None:
        raise PointOccupied(meter_no=standing)
    registers = registers or Registers()
    row = Meter(
        meter_no=meter_no,
        point_id=point_id,
        terminal_id=terminal_id,
        ct=ct,
        pt=pt,
        rated_a=rated_a,
        installed_at=installed_at,
        start_wh=registers.start_wh,
        register_wh=registers.limit_wh,
    )
    session.add(row)
    session.flush()
    if terminal_id is not None:
        terminal = session.get_one(Terminal, terminal_id)
        if not terminal.own_interval:
            terminal.interval_s = _interval_by_class(session, point_id)
        if terminal.in_service:
            _ask_from(session, row.id, terminal, max(installed_at, clock.now()))
        announce_fleet(session, terminal)
    return row.id


def remove_meter(
    session: Session,
    actor: Actor,
    meter_no: str,
    *,
    removed_at: datetime,
    end_wh: int | None = None,
) -> None:
    """Take a meter away from its point; it is read no more.

    Args:
        session: the caller's transaction.
        actor: who answers for it.
        meter_no: its number.
        removed_at: when it was taken away.
        end_wh: its import register then [Wh, primary] (拆表示数); None if nobody read it.

    Raises:
        NotFound: there is no such meter.
        MeterGone: it was removed before.
    """
    meter = session.scalar(select(Meter).where(Meter.meter_no == meter_no).with_for_update())
    if meter is None:
        raise NotFound(what="meter", id=meter_no)
    if meter.removed_at is not None:
        raise MeterGone(meter_no=meter_no, at=meter.removed_at.isoformat())
    meter.removed_at, meter.end_wh = removed_at, end_wh
    _ask_until(session, meter.id, removed_at)
    if meter.terminal_id is not None:
        announce_fleet(session, session.get_one(Terminal, meter.terminal_id))
    record(
        session,
        actor,
        REMOVED,
        subject=("meter", meter_no),
        removed_at=removed_at.isoformat(),
        end_wh=end_wh,
    )


def set_in_service(
    session: Session, actor: Actor, terminal_no: str, *, in_service: bool, reason: str
) -> None:
    """Put a terminal into service or out of it; out of service it is not missed.

    Raises:
        NotFound: there is no such terminal.
    """
    terminal = _locked(session, terminal_no)
    if terminal.in_service == in_service:
        return
    terminal.in_service = in_service
    terminal.failed_rounds, terminal.silent_since, terminal.last_error = 0, None, None
    meter_id = _meter_of(session, terminal)
    if meter_id is not None:
        if in_service:
            _ask_from(session, meter_id, terminal, clock.now())
        else:
            _ask_until(session, meter_id, clock.now())
    announce_fleet(session, terminal)
    record(
        session,
        actor,
        SERVICE,
        subject=("terminal", terminal_no),
        in_service=in_service,
        reason=reason,
    )


def set_manner(
    session: Session, actor: Actor, terminal_no: str, manner: Manner, *, seen: str
) -> None:
    """Say how a terminal's connection is talked to, with all others behind it; links reopen.

    Args:
        session: the caller's transaction.
        actor: who answers for it.
        terminal_no: any terminal behind the connection.
        manner: the new one.
        seen: the old one as the actor saw it, `str(Manner)`.

    Raises:
        NotFound: there is no such terminal.
        MannerWrong: such a connection cannot be.
        LostRace: somebody changed it since.
    """
    terminal = _found(session.scalar(_numbered(terminal_no)), terminal_no)
    manner = usual(terminal.host, manner)
    behind = (Terminal.host == terminal.host, Terminal.port == terminal.port)
    # All in one order, so that two who change one connection wait and do not deadlock.
    session.execute(select(Terminal.id).where(*behind).order_by(Terminal.id).with_for_update())
    session.refresh(terminal)
    before = Manner(terminal.framing, terminal.depth, terminal.line)
    if str(before) != seen:
        raise LostRace
    if manner == before:
        return
    session.execute(
        update(Terminal)
        .where(*behind)
        .values(framing=manner.framing, depth=manner.depth, line=manner.line)
    )
    announce_fleet(session, terminal)
    record(
        session,
        actor,
        MANNER,
        subject=("terminal", terminal_no),
        address=f"{terminal.host}:{terminal.port}",
        before=str(before),
        after=str(manner),
    )


def set_interval(
    session: Session, actor: Actor, terminal_no: str, *, interval_s: int | None
) -> None:
    """Give a terminal an interval of its own, or (None) that of its point's class.

    Raises:
        NotFound: there is no such terminal.
        BadData: the interval is no divisor of a day.
    """
    terminal = _locked(session, terminal_no)
    meter_id = _meter_of(session, terminal)
    if interval_s is not None and (interval_s <= 0 or DAY_S % interval_s):
        raise BadData(field="interval_s", expected="a divisor of a day")
    wanted = interval_s
    if wanted is None and meter_id is not None:
        wanted = _interval_by_class(session, session.get_one(Meter, meter_id).point_id)
    before = terminal.interval_s
    terminal.own_interval, terminal.interval_s = interval_s is not None, wanted or before
    if meter_id is not None and terminal.in_service and terminal.interval_s != before:
        _ask_until(session, meter_id, clock.now())
        _ask_from(session, meter_id, terminal, clock.now())
    announce_fleet(session, terminal)
    record(
        session,
        actor,
        INTERVAL,
        subject=("terminal", terminal_no),
        before=before,
        after=terminal.interval_s,
        own=terminal.own_interval,
    )


def announce_fleet(session: Session, terminal: Terminal | None = None) -> None:
    """Tell the pollers, on commit, to load the fleet again, or the part a terminal is in."""
    part = "" if terminal is None else fleet_part(terminal.site, terminal.shard)
    session.execute(
        text("SELECT pg_notify(:channel, :part)"), {"channel": FLEET_CHANNEL, "part": part}
    )


def _locked(session: Session, terminal_no: str) -> Terminal:
    return _found(session.scalar(_numbered(terminal_no).with_for_update()), terminal_no)


def _numbered(terminal_no: str) -> Select[Terminal]:
    return select(Terminal).where(Terminal.terminal_no == terminal_no)


def _found(terminal: Terminal | None, terminal_no: str) -> Terminal:
    if terminal is None:
        raise NotFound(what="terminal", id=terminal_no)
    return terminal


def _meter_of(session: Session, terminal: Terminal) -> int | None:
    return session.scalar(
        select(Meter.id).where(Meter.terminal_id == terminal.id, Meter.removed_at.is_(None))
    )


def _interval_by_class(session: Session, point_id: int) -> int:
    return interval_of(load_timetable(), session.get_one(Point, point_id).point_class)


def _ask_from(session: Session, meter_id: int, terminal: Terminal, since: datetime) -> None:
    session.add(
        AskedSpan(
            meter_id=meter_id,
            terminal_id=terminal.id,
            interval_s=terminal.interval_s,
            since=since,
        )
    )


def _ask_until(session: Session, meter_id: int, until: datetime) -> None:
    span = session.scalar(
        select(AskedSpan).where(AskedSpan.meter_id == meter_id, AskedSpan.until.is_(None))
    )
    if span is None:
        return
    if span.since >= until:
        session.delete(span)
    else:
        span.until = until
    session.flush()
    session.execute(
        text("DELETE FROM metering.gap WHERE meter_id = :meter_id AND ts >= :until"),
        {"meter_id": meter_id, "until": until},
    )
