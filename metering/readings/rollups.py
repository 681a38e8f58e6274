"""Hours and days of each meter: added up when they are over, and again when a reading comes late.

An hour is added up once for all meters, some minutes after its end. Whatever is stored for it
later leaves a mark, and the hour of those meters is added up again. Energy is the sum of
register steps within the hour; a step across a hole counts for the day, and for no hour.
"""

import time
from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from foundation import clock
from metering.network.types import Supply
from metering.readings.rules.validation import Validation
from metering.readings.types import Quality
from metering.readings.validating import load_validation

HOUR = timedelta(hours=1)
MARK_AFTER = timedelta(minutes=4)
"""What is stored so long after an hour's end marks the hour."""
ROLL_AFTER = timedelta(minutes=8)
"""An hour is added up no sooner than this after its end: no store takes the minutes between."""
FIRST_BACK = timedelta(days=35)
"""How far back the very first run begins."""

_LATE = int(Quality.LATE | Quality.BACKFILLED)
_NOMINAL = "CASE p.supply " + " ".join(
    f"WHEN '{supply.value}' THEN {len(supply.phases) * supply.nominal_volts}" for supply in Supply
)
_MOST_W = f"({_NOMINAL} END * m.rated_a * m.ct * :most_of_basic * :times_most)"
_SECONDS = "extract(epoch FROM x.next_ts - x.ts)"
_STEP = (
    "metering.energy_step({before}, {after}, m.register_wh,"
    f" ({_MOST_W} * {_SECONDS} / 3600 + :slack_wh * m.ct * m.pt)::bigint)"
)
_ROWS = """
    SELECT r.meter_id, r.ts, 1 AS place, r.wh_import, r.wh_export, r.p,
        least(r.u_a, r.u_b, r.u_c) AS u_low, greatest(r.u_a, r.u_b, r.u_c) AS u_high,
        (coalesce(r.u_a, 0) + coalesce(r.u_b, 0) + coalesce(r.u_c, 0))
            / nullif(num_nonnulls(r.u_a, r.u_b, r.u_c), 0) AS u_mean, r.quality,
        r.ts < :end AS counts,
        r.ts < :end AND r.ts + r.read_off_s * interval '1 second' < :end AS shows
    FROM metering.reading r
    WHERE r.ts >= :hour AND r.ts <= :end AND r.quality & {bad} = 0 {only_r}
    UNION ALL
    SELECT m.id, m.installed_at, 0, m.start_wh, NULL, NULL, NULL, NULL, NULL, 0, false, false
    FROM metering.meter m
    WHERE m.start_wh IS NOT NULL AND m.installed_at >= :hour AND m.installed_at < :end {only_m}
    UNION ALL
    SELECT m.id, m.removed_at, 2, m.end_wh, NULL, NULL, NULL, NULL, NULL, 0, false, false
    FROM metering.meter m
    WHERE m.end_wh IS NOT NULL AND m.removed_at >= :hour AND m.removed_at < :end {only_m}
"""
_PAIRS = """
    SELECT y.*, lead(y.ts) OVER w AS next_ts, lead(y.wh_import) OVER w AS next_wh,
        lead(y.wh_export) OVER w AS next_out, lag(y.ts) OVER w AS prev_ts
    FROM ({rows}) y
    WINDOW w AS (PARTITION BY y.meter_id, y.wh_import IS NULL ORDER BY y.place, y.ts)
"""
_STEPS = """
    SELECT x.*, {step} AS step, {out} AS step_out,
        x.wh_import IS NOT NULL AND x.next_wh IS NOT NULL AS is_pair
    FROM ({pairs}) x
    JOIN metering.meter m ON m.id = x.meter_id JOIN metering.point p ON p.id = m.point_id
"""
_HOURLY = """
    INSERT INTO metering.hourly AS h (hour, meter_id, wh_first, wh_last, used_wh, exported_wh,
        covered_s, p_avg, p_max, u_min, u_avg, u_max, points, late, estimated, resets)
    SELECT :hour, s.meter_id,
        max(s.wh_import) FILTER (WHERE s.wh_import IS NOT NULL AND s.prev_ts IS NULL),
        max(s.wh_import) FILTER (WHERE s.wh_import IS NOT NULL AND s.next_ts IS NULL),
        sum(s.step), sum(s.step_out),
        least(3600, coalesce(sum(extract(epoch FROM s.next_ts - s.ts))
            FILTER (WHERE s.step IS NOT NULL), 0)),
        avg(s.p) FILTER (WHERE s.shows), max(s.p) FILTER (WHERE s.shows),
        min(s.u_low) FILTER (WHERE s.shows), avg(s.u_mean) FILTER (WHERE s.shows),
        max(s.u_high) FILTER (WHERE s.shows),
        count(*) FILTER (WHERE s.counts),
        count(*) FILTER (WHERE s.counts AND s.quality & {late} <> 0),
        count(*) FILTER (WHERE s.counts AND s.quality & {estimated} <> 0),
        count(*) FILTER (WHERE s.is_pair AND s.step IS NULL)
    FROM ({steps}) s GROUP BY s.meter_id
    HAVING bool_or(s.counts OR s.place <> 1)
    ON CONFLICT (hour, meter_id) DO UPDATE SET {updates}
"""
_DAILY = """
    INSERT INTO metering.daily AS d (day, meter_id, wh_import, used_wh, exported_wh, covered_s,
        p_avg, p_max, u_min, u_avg, u_max, points, late, estimated, resets)
    SELECT :day, s.meter_id,
        max(s.wh_last) FILTER (WHERE s.is_last),
        sum(coalesce(s.used_wh, 0) + coalesce(s.bridge, 0))
            FILTER (WHERE s.used_wh IS NOT NULL OR s.bridge IS NOT NULL),
        sum(s.exported_wh), sum(s.covered_s),
        sum(s.p_avg * s.points) / nullif(sum(s.points) FILTER (WHERE s.p_avg IS NOT NULL), 0),
        max(s.p_max), min(s.u_min),
        sum(s.u_avg * s.points) / nullif(sum(s.points) FILTER (WHERE s.u_avg IS NOT NULL), 0),
        max(s.u_max), sum(s.points), sum(s.late), sum(s.estimated),
        sum(s.resets) + count(*) FILTER (WHERE s.before IS NOT NULL AND s.bridge IS NULL)
    FROM (
        SELECT x.*, metering.energy_step(x.before, x.wh_first, m.register_wh, NULL) AS bridge
        FROM (
            SELECT h.*, h.wh_last IS NOT NULL AND lead(h.hour) OVER w IS NULL AS is_last,
                CASE WHEN h.wh_first IS NOT NULL THEN lag(h.wh_last) OVER w END AS before
            FROM metering.hourly h
            WHERE h.hour >= :start AND h.hour < :end {only_h}
            WINDOW w AS (PARTITION BY h.meter_id, h.wh_last IS NULL ORDER BY h.hour)
        ) x JOIN metering.meter m ON m.id = x.meter_id
    ) s GROUP BY s.meter_id
    ON CONFLICT (day, meter_id) DO UPDATE SET {updates} WHERE excluded.points >= d.points
"""


