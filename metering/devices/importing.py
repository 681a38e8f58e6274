"""Lists of devices: sent, looked at row by row, and written in one transaction if confirmed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from foundation import clock
from foundation.actor import Actor
from foundation.audit import Act, record
from foundation.db import rows_as
from foundation.errors import NotFound
from foundation.sheets import read_sheet
from metering.devices.actions import announce_fleet
from metering.devices.listing import against_each_other, load_listing, read_row, said_rows
from metering.devices.models import DeviceImport
from metering.devices.profiles import ProfileCard
from metering.devices.rules import interval_of
from metering.devices.standing import Standing, checked, standing
from metering.devices.timetable import load_timetable
from metering.devices.types import (
    CheckedRow,
    DeviceRow,
    Framing,
    ImportCard,
    ImportDone,
    ImportEmpty,
    ImportOvertaken,
    ImportState,
    RowVerdict,
)
from metering.network.types import PointClass

SENT = Act.of("devices.list_sent", "file", "rows")
WRITTEN = Act.of("devices.list_written", "file", "rows", "points", "terminals", "meters", "left")
KEPT = timedelta(days=30)
"""A list nobody wrote is forgotten after this time."""

_ROWS = (
    "jsonb_to_recordset(CAST(:rows AS jsonb)) AS d(area_no text, point_no text, box_no text,"
    " supply text, point_class text, meter_no text, ct int, pt int, terminal_no text,"
    " profile text, host text, port int, unit int, interval_s int, own_interval boolean,"
    " framing text, depth int, line text)"
)
_POINTS = text(
    "INSERT INTO metering.point (point_no, area_id, box_no, supply, point_class)"
    f" SELECT d.point_no, a.id, d.box_no, d.supply, d.point_class FROM {_ROWS}"
    " JOIN metering.transformer_area a ON a.area_no = d.area_no"
    " WHERE NOT EXISTS (SELECT 1 FROM metering.point p WHERE p.point_no = d.point_no)"
)
_TERMINALS = text(
    "INSERT INTO metering.terminal (terminal_no, profile, host, port, unit, interval_s,"
    " own_interval, site, in_service, failed_rounds, framing, depth, line)"
    " SELECT d.terminal_no, d.profile, d.host, d.port, d.unit, d.interval_s, d.own_interval,"
    f" '', true, 0, coalesce(d.framing, o.framing, '{Framing.MBAP}'),"
    f" coalesce(d.depth, o.depth, 1), coalesce(d.line, o.line, '') FROM {_ROWS}"
    " LEFT JOIN LATERAL (SELECT t.framing, t.depth, t.line FROM metering.terminal t"
    "  WHERE t.host = d.host AND t.port = d.port LIMIT 1) o ON true"
    " WHERE d.terminal_no <> '' AND NOT EXISTS"
    " (SELECT 1 FROM metering.terminal t WHERE t.terminal_no = d.terminal_no)"
)
_METERS = text(
    "WITH fitted AS (INSERT INTO metering.meter (meter_no, point_id, terminal_id, ct, pt,"
    " rated_a, installed_at) SELECT d.meter_no, p.id, t.id, d.ct, d.pt, 5, :now"
    f" FROM {_ROWS} JOIN metering.point p ON p.point_no = d.point_no"
    " LEFT JOIN metering.terminal t ON t.terminal_no = d.terminal_no"
    " RETURNING id, terminal_id), asked AS ("
    " INSERT INTO metering.asked_span (meter_id, terminal_id, interval_s, since)"
    " SELECT f.id, t.id, t.interval_s, :now FROM fitted f"
    " JOIN metering.terminal t ON t.id = f.terminal_id AND t.in_service)"
    " SELECT count(*) FROM fitted"
)


def send_list(session: Session, actor: Actor, *, file_name: str, content: bytes) -> int:
    """Keep a list of devices to be looked at; nothing of it is written. Give its number.

    Raises:
        SheetUnreadable: the file is no spreadsheet, or holds too many rows.
        ImportUnreadable: it has no rows, or its columns are not those of the template.
    """
    listing = load_listing()
    rows = said_rows(read_sheet(content, most=listing.rows + 1), listing)
    session.execute(
        delete(DeviceImport).where(
            DeviceImport.state == ImportState.CHECKED, DeviceImport.sent_at < clock.now() - KEPT
        )
    )
    row = DeviceImport(
        file_name=file_name[:200],
        sent_by=actor.name,
        sent_by_id=actor.id,
        sent_at=clock.now(),
        rows=rows,
    )
    session.add(row)
    session.flush()
    record(
        session, actor, SENT, subject=("device_list", row.id), file=row.file_name, rows=len(rows)
    )
    return row.id


def import_card(session: Session, import_id: int) -> ImportCard:
    """Give a list in short.

    Raises:
        NotFound: there is none of this number.
    """
    found = _cards(session, import_id)
    if not found:
        raise NotFound(what="device_list", id=import_id)
    return found[0]


def import_cards(session: Session) -> list[ImportCard]:
    """List the last twenty lists that were sent, newest first."""
    return _cards(session, None)


def look_over(
    session: Session, import_id: int, profiles: Mapping[str, ProfileCard]
) -> list[CheckedRow]:
    """Say of every row of a list what writing it now would do; five queries, however long it is.

    Args:
        session: any transaction.
        import_id: which list.
        profiles: the office's, by name.
    """
    return _judged(session, _said(session, import_id), profiles)[0]


def write_list(
    session: Session, actor: Actor, import_id: int, profiles: Mapping[str, ProfileCard]
) -> dict[str, int]:
    """Write the new rows of a list: points, terminals, meters, from now on in service.

    Every row is looked at again first, against what stands now. Known rows change nothing,
    wrong ones are left out. The pollers learn of it when the caller commits.

    Raises:
        NotFound: there is no such list.
        ImportDone: somebody wrote it first.
        ImportEmpty: no row is new.
        ImportOvertaken: somebody fitted one of its devices at the same moment.
    """
    kept = session.scalar(
        select(DeviceImport).where(DeviceImport.id == import_id).with_for_update()
    )
    if kept is None:
        raise NotFound(what="device_list", id=import_id)
    if kept.state is ImportState.WRITTEN:
        raise ImportDone(by=kept.written_by, at=kept.written_at)
    session.execute(
        text("LOCK TABLE metering.terminal, metering.meter IN SHARE ROW EXCLUSIVE MODE")
    )
    judged, rows = _judged(session, kept.rows, profiles)
    new = {one.line for one in judged if one.verdict is RowVerdict.NEW}
    if not new:
        raise ImportEmpty
    given = {"rows": json.dumps([_as_json(one) for one in rows if one.line in new])}
    try:
        written = {
            "points": _count(session.execute(_POINTS, given)),
            "terminals": _count(session.execute(_TERMINALS, given)),
            "meters": int(session.execute(_METERS, given | {"now": clock.now()}).scalar_one()),
        }
    except IntegrityError as error:  # somebody fitted one of them since it was looked at
        raise ImportOvertaken from error
    kept.state, kept.written_by, kept.written_at = ImportState.WRITTEN, actor.name, clock.now()
    kept.written = dict(written)
    announce_fleet(session)
    record(
        session,
        actor,
        WRITTEN,
        subject=("device_list", import_id),
        file=kept.file_name,
        rows=len(new),
        left=sum(one.verdict is RowVerdict.WRONG for one in judged),
        **written,
    )
    return written


def _judged(
    session: Session, said: Sequence[Mapping[str, str]], profiles: Mapping[str, ProfileCard]
) -> tuple[list[CheckedRow], list[DeviceRow]]:
    listing = load_listing()
    read = against_each_other([read_row(one, listing) for one in said])
    rows = [one.row for one in read if one.row is not None]
    now: Standing = standing(session, rows)
    judged = [checked(one, now, profiles) for one in read]
    return judged, [_as_those_behind(row, now) for row in rows]


def _as_those_behind(row: DeviceRow, now: Standing) -> DeviceRow:
    """Let a row that says no manner of its own be written as its connection stands."""
    stands = row.inherits and (row.host, row.port) in now.manners
    return replace(row, manner=None, inherits=False) if stands else row


def _as_json(row: DeviceRow) -> dict[str, Any]:
    point_class = PointClass.of(row.supply)
    return {
        "area_no": row.area_no,
        "point_no": row.point_no,
        "box_no": row.box_no,
        "supply": row.supply.value,
        "point_class": point_class.value,
        "meter_no": row.meter_no,
        "ct": row.ct,
        "pt": row.pt,
        "terminal_no": row.terminal_no,
        "profile": row.profile,
        "host": row.host,
        "port": row.port,
        "unit": row.unit,
        "interval_s": row.interval_s or interval_of(load_timetable(), point_class),
        "own_interval": row.interval_s is not None,
        "framing": row.manner and row.manner.framing,
        "depth": row.manner and row.manner.depth,
        "line": None if row.manner is None else row.manner.line,
    }


def _count(result: object) -> int:
    return int(getattr(result, "rowcount", 0))


def _said(session: Session, import_id: int) -> Sequence[Mapping[str, str]]:
    rows: Sequence[Mapping[str, str]] | None = session.scalar(
        select(DeviceImport.rows).where(DeviceImport.id == import_id)
    )
    if rows is None:
        raise NotFound(what="device_list", id=import_id)
    return rows


def _cards(session: Session, import_id: int | None) -> list[ImportCard]:
    statement = (
        select(
            DeviceImport.id,
            DeviceImport.file_name,
            DeviceImport.state,
            DeviceImport.sent_by,
            DeviceImport.sent_at,
            func.jsonb_array_length(DeviceImport.rows),
            DeviceImport.written_by,
            DeviceImport.written_at,
            DeviceImport.written,
        )
        .order_by(DeviceImport.id.desc())
        .limit(20)
    )
    if import_id is not None:
        statement = statement.where(DeviceImport.id == import_id)
    return rows_as(ImportCard, session, statement)
