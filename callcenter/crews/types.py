"""Crews, as others see them."""

from dataclasses import dataclass
from enum import StrEnum


class CrewKind(StrEnum):
    """What a crew is sent for."""

    REPAIR = "repair"  # 抢修班
    INSPECTION = "inspection"  # 用检班


@dataclass(frozen=True, slots=True)
class CrewCard:
    """A crew with its load.

    Attributes:
        open_tickets: tickets given to it that have not ended.
    """

    id: int
    name: str
    kind: CrewKind
    unit_id: int
    on_shift: bool
    open_tickets: int = 0