def _updates(*columns: str) -> str:
    return ", ".join(f"{name} = excluded.{name}" for name in columns)


_SUMS = ("used_wh", "exported_wh", "covered_s", "p_avg", "p_max", "u_min", "u_avg", "u_max",
         "points", "late", "estimated", "resets")  # fmt: skip


def hour_anchor() -> datetime:
    """Give an instant at which an office hour begins: hours follow the office's time zone."""
    return clock.day_span(date(2024, 1, 1))[0]


def hour_of(at: datetime) -> datetime:
    """Give the start of the office hour an instant lies in."""
    return at - (at - hour_anchor()) % HOUR


def roll_up_hour(
    session: Session,
    hour: datetime,
    rules: Validation,
    *,
    meter_ids: Collection[int] | None = None,
) -> int:
    """Add up one hour from its readings; give how many meters it has now.

    Args:
        session: the caller's transaction.
        hour: its start.
        rules: what a meter can carry; a step beyond it is not counted.
        meter_ids: these meters only.
    """
    only = "" if meter_ids is None else "AND {} = ANY(:meters)"
    rows = _ROWS.format(
        bad=int(Quality.OUT_OF_RANGE),
        only_r=only.format("r.meter_id"),
        only_m=only.format("m.id"),
    )
    steps = _STEPS.format(
        step=_STEP.format(before="x.wh_import", after="x.next_wh"),
        out=_STEP.format(before="x.wh_export", after="x.next_out"),
        pairs=_PAIRS.format(rows=rows),
    )
    statement = _HOURLY.format(
        steps=steps,
        late=_LATE,
        estimated=int(Quality.ESTIMATED),
        updates=_updates("wh_first", "wh_last", *_SUMS),
    )
    given = {
        "hour": hour,
        "end": hour + HOUR,
        "most_of_basic": rules.rated.most_of_basic,
        "times_most": rules.register.times_most,
        "slack_wh": rules.register.slack_wh,
    }
    if meter_ids is not None:
        given["meters"] = list(meter_ids)
    return int(getattr(session.execute(text(statement), given), "rowcount", 0))


