"""How urgent a ticket is, what is promised, and who may move it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from callcenter.tickets.types import Priority, TicketCard, TicketKind
from foundation.actor import Actor, Role
from foundation.flow.limits import Limit
from loadmgmt.api.types import AlertKind, Severity
from metering.api.types import AreaClass

INSPECTED = frozenset({AlertKind.COVER_OPEN, AlertKind.CURRENT_LOSS})


@dataclass(frozen=True, slots=True)
class Promises:
    """What promises.toml says: for each promise, a limit by class of area."""

    source: str
    repair: dict[str, dict[str, Limit]]
    inspection: dict[str, dict[str, Limit]]

    def limits(self, kind: TicketKind, area: AreaClass) -> dict[str, Limit]:
        """Give what is promised for a kind of ticket in a class of area."""
        table: dict[str, dict[str, Limit]] = getattr(self, kind.value)
        return {name: by_area[area.value] for name, by_area in table.items()}


def kind_for(alert: AlertKind) -> TicketKind:
    """Give the kind of ticket an alert asks for: theft is inspected, the rest repaired."""
    return TicketKind.INSPECTION if alert in INSPECTED else TicketKind.REPAIR


def priority_for(severity: Severity, *, sensitive: bool) -> Priority:
    """Give the priority of a ticket from an alert; a sensitive customer is always urgent."""
    return Priority.CRIT if sensitive else Priority(severity.value)


def may_work_on(actor: Actor, *, crew_id: int | None, own_crews: frozenset[int]) -> bool:
    """Whether an actor may make a crew's moves on a ticket.

    Members of the crew it is given to may, and inspectors on what no crew has.
    """
    if actor.is_system:
        return True
    if crew_id is None:
        return Role.INSPECTOR in actor.roles
    return crew_id in own_crews


FIELD_MOVES = frozenset({"accept", "send_back", "arrive", "begin", "restore", "report"})
"""Moves made by those who were sent."""

SIDE_MOVES = frozenset(
    {
        "reassign",
        "send_back",
        "hold",
        "void",
        "not_restored",
        "inspect_again",
        "finish",
        "merge",
        "reopen",
    }
)
"""Moves off the straight way; none of them is ever the one a page suggests."""


def overridden(promises: Promises, overrides: Mapping[str, object]) -> Promises:
    """Lay an office's own figures over the packaged ones.

    Args:
        promises: as packaged.
        overrides: minutes or working days by key, e.g. `promises.repair.arrive.urban` = 40.

    Returns:
        The same promises with those figures; the unit of each stays.
    """
    tables = {kind: getattr(promises, kind) for kind in ("repair", "inspection")}
    for kind, table in tables.items():
        tables[kind] = {
            name: {
                area: _replaced(limit, overrides.get(f"promises.{kind}.{name}.{area}"))
                for area, limit in by_area.items()
            }
            for name, by_area in table.items()
        }
    return Promises(source=promises.source, **tables)


def _replaced(limit: Limit, figure: object) -> Limit:
    if not isinstance(figure, int) or figure < 1:
        return limit
    return Limit(minutes=figure) if limit.minutes is not None else Limit(working_days=figure)


def by_outage(
    cards: Collection[TicketCard], outages: Mapping[int, str]
) -> dict[int, list[TicketCard]]:
    """Sort tickets by the outage each belongs to: as its own, as a follower, or nested in it.

    Args:
        cards: tickets of these outages, followers after whom they follow or before.
        outages: number by row.
    """
    rows = {number: row for row, number in outages.items()}
    rows |= {
        one.ticket_no: one.outage_id
        for one in cards
        if one.outage_id is not None and one.outage_id in outages
    }
    found: dict[int, list[TicketCard]] = {row: [] for row in outages}
    for card in cards:
        names = (card.ticket_no, card.merged_into, card.evidence.get("outage_no"))
        found[next(rows[name] for name in names if name in rows)].append(card)
    return found
