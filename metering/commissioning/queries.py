"""Terminals that wait to be put into service, and what was checked and decided of them."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from foundation.actor import Scope
from foundation.audit import AuditEntry, AuditRow, entries
from foundation.db import Query, rows_as
from metering.commissioning.types import (
    Checked,
    CheckKind,
    CheckResult,
    Decided,
    History,
    Register,
    Target,
    TerminalUnknown,
    Verdict,
)
from metering.devices.models import Meter, StockMeter, Terminal
from metering.network.models import Feeder, Point, TransformerArea
from metering.readings.models import Latest

CHECKED, DECIDED = "terminal.checked", "terminal.commissioned"
KEPT = 30


def _targets() -> Query:
    return (
        select(
            Terminal.id,
            Terminal.terminal_no,
            Terminal.profile,
            Terminal.host,
            Terminal.port,
            Terminal.unit,
            Terminal.framing,
            Terminal.depth,
            Terminal.line,
            Terminal.in_service,
            Meter.id,
            func.coalesce(Meter.meter_no, StockMeter.meter_no),
            Meter.point_id,
            func.coalesce(Point.supply, StockMeter.supply),
            func.coalesce(Meter.ct, StockMeter.ct, 1),
            func.coalesce(Meter.pt, StockMeter.pt, 1),
            func.coalesce(Meter.rated_a, StockMeter.rated_a, 5),
            Meter.register_wh,
            Latest.read_at,
        )
        .outerjoin(Meter, (Meter.terminal_id == Terminal.id) & Meter.removed_at.is_(None))
        .outerjoin(
            StockMeter,
            (StockMeter.terminal_id == Terminal.id) & StockMeter.installed_at.is_(None),
        )
        .outerjoin(Point, Point.id == Meter.point_id)
        .outerjoin(Latest, Latest.meter_id == Meter.id)
    )


def waiting_targets(
    session: Session,
    scope: Scope,
    *,
    search: str = "",
    on_shelf: bool = False,
    after_no: str = "",
    limit: int = 50,
) -> list[Target]:
    """List terminals that wait to be put into service: those out of it, and those never heard.

    Args:
        session: any transaction.
        scope: whose.
        search: beginning of the number of the terminal or its meter: then in service or not.
        on_shelf: those that lie in stock with their meter, instead of those that stand somewhere.
        after_no: those after this number.
        limit: at most so many.
    """
    statement = _targets().order_by(Terminal.terminal_no).limit(limit)
    if scope.unit_ids is not None:
        statement = (
            statement.join(TransformerArea, TransformerArea.id == Point.area_id)
            .join(Feeder, Feeder.id == TransformerArea.feeder_id)
            .where(Feeder.unit_id.in_(scope.unit_ids))
        )
    if search:
        numbers = (Terminal.terminal_no, Meter.meter_no, StockMeter.meter_no)
        starts = [one.istartswith(search, autoescape=True) for one in numbers]
        statement = statement.where(starts[0] | starts[1] | starts[2])
    else:
        never_heard = Meter.id.is_not(None) & Latest.read_at.is_(None)
        is_stock = StockMeter.id.is_not(None)
        statement = statement.where(
            ~Terminal.in_service | never_heard, is_stock if on_shelf else ~is_stock
        )
    if after_no:
        statement = statement.where(Terminal.terminal_no > after_no)
    return rows_as(Target, session, statement)


def target(session: Session, terminal_no: str) -> Target:
    """Give one terminal.

    Raises:
        TerminalUnknown: there is none of this number.
    """
    found = rows_as(Target, session, _targets().where(Terminal.terminal_no == terminal_no))
    if not found:
        raise TerminalUnknown(terminal_no=terminal_no)
    return found[0]


def history(session: Session, terminal_no: str) -> History:
    """Give what was checked and decided of a terminal, newest first, the last of each."""
    statement = (
        select(
            AuditEntry.id,
            AuditEntry.at,
            AuditEntry.act,
            AuditEntry.actor_name,
            AuditEntry.subject_type,
            AuditEntry.subject_no,
            AuditEntry.facts,
        )
        .where(
            AuditEntry.subject_type == "terminal",
            AuditEntry.subject_no == terminal_no,
            AuditEntry.act.in_((CHECKED, DECIDED)),
        )
        .order_by(AuditEntry.id.desc())
        .limit(KEPT)
    )
    rows = rows_as(AuditRow, session, statement)
    return History(
        tuple(_checked(row) for row in rows if row.act == CHECKED),
        tuple(_decided(row) for row in rows if row.act == DECIDED),
    )


def newest_decisions(session: Session, *, limit: int = 30) -> list[tuple[str, Decided]]:
    """List the newest decisions of the office with the numbers of their terminals."""
    rows = entries(session, act=DECIDED, limit=limit)
    return [(row.subject_no, _decided(row)) for row in rows]


def facts_of(checks: tuple[CheckResult, ...]) -> list[dict[str, Any]]:
    """Give checks as plain values, as they are kept."""
    return [
        {
            "check": one.kind,
            "verdict": one.verdict,
            "said": one.said,
            "value": one.value,
            "facts": one.facts,
        }
        for one in checks
    ]


def _checked(row: AuditRow) -> Checked:
    checks = tuple(
        CheckResult(
            CheckKind(one["check"]),
            Verdict(one["verdict"]),
            str(one["said"]),
            str(one["value"]),
            dict(one["facts"]),
        )
        for one in row.facts["checks"]
    )
    at = datetime.fromisoformat(row.facts["read_at"])
    return Checked(
        row.id,
        row.at,
        row.actor_name,
        checks,
        Register(at, row.facts["wh_import"], row.facts["watts"]),
    )


def _decided(row: AuditRow) -> Decided:
    facts = row.facts
    return Decided(
        row.id,
        row.at,
        row.actor_name,
        facts["in_service"],
        facts["reason"],
        facts["bad"],
        facts["unknown"],
    )
