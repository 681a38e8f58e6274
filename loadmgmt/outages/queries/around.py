"""What stands around a point: its meter, its box, its area, the calls from there, the outages."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from foundation import clock
from foundation.actor import Scope
from foundation.errors import NotFound
from loadmgmt.alerts.queries import alerts_at
from loadmgmt.alerts.thresholds import load_thresholds
from loadmgmt.alerts.types import AlertCard, AlertKind
from loadmgmt.outages.books import outage_rules
from loadmgmt.outages.models import OutageReportRow
from loadmgmt.outages.queries.cards import outage_cards
from loadmgmt.outages.rules.grouping import verdict_at
from loadmgmt.outages.rules.matching import Candidate, Seen, evidence_of, score_of
from loadmgmt.outages.rules.power import power_of, tally
from loadmgmt.outages.types import (
    MeterPower,
    OutageCard,
    OutageKind,
    OutageMatch,
    OutageState,
    Power,
    Surroundings,
)
from metering.api.devices import search_meters
from metering.api.network import point_places
from metering.api.readings import latest
from metering.api.types import LatestReading, MeterCard

VOLTAGE_KINDS = frozenset(
    {
        AlertKind.OVER_VOLTAGE,
        AlertKind.UNDER_VOLTAGE,
        AlertKind.VOLTAGE_LOSS,
        AlertKind.PHASE_BREAK,
    }
)
_MOST = 5000  # meters of one transformer area


@dataclass(frozen=True, slots=True)
class _Accounts:
    box: int
    area: int


def powers_of(session: Session, meters: Collection[MeterCard]) -> list[MeterPower]:
    """Say of several meters whether they show voltage, by their newest readings."""
    newest = latest(session, {one.meter_id for one in meters})
    now, rules = clock.now(), outage_rules()
    dark_below = load_thresholds().loss.phase_break_below
    fresh = timedelta(minutes=rules.fresh.minutes)
    found = []
    for one in meters:
        reading = newest.get(one.meter_id)
        volts = _volts(one, reading)
        power = power_of(
            volts,
            nominal_volts=one.supply.nominal_volts,
            dark_below=dark_below,
            read_at=reading.read_at if reading else None,
            now=now,
            fresh=fresh,
            has_terminal=one.terminal_id is not None,
        )
        shown = min((value for value in volts if value is not None), default=None)
        found.append(
            MeterPower(
                point_id=one.point_id,
                meter_id=one.meter_id,
                meter_no=one.meter_no,
                box_no=one.box_no,
                power=power,
                volts=shown,
                read_at=reading.read_at if reading else None,
                silent_since=one.silent_since,
            )
        )
    return found


def _volts(meter: MeterCard, reading: LatestReading | None) -> list[float | None]:
    if reading is None:
        return []
    return [getattr(reading, f"u_{phase}") for phase in meter.supply.phases]


def look_around(session: Session, point_id: int) -> Surroundings:
    """Give what stands around a point, with the verdict it leads to.

    Raises:
        NotFound: no such point.
    """
    place = point_places(session, [point_id]).get(point_id)
    if place is None:
        raise NotFound(what="point", id=point_id)
    meters = search_meters(session, Scope.everything(), area_id=place.area_id, limit=_MOST)
    powers = powers_of(session, meters)
    box = [one for one in powers if one.box_no == place.box_no]
    own = next((one.power for one in powers if one.point_id == point_id), Power.UNREAD)
    accounts = _accounts_calling(session, place.area_id, place.box_no)
    in_box, in_area = tally(box), tally(powers)
    standing = alerts_at(session, [point_id])
    return Surroundings(
        point_id=point_id,
        area_id=place.area_id,
        box_no=place.box_no,
        own=own,
        dark_since=_dark_since(standing),
        box=in_box,
        area=in_area,
        box_accounts=accounts.box,
        area_accounts=accounts.area,
        neighbours=tuple(box),
        verdict=verdict_at(
            own,
            is_voltage_wrong=any(one.kind in VOLTAGE_KINDS for one in standing),
            box=in_box,
            area=in_area,
            box_accounts=accounts.box,
            area_accounts=accounts.area,
            rule=outage_rules().suspect,
        ),
    )


def _accounts_calling(session: Session, area_id: int, box_no: str) -> _Accounts:
    since = clock.now() - outage_rules().window
    points = func.count(func.distinct(OutageReportRow.point_id))
    row = session.execute(
        select(points.filter(OutageReportRow.box_no == box_no), points).where(
            OutageReportRow.area_id == area_id,
            OutageReportRow.reported_at >= since,
            OutageReportRow.inside.is_(False),
        )
    ).one()
    return _Accounts(int(row[0]), int(row[1]))


def _dark_since(standing: Collection[AlertCard]) -> datetime | None:
    dark = [one.started_at for one in standing if one.kind is AlertKind.POWER_LOSS]
    return min(dark, default=None)


def matches(session: Session, seen: Surroundings) -> list[OutageMatch]:
    """Give the open outages that may explain what happens at a point, best first."""
    rules, now = outage_rules(), clock.now()
    here = Seen(seen.area_id, seen.box_no, seen.own, seen.dark_since, seen.box, seen.area)
    found = []
    for card in outage_cards(session, Scope.everything(), view="open", area_id=seen.area_id):
        evidence = evidence_of(
            _candidate(card), here, at=now, rule=rules.match, suspect=rules.suspect
        )
        if evidence:
            score = score_of(evidence, rules.match)
            found.append(OutageMatch(card, score, evidence, _facts(card, seen)))
    return sorted(found, key=lambda one: (-one.score, one.outage.started_at))


def _candidate(card: OutageCard) -> Candidate:
    return Candidate(
        kind=card.kind,
        scope=card.scope,
        area_id=card.area_id,
        box_no=card.box_no,
        started_at=card.started_at,
        ends_at=card.planned_to,
        accounts=card.reports,
        confirmed=card.kind is OutageKind.FAULT and card.state is not OutageState.DETECTED,
    )


def _facts(card: OutageCard, seen: Surroundings) -> dict[str, object]:
    apart = abs(seen.dark_since - card.started_at).total_seconds() if seen.dark_since else None
    return {
        "dark": seen.box.dark,
        "read": seen.box.read,
        "area_dark": seen.area.dark,
        "area_read": seen.area.read,
        "calls": card.reports,
        "apart_s": apart,
    }
