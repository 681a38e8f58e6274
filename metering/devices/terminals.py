"""Reads of terminals: the list, silent ones first, and one of them."""

from sqlalchemy import case, func, literal, select, tuple_
from sqlalchemy.orm import Session

from foundation.actor import Scope
from foundation.db import Query, rows_as
from foundation.errors import NotFound
from metering.devices.models import Meter, Terminal
from metering.devices.types import FittedMeter, TerminalCard
from metering.network.models import Feeder, Point, TransformerArea
from metering.readings.models import Latest

VIEWS = ("all", "silent", "out")
_IS_FINE = case((Terminal.in_service & Terminal.silent_since.is_not(None), 0), else_=1)


def _cards() -> Query:
    return (
        select(
            Terminal.id,
            Terminal.terminal_no,
            Terminal.profile,
            Terminal.host,
            Terminal.port,
            Terminal.unit,
            Terminal.interval_s,
            Terminal.own_interval,
            Terminal.site,
            Terminal.shard,
            Terminal.in_service,
            Terminal.failed_rounds,
            Terminal.silent_since,
            Terminal.last_error,
            Meter.id,
            Meter.meter_no,
            Meter.point_id,
            Latest.read_at,
        )
        .outerjoin(Meter, (Meter.terminal_id == Terminal.id) & Meter.removed_at.is_(None))
        .outerjoin(Latest, Latest.meter_id == Meter.id)
    )


def search_terminals(
    session: Session,
    scope: Scope,
    *,
    search: str = "",
    view: str = "all",
    after: tuple[bool, str] | None = None,
    limit: int = 50,
) -> list[TerminalCard]:
    """List terminals by number, the silent ones first.

    Args:
        session: any transaction.
        scope: whose; a terminal without a meter belongs to no department.
        search: those whose number, meter, profile or host starts so.
        view: `silent`, `out` (of service), or all.
        after: whether the last one seen is silent, and its number.
        limit: most to give.
    """
    statement = _cards().order_by(_IS_FINE, Terminal.terminal_no).limit(limit)
    if scope.unit_ids is not None:
        statement = (
            statement.join(Point, Point.id == Meter.point_id)
            .join(TransformerArea, TransformerArea.id == Point.area_id)
            .join(Feeder, Feeder.id == TransformerArea.feeder_id)
            .where(Feeder.unit_id.in_(scope.unit_ids))
        )
    if search:
        starts = [
            column.istartswith(search, autoescape=True)
            for column in (Terminal.terminal_no, Meter.meter_no, Terminal.profile, Terminal.host)
        ]
        statement = statement.where(starts[0] | starts[1] | starts[2] | starts[3])
    if view == "silent":
        statement = statement.where(_IS_FINE == 0)
    elif view == "out":
        statement = statement.where(Terminal.in_service.is_(False))
    if after is not None:
        was_silent, number = after
        statement = statement.where(
            tuple_(_IS_FINE, Terminal.terminal_no)
            > tuple_(literal(int(not was_silent)), literal(number))
        )
    return rows_as(TerminalCard, session, statement)


def terminal_by_no(session: Session, terminal_no: str) -> TerminalCard:
    """Give the terminal of a number.

    Raises:
        NotFound: there is none.
    """
    found = rows_as(TerminalCard, session, _cards().where(Terminal.terminal_no == terminal_no))
    if not found:
        raise NotFound(what="terminal", id=terminal_no)
    return found[0]


def meters_behind(session: Session, terminal_id: int) -> list[FittedMeter]:
    """List the meters that stand or stood behind a terminal, the present one first."""
    return rows_as(
        FittedMeter,
        session,
        select(Meter.id, Meter.meter_no, Point.point_no, Meter.installed_at, Meter.removed_at)
        .join(Point, Point.id == Meter.point_id)
        .where(Meter.terminal_id == terminal_id)
        .order_by(Meter.removed_at.is_not(None), Meter.installed_at.desc()),
    )


def terminal_counts(session: Session) -> dict[str, int]:
    """Count terminals as the views of the list divide them."""
    row = session.execute(
        select(
            func.count(),
            func.count().filter(_IS_FINE == 0),
            func.count().filter(Terminal.in_service.is_(False)),
        )
    ).one()
    return dict(zip(VIEWS, map(int, row), strict=True))
