"""A running promise as the chip that counts down."""

from dataclasses import dataclass
from datetime import datetime

from foundation import clock
from foundation.flow.limits import ChipKind, ClockState
from webapp.context import t
from webapp.format import dur


@dataclass(frozen=True, slots=True)
class Chip:
    """What the SLA chip needs: class, due time, share used, seconds left or over.

    Attributes:
        name: which promise.
        text: the words on it, in the language of the request.
    """

    name: str
    kind: ChipKind
    due_iso: str
    total_s: int
    used_pct: int
    text: str
    was_late: bool


def chip_of(state: ClockState) -> Chip:
    """Make the chip of a promise as it stands now."""
    now = clock.now()
    zone = clock.office_zone()
    return Chip(
        name=state.name,
        kind=state.kind(now),
        due_iso=state.due_at.astimezone(zone).isoformat(timespec="seconds"),
        total_s=int((state.due_at - state.started_at).total_seconds()),
        used_pct=state.used_pct(now),
        text=_text(state, now),
        was_late=state.was_late,
    )


def _text(state: ClockState, now: datetime) -> str:
    if state.met_at is not None:
        taken = dur(state.met_at - state.started_at, t)
        return t("sla.late" if state.was_late else "sla.kept", time=taken)
    if state.paused_at is not None:
        return t("sla.pause")
    key = "sla.over" if now > state.due_at else "sla.left"
    return t(key, time=dur(abs(state.due_at - now), t))
