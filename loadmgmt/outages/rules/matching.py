"""How well a known outage explains what happens at a point: a score with its evidence."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from loadmgmt.outages.types import Matching, OutageKind, OutageScope, Power, Suspicion, Tally


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a match needs to know of an outage."""

    kind: OutageKind
    scope: OutageScope
    area_id: int
    box_no: str | None
    started_at: datetime
    ends_at: datetime | None
    accounts: int
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """What a match needs to know of a point."""

    area_id: int
    box_no: str
    own: Power
    dark_since: datetime | None
    box: Tally
    area: Tally


def evidence_of(
    outage: Candidate, seen: Seen, *, at: datetime, rule: Matching, suspect: Suspicion
) -> tuple[str, ...]:
    """List the evidence for and against, strongest first; nothing if the place is another.

    Args:
        outage: the outage.
        seen: the point and what stands around it.
        at: the instant of the question.
        rule: weights and limits.
        suspect: when an area counts as dark.
    """
    if outage.area_id != seen.area_id:
        return ()
    if outage.scope is OutageScope.BOX and outage.box_no != seen.box_no:
        return ()
    if outage.kind is OutageKind.PLANNED and not _in_window(outage, at):
        return ()
    holds = {
        "same_box": outage.scope is OutageScope.BOX,
        "same_area": outage.scope is OutageScope.AREA,
        "own_dark": seen.own is Power.DARK,
        "own_powered": seen.own is Power.ON,
        "box_dark": _box_dark(seen.box, rule),
        "area_dark": _area_dark(seen.area, suspect),
        "many_calls": outage.accounts >= suspect.area_accounts,
        "confirmed": outage.confirmed,
        "close_in_time": _close(outage, seen, rule),
        "in_window": outage.kind is OutageKind.PLANNED,
    }
    codes = [code for code, held in holds.items() if held]
    return tuple(sorted(codes, key=lambda code: -abs(rule.weights[code])))


def score_of(evidence: tuple[str, ...], rule: Matching) -> int:
    """Add up what the evidence weighs, kept within 0 and 100."""
    return max(0, min(100, sum(rule.weights[code] for code in evidence)))


def _box_dark(box: Tally, rule: Matching) -> bool:
    return box.dark > 1 and Decimal(box.dark) >= rule.limits.box_share * box.read


def _area_dark(area: Tally, suspect: Suspicion) -> bool:
    return area.dark >= suspect.dark_least and Decimal(area.dark) >= suspect.dark_share * area.read


def _close(outage: Candidate, seen: Seen, rule: Matching) -> bool:
    if seen.dark_since is None:
        return False
    limit = timedelta(minutes=rule.limits.close_minutes)
    return abs(seen.dark_since - outage.started_at) <= limit


def _in_window(outage: Candidate, at: datetime) -> bool:
    return outage.started_at <= at and (outage.ends_at is None or at <= outage.ends_at)