def roll_up_days(session: Session, day: date, *, meter_ids: Collection[int] | None = None) -> None:
    """Add up one office day from its hours."""
    start, end = clock.day_span(day)
    statement = _DAILY.format(
        only_h="" if meter_ids is None else "AND h.meter_id = ANY(:meters)",
        updates=_updates("wh_import", *_SUMS),
    )
    given: dict[str, object] = {"day": day, "start": start, "end": end}
    if meter_ids is not None:
        given["meters"] = list(meter_ids)
    session.execute(text(statement), given)


def roll_up_day(session: Session, day: date) -> None:
    """Add up one office day of every meter from its readings, hour by hour."""
    hour, end = clock.day_span(day)
    while hour < end:
        roll_up_hour(session, hour, load_validation())
        hour += HOUR
    roll_up_days(session, day)


def roll_up(session: Session, *, budget_s: float = 20.0) -> int:
    """Add up the hours that are over, and those that were touched since; give how many.

    Args:
        session: the job's transaction; what it does not finish waits for the next run.
        budget_s: begin no hour after this time [s].
    """
    began, done, rules = time.monotonic(), 0, load_validation()
    session.execute(text("SET LOCAL statement_timeout = 0"))
    rolled_to = _rolled_to(session)
    last = hour_of(clock.now() - ROLL_AFTER)
    while rolled_to < last and time.monotonic() - began < budget_s:
        session.execute(
            text("DELETE FROM metering.rollup_due WHERE hour = :hour"), {"hour": rolled_to}
        )
        roll_up_hour(session, rolled_to, rules)
        rolled_to, done = rolled_to + HOUR, done + 1
        _close_day(session, rolled_to)
    session.execute(text("UPDATE metering.rollup_mark SET rolled_to = :at"), {"at": rolled_to})
    while time.monotonic() - began < budget_s and _roll_up_touched(session, rules, rolled_to):
        done += 1
    return done


def _rolled_to(session: Session) -> datetime:
    known = session.execute(text("SELECT rolled_to FROM metering.rollup_mark FOR UPDATE")).scalar()
    if known is not None:
        return _utc(known)
    oldest = session.execute(
        text("SELECT min(ts) FROM metering.reading WHERE ts >= :since"),
        {"since": clock.now() - FIRST_BACK},
    ).scalar()
    rolled_to = hour_of(_utc(oldest) if oldest else clock.now())
    session.execute(
        text("INSERT INTO metering.rollup_mark (id, rolled_to) VALUES (1, :at)"), {"at": rolled_to}
    )
    return rolled_to


def _close_day(session: Session, rolled_to: datetime) -> None:
    """Add up the office day whose last hour was just added up."""
    day = clock.business_date(rolled_to - HOUR)
    if clock.business_date(rolled_to) != day:
        roll_up_days(session, day)


def _roll_up_touched(session: Session, rules: Validation, rolled_to: datetime) -> bool:
    """Add up the oldest marked hour again, for the meters that marked it."""
    rows = session.execute(
        text(
            "DELETE FROM metering.rollup_due WHERE hour = (SELECT min(hour)"
            " FROM metering.rollup_due WHERE hour < :rolled_to) RETURNING hour, meter_ids"
        ),
        {"rolled_to": rolled_to},
    ).all()
    if not rows:
        return False
    meters: dict[datetime, set[int]] = defaultdict(set)
    for hour, meter_ids in rows:
        meters[_utc(hour)].update(meter_ids)
    for hour, touched in meters.items():
        roll_up_hour(session, hour, rules, meter_ids=touched)
        day = clock.business_date(hour)
        if clock.day_span(day)[1] <= rolled_to:
            roll_up_days(session, day, meter_ids=touched)
    return True


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)
