"""Fitting meters and terminals."""

from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from metering.devices.models import Meter, Terminal
from metering.devices.types import FLEET_CHANNEL, MeterNoTaken, PointOccupied


def add_terminal(
    session: Session,
    terminal_no: str,
    *,
    profile: str,
    host: str,
    port: int,
    unit: int,
    interval_s: int,
) -> int:
    """Add a terminal, or give the one of this number."""
    known = session.scalar(select(Terminal.id).where(Terminal.terminal_no == terminal_no))
    if known is not None:
        return known
    row = Terminal(
        terminal_no=terminal_no,
        profile=profile,
        host=host,
        port=port,
        unit=unit,
        interval_s=interval_s,
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
    row = Meter(
        meter_no=meter_no,
        point_id=point_id,
        terminal_id=terminal_id,
        ct=ct,
        pt=pt,
        rated_a=rated_a,
        installed_at=installed_at,
    )
    session.add(row)
    session.flush()
    announce_fleet(session)
    return row.id


def announce_fleet(session: Session) -> None:
    """Tell the pollers, on commit, to load the fleet again."""
    session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": FLEET_CHANNEL})
