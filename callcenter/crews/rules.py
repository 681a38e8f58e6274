"""Whom to send."""

from collections.abc import Sequence

from callcenter.crews.types import CrewCard, CrewKind


def in_order_of_fitness(
    crews: Sequence[CrewCard], *, kind: CrewKind, unit_id: int | None
) -> list[CrewCard]:
    """Order the crews that may be sent: the area's own before others, the least loaded first.

    Args:
        crews: all crews.
        kind: what they are needed for.
        unit_id: department that answers for the place.
    """
    fit = [crew for crew in crews if crew.kind is kind and crew.on_shift]
    return sorted(fit, key=lambda crew: (crew.unit_id != unit_id, crew.open_tickets, crew.name))
