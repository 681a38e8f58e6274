"""The promises and step limits of cases: started, met, paused, resumed, told when late.

A clock bears the name of its promise, or that of the step whose own limit it is.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from foundation import clock
from foundation.db import rows_as
from foundation.flow.definition import Flow
from foundation.flow.limits import ClockState, LateClock, Limit
from foundation.flow.models import FlowCase, FlowClock
from foundation.worktime import WorkCalendar


def step_limits(flow: Flow) -> dict[str, Limit]:
    """Give the steps' own limits, kept with a case when it begins."""
    return {
        name: Limit(working_days=step.limit_days)
        for name, step in flow.steps.items()
        if step.limit_days is not None
    }


def clocks(session: Session, case_ids: Collection[int]) -> dict[int, list[ClockState]]:
    """Give the promises and limits of several cases, earliest due first."""
    found: dict[int, list[ClockState]] = {case_id: [] for case_id in case_ids}
    rows = session.execute(
        select(
            FlowClock.case_id,
            FlowClock.name,
            FlowClock.started_at,
            FlowClock.due_at,
            FlowClock.met_at,
            FlowClock.paused_at,
        )
        .where(FlowClock.case_id.in_(case_ids))
        .order_by(FlowClock.case_id, FlowClock.due_at, FlowClock.id)
    )
    for row in rows:
        found[row[0]].append(ClockState(*row[1:]))
    return found


def note_late(session: Session, *, flows: Collection[str], limit: int = 500) -> list[str]:
    """Mark clocks that are past due and were not told before; give their cases' numbers."""
    rows = session.execute(
        select(FlowClock, FlowCase.subject)
        .join(FlowCase, FlowCase.id == FlowClock.case_id)
        .where(
            FlowClock.met_at.is_(None),
            FlowClock.paused_at.is_(None),
            FlowClock.late_noted_at.is_(None),
            FlowClock.due_at < clock.now(),
            FlowCase.flow.in_(flows),
        )
        .order_by(FlowClock.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True, of=FlowClock)
    ).all()
    for row, _ in rows:
        row.late_noted_at = clock.now()
    return [subject for _, subject in rows]


def late_clocks(session: Session, *, flows: Collection[str], limit: int = 200) -> list[LateClock]:
    """Give the clocks that run past their due time now, the latest last."""
    return rows_as(
        LateClock,
        session,
        select(FlowCase.subject, FlowClock.name, FlowClock.due_at)
        .join(FlowCase, FlowCase.id == FlowClock.case_id)
        .where(
            FlowClock.met_at.is_(None),
            FlowClock.paused_at.is_(None),
            FlowClock.due_at < clock.now(),
            FlowCase.flow.in_(flows),
        )
        .order_by(FlowClock.due_at, FlowClock.id)
        .limit(limit),
    )


def run_clocks(
    session: Session, flow: Flow, case: FlowCase, *, at: datetime, calendar: WorkCalendar
) -> None:
    """Meet, pause, resume and start the clocks that the case's new step asks for."""
    ended = flow.is_end(case.step)
    pauses = flow.steps[case.step].pauses
    running = _running(session, case)
    for row in running:
        promise = flow.promises.get(row.name)
        ends = case.step in promise.ends_at if promise else not pauses and row.name != case.step
        if ended or ends:
            row.met_at = at
        elif pauses and row.paused_at is None:
            row.paused_at = at
        elif not pauses and row.paused_at is not None:
            _resume(case, row, at, calendar)
    known = {row.name for row in running}
    wanted = [name for name, one in flow.promises.items() if one.starts_at == case.step]
    for name in (*wanted, case.step):
        limit = case.limits.get(name)
        if limit is not None and name not in known:
            due = Limit(**limit).due(at, calendar)
            session.add(FlowClock(case_id=case.id, name=name, started_at=at, due_at=due))
    session.flush()


def pause_clocks(session: Session, case: FlowCase, *, at: datetime) -> None:
    """Stop every running clock of a case."""
    for row in _running(session, case):
        row.paused_at = row.paused_at or at
    session.flush()


def resume_clocks(
    session: Session, case: FlowCase, *, at: datetime, calendar: WorkCalendar
) -> None:
    """Let the stopped clocks of a case run on, due later by what the pause took."""
    for row in _running(session, case):
        if row.paused_at is not None:
            _resume(case, row, at, calendar)
    session.flush()


def _running(session: Session, case: FlowCase) -> list[FlowClock]:
    statement = select(FlowClock).where(FlowClock.case_id == case.id, FlowClock.met_at.is_(None))
    return list(session.scalars(statement.order_by(FlowClock.id)))


def _resume(case: FlowCase, row: FlowClock, at: datetime, calendar: WorkCalendar) -> None:
    paused_at = row.paused_at or at
    limit = Limit(**case.limits[row.name])
    row.due_at = limit.resumed_due(row.due_at, paused_at, at, calendar)
    row.started_at += at - paused_at
    row.paused_at = None
