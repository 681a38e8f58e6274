"""What stands already of a list of devices, and what that means for each of its rows."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from metering.devices.listing import ReadRow
from metering.devices.models import Meter, Terminal
from metering.devices.profiles import ProfileCard
from metering.devices.types import (
    CheckedRow,
    DeviceRow,
    Framing,
    Manner,
    RowProblem,
    RowVerdict,
)
from metering.network.models import Point, TransformerArea
from metering.network.types import Supply

Address = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class KnownPoint:
    """A metering point there is, and the meter that stands at it."""

    area_no: str
    box_no: str
    supply: Supply
    meter_no: str | None


@dataclass(frozen=True, slots=True)
class KnownMeter:
    """A meter there is or was."""

    point_no: str
    terminal_no: str | None
    ct: int
    pt: int
    is_removed: bool


@dataclass(frozen=True, slots=True)
class KnownTerminal:
    """A terminal there is, and the meter it reads."""

    profile: str
    address: Address
    meter_no: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """All that stands of what a list names, by number; terminals and connections by address."""

    areas: Collection[str]
    points: Mapping[str, KnownPoint]
    meters: Mapping[str, KnownMeter]
    terminals: Mapping[str, KnownTerminal]
    at: Mapping[Address, str]
    manners: Mapping[tuple[str, int], Manner]


def standing(session: Session, rows: Collection[DeviceRow]) -> Standing:
    """Look up all that a list names: five queries, however long it is."""
    named = {one.area_no for one in rows}
    areas = session.scalars(
        select(TransformerArea.area_no).where(TransformerArea.area_no.in_(named))
    )
    points: Iterable[Any] = session.execute(
        select(Point.point_no, TransformerArea.area_no, Point.box_no, Point.supply, Meter.meter_no)
        .join(TransformerArea, TransformerArea.id == Point.area_id)
        .outerjoin(Meter, (Meter.point_id == Point.id) & Meter.removed_at.is_(None))
        .where(Point.point_no.in_({one.point_no for one in rows}))
    )
    meters: Iterable[Any] = session.execute(
        select(
            Meter.meter_no,
            Point.point_no,
            Terminal.terminal_no,
            Meter.ct,
            Meter.pt,
            Meter.removed_at.is_not(None),
        )
        .join(Point, Point.id == Meter.point_id)
        .outerjoin(Terminal, Terminal.id == Meter.terminal_id)
        .where(Meter.meter_no.in_({one.meter_no for one in rows}))
    )
    asked = [one for one in rows if one.terminal_no]
    terminals = session.execute(
        text(
            "SELECT t.terminal_no, t.profile, t.host, t.port, t.unit, m.meter_no"
            " FROM metering.terminal t"
            " LEFT JOIN metering.meter m ON m.terminal_id = t.id AND m.removed_at IS NULL"
            " WHERE t.terminal_no = ANY(:numbers) OR (t.host, t.port, t.unit) IN (SELECT * FROM"
            " unnest(CAST(:hosts AS text[]), CAST(:ports AS int[]), CAST(:units AS int[])))"
        ),
        {
            "numbers": [one.terminal_no for one in asked],
            "hosts": [one.host for one in asked],
            "ports": [one.port for one in asked],
            "units": [one.unit for one in asked],
        },
    ).all()
    return Standing(
        areas=set(areas),
        points={row[0]: KnownPoint(*row[1:]) for row in points},
        meters={row[0]: KnownMeter(*row[1:]) for row in meters},
        terminals={
            number: KnownTerminal(profile, (host, port, unit), meter_no)
            for number, profile, host, port, unit, meter_no in terminals
        },
        at={(host, port, unit): number for number, _, host, port, unit, _ in terminals},
        manners=_manners(session, asked),
    )


def _manners(session: Session, asked: Collection[DeviceRow]) -> dict[tuple[str, int], Manner]:
    """Look up how the connections a list names are talked to."""
    rows = session.execute(
        text(
            "SELECT DISTINCT ON (t.host, t.port) t.host, t.port, t.framing, t.depth, t.line"
            " FROM metering.terminal t WHERE (t.host, t.port) IN (SELECT * FROM"
            " unnest(CAST(:hosts AS text[]), CAST(:ports AS int[])))"
        ),
        {"hosts": [one.host for one in asked], "ports": [one.port for one in asked]},
    )
    return {
        (host, port): Manner(Framing(framing), depth, line)
        for host, port, framing, depth, line in rows
    }


def checked(one: ReadRow, now: Standing, profiles: Mapping[str, ProfileCard]) -> CheckedRow:
    """Judge one row by what stands."""
    row = one.row
    if row is None:
        return CheckedRow(one.line, one.said, RowVerdict.WRONG, (), one.problems)
    problems = tuple(_problems(row, now, profiles))
    if problems:
        return CheckedRow(one.line, one.said, RowVerdict.WRONG, (), problems)
    adds = []
    if row.point_no not in now.points:
        adds.append("point")
    if row.terminal_no and row.terminal_no not in now.terminals:
        adds.append("terminal")
    if row.meter_no not in now.meters:
        adds.append("meter")
    verdict = RowVerdict.NEW if adds else RowVerdict.KNOWN
    return CheckedRow(one.line, one.said, verdict, tuple(adds), ())


def _problems(
    row: DeviceRow, now: Standing, profiles: Mapping[str, ProfileCard]
) -> Iterator[RowProblem]:
    if row.area_no not in now.areas:
        yield RowProblem("area_no", "unknown_area", {"said": row.area_no})
    yield from _of_point(row, now)
    yield from _of_meter(row, now)
    if row.terminal_no:
        yield from _of_profile(row, profiles)
        yield from _of_terminal(row, now)


def _of_point(row: DeviceRow, now: Standing) -> Iterator[RowProblem]:
    point = now.points.get(row.point_no)
    if point is None:
        return
    for column, stands, said in (
        ("area_no", point.area_no, row.area_no),
        ("box_no", point.box_no, row.box_no),
        ("supply", point.supply.value, row.supply.value),
    ):
        if stands != said:
            yield RowProblem(column, "point_differs", {"said": row.point_no, "stands": stands})
    if point.meter_no is not None and point.meter_no != row.meter_no:
        yield RowProblem("point_no", "point_occupied", {"stands": point.meter_no})


def _of_meter(row: DeviceRow, now: Standing) -> Iterator[RowProblem]:
    meter = now.meters.get(row.meter_no)
    if meter is None:
        return
    if meter.is_removed:
        yield RowProblem("meter_no", "meter_removed", {"said": row.meter_no})
        return
    if meter.point_no != row.point_no:
        yield RowProblem("meter_no", "meter_elsewhere", {"stands": meter.point_no})
    if (meter.terminal_no or "") != row.terminal_no:
        stands = meter.terminal_no or "—"
        yield RowProblem("terminal_no", "meter_terminal", {"stands": stands})
    if (meter.ct, meter.pt) != (row.ct, row.pt):
        yield RowProblem("ct", "meter_ratio", {"stands": f"{meter.ct} × {meter.pt}"})


def _of_profile(row: DeviceRow, profiles: Mapping[str, ProfileCard]) -> Iterator[RowProblem]:
    profile = profiles.get(row.profile)
    if profile is None:
        yield RowProblem("profile", "unknown_profile", {"said": row.profile})
    elif profile.phases < len(row.supply.phases):
        yield RowProblem("profile", "phases", {"said": row.profile})


def _of_terminal(row: DeviceRow, now: Standing) -> Iterator[RowProblem]:
    address = (row.host, row.port, row.unit)
    manner = now.manners.get((row.host, row.port))
    said = None if row.inherits else row.manner
    if manner is not None and said is not None and manner != said:
        yield RowProblem("framing", "manner_differs", {"stands": str(manner)})
    known = now.terminals.get(row.terminal_no)
    holder = now.at.get(address)
    if holder is not None and holder != row.terminal_no:
        yield RowProblem("unit", "address_taken", {"stands": holder})
    if known is None:
        return
    if known.address != address or known.profile != row.profile:
        host, port, unit = known.address
        stands = f"{known.profile} {host}:{port} · {unit}"
        yield RowProblem("terminal_no", "terminal_differs", {"stands": stands})
    elif known.meter_no is not None and known.meter_no != row.meter_no:
        yield RowProblem("terminal_no", "terminal_taken", {"stands": known.meter_no})
