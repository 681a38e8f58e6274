"""Findings become alerts, good intervals end them; set by set, in the judge's transaction."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from foundation import clock
from foundation.actor import Actor
from foundation.events import Signal
from foundation.outbox import publish, signal
from loadmgmt.alerts.rules.outage import transformer_is_out
from loadmgmt.alerts.types import (
    AlertKind,
    AlertsCleared,
    AlertsRaised,
    Finding,
    Thresholds,
)
from metering.api.devices import points_read
from metering.api.network import area_places, point_places

_DATA = (
    "FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS d(kind text, severity text, subject text,"
    " point_id bigint, area_id bigint, terminal_id bigint, feeder_id bigint, unit_id bigint,"
    ' phases text, measured numeric, "limit" numeric, evidence jsonb, at timestamptz)'
)
_RAISE = text(
    "INSERT INTO loadmgmt.alert AS a (kind, severity, state, subject, point_id, area_id,"
    ' terminal_id, feeder_id, unit_id, phases, measured, "limit", evidence, started_at,'
    " raised_at, last_seen_at, good_intervals, version)"
    " SELECT d.kind, d.severity, 'open', d.subject, d.point_id, d.area_id, d.terminal_id,"
    ' d.feeder_id, d.unit_id, d.phases, d.measured, d."limit", d.evidence, d.at, :now, d.at, 0, 1 '
    + _DATA
    + " WHERE NOT EXISTS (SELECT 1 FROM loadmgmt.alert e WHERE e.subject = d.subject"
    " AND e.kind = d.kind AND e.ended_at IS NOT NULL AND e.last_good_at >= d.at)"
    " ORDER BY d.subject, d.kind"
    " ON CONFLICT (subject, kind) WHERE ended_at IS NULL DO UPDATE SET"
    " last_seen_at = greatest(a.last_seen_at, excluded.last_seen_at),"
    " started_at = least(a.started_at, excluded.started_at),"
    " good_intervals = 0, condition_ended_at = NULL,"
    " measured = CASE WHEN a.kind = 'over_voltage' THEN greatest(a.measured, excluded.measured)"
    " ELSE least(a.measured, excluded.measured) END,"
    " phases = CASE WHEN excluded.phases = '' THEN a.phases ELSE excluded.phases END,"
    " evidence = excluded.evidence"
    " RETURNING a.id, a.kind, a.severity, a.point_id, a.area_id, a.xmax = 0 AS fresh"
)
_GOOD = text(
    "UPDATE loadmgmt.alert SET good_intervals = good_intervals + 1, last_good_at = :at"
    " WHERE ended_at IS NULL AND kind = :kind AND point_id = ANY(:points)"
    " AND last_seen_at < :at AND (last_good_at IS NULL OR last_good_at < :at)"
)
_END = text(
    "UPDATE loadmgmt.alert SET ended_at = :now, version = version + 1,"
    " state = CASE WHEN state = 'false' THEN state ELSE 'cleared' END"
    " FROM (SELECT id AS old_id, state AS old_state FROM loadmgmt.alert) old"
    " WHERE old_id = id AND ended_at IS NULL AND id = ANY(:ids)"
    " RETURNING id, kind, point_id, area_id, ticket_no, old_state, state"
)
_RIPE = text(
    "SELECT id FROM loadmgmt.alert WHERE ended_at IS NULL AND good_intervals >= :needed"
    " AND kind = ANY(:kinds) AND point_id = ANY(:points) ORDER BY id FOR UPDATE"
)
_CONDITION_OVER = text(
    "UPDATE loadmgmt.alert SET condition_ended_at = :now"
    " WHERE ended_at IS NULL AND condition_ended_at IS NULL AND good_intervals >= :needed"
    " AND kind = ANY(:kinds) AND point_id = ANY(:points) RETURNING id, state"
)
_REMEMBER = text(
    "INSERT INTO loadmgmt.alert_history (alert_id, at, what, from_state, to_state, actor_name,"
    " note) SELECT d.id, :now, :what, d.before, d.after, :actor, ''"
    " FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS d(id bigint, before text, after text)"
)


def raise_or_extend(
    session: Session, actor: Actor, findings: Sequence[Finding], thresholds: Thresholds
) -> list[int]:
    """Make findings into alerts; give the numbers of those that are new.

    A finding about a subject whose alert of that kind still stands extends it.
    """
    if not findings:
        return []
    rows = _rows(session, findings, thresholds)
    found = session.execute(
        _RAISE, {"rows": json.dumps(rows, default=str), "now": clock.now()}
    ).all()
    fresh = [row for row in found if row.fresh]
    if fresh:
        _remember(session, actor, "raised", [(row.id, None, "open") for row in fresh])
        entries = tuple(
            {
                "id": row.id,
                "kind": row.kind,
                "severity": row.severity,
                "point_id": row.point_id,
                "area_id": row.area_id,
            }
            for row in fresh
        )
        publish(session, actor, AlertsRaised(entries))
    if found:
        signal(session, Signal("alerts"))
    return [row.id for row in fresh]


def _rows(
    session: Session, findings: Sequence[Finding], thresholds: Thresholds
) -> list[dict[str, Any]]:
    points = point_places(session, {f.point_id for f in findings if f.point_id is not None})
    areas = area_places(
        session, {f.area_id for f in findings if f.point_id is None and f.area_id is not None}
    )
    rows = []
    for one in findings:
        place = points.get(one.point_id or 0) or areas.get(one.area_id or 0)
        if place is None:
            continue  # the point was removed since it was read
        rows.append(
            {
                "kind": one.kind.value,
                "severity": thresholds.of(one.kind).severity.value,
                "subject": one.subject,
                "point_id": one.point_id,
                "area_id": place.area_id,
                "terminal_id": one.terminal_id,
                "feeder_id": place.feeder_id,
                "unit_id": place.unit_id,
                "phases": one.phases,
                "measured": one.measured,
                "limit": one.limit,
                "evidence": one.facts,
                "at": one.at.isoformat(),
            }
        )
    return rows


def end_what_is_good(
    session: Session,
    actor: Actor,
    good: Mapping[AlertKind, Collection[int]],
    at: datetime,
    thresholds: Thresholds,
) -> list[int]:
    """Count a good interval for standing alerts; end those that had enough of them.

    Alerts that do not end by themselves are marked: their condition is over, a person
    closes them.

    Args:
        session: the judge's transaction.
        actor: the scanner.
        good: by kind, the points where the interval proves the kind absent.
        at: start of the interval.
        thresholds: the office's.

    Returns:
        Numbers of the alerts that ended.
    """
    points: set[int] = set()
    for kind, where in good.items():
        if where:
            session.execute(_GOOD, {"at": at, "kind": kind.value, "points": list(where)})
            points |= set(where)
    enough = {"needed": thresholds.clear.good_intervals, "points": list(points)}
    by_hand = [k.value for k in good if not thresholds.of(k).self_clearing]
    over = session.execute(_CONDITION_OVER, enough | {"kinds": by_hand, "now": clock.now()}).all()
    _remember(session, actor, "condition_over", [(row.id, row.state, row.state) for row in over])
    by_itself = [k.value for k in good if thresholds.of(k).self_clearing]
    ripe = session.scalars(_RIPE, enough | {"kinds": by_itself}).all()
    ended = end_alerts(session, actor, ripe)
    if over and not ended:
        signal(session, Signal("alerts"))
    return ended


def end_alerts(session: Session, actor: Actor, alert_ids: Collection[int]) -> list[int]:
    """End alerts whose condition is over, and tell who listens."""
    if not alert_ids:
        return []
    rows = session.execute(_END, {"now": clock.now(), "ids": list(alert_ids)}).all()
    _remember(session, actor, "cleared", [(row.id, row.old_state, row.state) for row in rows])
    entries = tuple(
        {
            "id": row.id,
            "kind": row.kind,
            "point_id": row.point_id,
            "area_id": row.area_id,
            "ticket_no": row.ticket_no,
        }
        for row in rows
    )
    if entries:
        publish(session, actor, AlertsCleared(entries))
        signal(session, Signal("alerts"))
    return [row.id for row in rows]


def judge_areas(
    session: Session, actor: Actor, area_ids: Collection[int], at: datetime, thresholds: Thresholds
) -> None:
    """Fold meters without power into one alert of their transformer, and unfold them again."""
    if not area_ids:
        return
    dark: dict[int, int] = dict(
        session.execute(
            text(
                "SELECT area_id, count(*) FROM loadmgmt.alert WHERE ended_at IS NULL"
                " AND kind = 'power_loss' AND area_id = ANY(:areas) GROUP BY area_id"
            ),
            {"areas": list(area_ids)},
        ).all()
    )
    read = points_read(session, area_ids)
    out = [
        Finding(
            kind=AlertKind.TRANSFORMER_OUT,
            at=at,
            area_id=area,
            facts={"without_power": dark[area], "read": read.get(area, 0)},
        )
        for area in sorted(dark)
        if transformer_is_out(
            without_power=dark[area], read=read.get(area, 0), rule=thresholds.area
        )
    ]
    raise_or_extend(session, actor, out, thresholds)
    _fold(session, [one.area_id or 0 for one in out])
    _unfold(session, actor, set(area_ids) - {one.area_id for one in out})


def _fold(session: Session, area_ids: Collection[int]) -> None:
    session.execute(
        text(
            "UPDATE loadmgmt.alert c SET parent_id = p.id FROM loadmgmt.alert p"
            " WHERE c.kind = 'power_loss' AND c.ended_at IS NULL AND c.parent_id IS NULL"
            " AND c.ticket_no IS NULL AND p.kind = 'transformer_out' AND p.ended_at IS NULL"
            " AND p.area_id = c.area_id AND p.area_id = ANY(:areas)"
        ),
        {"areas": list(area_ids)},
    )


def _unfold(session: Session, actor: Actor, area_ids: Iterable[int | None]) -> None:
    parents = session.scalars(
        text(
            "SELECT id FROM loadmgmt.alert WHERE kind = 'transformer_out' AND ended_at IS NULL"
            " AND area_id = ANY(:areas)"
        ),
        {"areas": [area for area in area_ids if area is not None]},
    ).all()
    if parents:
        session.execute(
            text(
                "UPDATE loadmgmt.alert SET parent_id = NULL"
                " WHERE parent_id = ANY(:parents) AND ended_at IS NULL"
            ),
            {"parents": list(parents)},
        )
        end_alerts(session, actor, parents)


def _remember(
    session: Session, actor: Actor, what: str, rows: Sequence[tuple[int, str | None, str]]
) -> None:
    if rows:
        session.execute(
            _REMEMBER,
            {
                "now": clock.now(),
                "what": what,
                "actor": actor.name,
                "rows": json.dumps([{"id": i, "before": b, "after": a} for i, b, a in rows]),
            },
        )
