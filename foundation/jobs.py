"""Our thin door to procrastinate: jobs committed with the change that asked for them.

A job is deferred through the queue's SQL function on the caller's own connection, so it
exists if and only if the change was committed. A worker killed in the middle leaves the
job to be taken again; `run` makes that harmless: the effect and the note that it was done
are one transaction.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from importlib import resources
from typing import Any, Literal

import procrastinate
from procrastinate import schema as procrastinate_schema
from sqlalchemy import BigInteger, Connection, Engine, Index, func, select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Mapped, Session, mapped_column

from foundation import clock
from foundation.actor import Actor
from foundation.db import JOB_SCHEMA, Base, driver_url, pk, unit_of_work, utc
from foundation.errors import Refused
from foundation.metrics import JOBS

logger = logging.getLogger(__name__)

QUEUE = "office"
ATTEMPTS = 6
JobFunction = Callable[..., object]


class JobUnknown(Refused):
    """No room lists a job of this name."""

    code = "job_unknown"


@dataclass(frozen=True, slots=True)
class Job:
    """Something a room does by itself: at a cadence, at an office time, or when asked.

    `function(session, actor, **args)` must be safe to run again after a crash.
    """

    name: str
    function: JobFunction
    why: str
    every: timedelta | None = None
    at: time | None = None  # office time zone


@dataclass(frozen=True, slots=True)
class Resident:
    """A loop that never ends, run by one kind of process."""

    name: str
    function: Callable[..., None]
    process: Literal["worker", "poller"]
    why: str


class JobRun(Base):
    """What became of a job: when, how long, and the error if it failed."""

    __tablename__ = "job_run"
    __table_args__ = (
        Index("uq_job_run_done", "job_id", unique=True, postgresql_where=text("outcome = 'done'")),
        Index(None, "name", "started_at"),
    )

    id: Mapped[pk]
    job_id: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str]
    started_at: Mapped[utc]
    finished_at: Mapped[utc]
    outcome: Mapped[str] = mapped_column(comment="done or failed")
    error: Mapped[str | None]


class ClockTick(Base):
    """A slot of a timed job that has been enqueued; two clocks never enqueue it twice."""

    __tablename__ = "clock_tick"

    name: Mapped[str] = mapped_column(primary_key=True)
    slot_at: Mapped[utc] = mapped_column(primary_key=True)


class ClockLeader(Base):
    """Which process leads the clock, and when it last said so; one row."""

    __tablename__ = "clock_leader"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    backend: Mapped[int] = mapped_column(comment="its database session")
    beat_at: Mapped[utc]


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job as the jobs page lists it."""

    name: str
    why: str
    every: timedelta | None = None
    at: time | None = None
    last_at: datetime | None = None
    last_outcome: str | None = None
    last_error: str | None = None
    seconds: float | None = None
    waiting: int = 0
    failed: int = 0


def defer(
    session: Session,
    name: str,
    args: Mapping[str, Any] | None = None,
    *,
    at: datetime | None = None,
    only_one_waiting: bool = False,
    lock: str | None = None,
) -> int | None:
    """Ask for a job within the caller's transaction.

    Args:
        session: the transaction of the change.
        name: the job's name as its room lists it.
        args: JSON-able arguments.
        at: not before this instant.
        only_one_waiting: ask for nothing while the same job still waits.
        lock: of the jobs with the same lock one runs at a time, in the order they were asked
            for; the others wait in the queue and hold up nothing else.

    Returns:
        The job's number, or None when one was waiting already.
    """
    if only_one_waiting and _waits(session, name):
        return None
    numbers = session.execute(
        text(
            "SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(:queue, :name, 0, :lock, NULL,"
            " CAST(:args AS jsonb), CAST(:at AS timestamptz))::procrastinate_job_to_defer_v1])"
        ),
        {
            "queue": QUEUE,
            "name": name,
            "args": json.dumps(dict(args or {})),
            "at": at,
            "lock": lock,
        },
    ).scalar_one()
    return int(numbers[0])


def _waits(session: Session, name: str) -> bool:
    return bool(
        session.execute(
            text(
                "SELECT EXISTS (SELECT 1 FROM procrastinate_jobs"
                " WHERE task_name = :name AND status = 'todo')"
            ),
            {"name": name},
        ).scalar_one()
    )


def tick(session: Session, name: str, slot_at: datetime) -> bool:
    """Enqueue a timed job for one slot, once; give whether this call did it."""
    fresh = session.execute(
        text(
            "INSERT INTO foundation.clock_tick (name, slot_at) VALUES (:name, :slot_at)"
            " ON CONFLICT DO NOTHING RETURNING 1"
        ),
        {"name": name, "slot_at": slot_at},
    ).first()
    if fresh is None:
        return False
    defer(session, name, only_one_waiting=True)
    return True


def run(engine: Engine, job: Job, *, job_id: int, args: Mapping[str, Any]) -> None:
    """Run one job: its effect and the note that it was done are one transaction."""
    started_at = clock.now()
    try:
        with unit_of_work(engine) as session:
            done = session.scalar(
                select(JobRun.id).where(JobRun.job_id == job_id, JobRun.outcome == "done")
            )
            if done is not None:
                return
            job.function(session, Actor.system(job.name), **args)
            session.add(
                JobRun(
                    job_id=job_id,
                    name=job.name,
                    started_at=started_at,
                    finished_at=clock.now(),
                    outcome="done",
                )
            )
    except Exception as error:
        JOBS.labels(job.name, "failed").inc()
        logger.exception("job failed", extra={"job": job.name, "job_id": job_id})
        with unit_of_work(engine) as session:
            session.add(
                JobRun(
                    job_id=job_id,
                    name=job.name,
                    started_at=started_at,
                    finished_at=clock.now(),
                    outcome="failed",
                    error=f"{type(error).__name__}: {error}"[:1000],
                )
            )
        raise
    JOBS.labels(job.name, "done").inc()


def make_app(url: str, engine: Engine, jobs: Sequence[Job]) -> procrastinate.App:
    """Make the queue's application with every room's jobs in it.

    Args:
        url: PostgreSQL address of the office account.
        engine: where the jobs do their work.
        jobs: what the rooms list.
    """
    connector = procrastinate.PsycopgConnector(
        conninfo=driver_url(url),
        kwargs={"options": f"-c search_path={JOB_SCHEMA} -c timezone=UTC"},
        min_size=1,
        max_size=6,
    )
    app = procrastinate.App(connector=connector)
    for job in jobs:
        _register(app, engine, job)
    return app


def _register(app: procrastinate.App, engine: Engine, job: Job) -> None:
    def work(context: procrastinate.JobContext, /, **args: Any) -> None:
        run(engine, job, job_id=context.job.id or 0, args=args)

    app.task(
        name=job.name,
        queue=QUEUE,
        pass_context=True,
        retry=procrastinate.RetryStrategy(max_attempts=ATTEMPTS, exponential_wait=3),
    )(work)


async def take_back_stalled(app: procrastinate.App, *, silent_s: float = 30) -> int:
    """Hand jobs of workers without a heartbeat to others; give how many.

    Args:
        app: an opened application.
        silent_s: a worker silent for longer is taken for dead [s].
    """
    stalled = list(await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=silent_s))
    for job in stalled:
        await app.job_manager.retry_job(job)
    return len(stalled)


def listing(session: Session, jobs: Sequence[Job]) -> list[JobRow]:
    """Give every job with its last run and what waits."""
    latest = (
        select(JobRun)
        .ext(distinct_on(JobRun.name))
        .order_by(JobRun.name, JobRun.started_at.desc())
        .subquery()
    )
    last = {row.name: row for row in session.execute(select(latest))}
    queue = {
        (row.task_name, row.status): row.n
        for row in session.execute(
            text(
                "SELECT task_name, status::text AS status, count(*) AS n FROM procrastinate_jobs"
                " WHERE status IN ('todo', 'doing', 'failed') GROUP BY 1, 2"
            )
        )
    }
    return [_row(job, last.get(job.name), queue) for job in jobs]


def _row(job: Job, last: Any, queue: Mapping[tuple[str, str], int]) -> JobRow:
    waiting = queue.get((job.name, "todo"), 0) + queue.get((job.name, "doing"), 0)
    row = JobRow(
        job.name,
        job.why,
        every=job.every,
        at=job.at,
        waiting=waiting,
        failed=queue.get((job.name, "failed"), 0),
    )
    if last is None:
        return row
    return replace(
        row,
        last_at=last.started_at,
        last_outcome=last.outcome,
        last_error=last.error,
        seconds=(last.finished_at - last.started_at).total_seconds(),
    )


def cadence(job: Job) -> str:
    """Say how often a job runs: `every 60 s`, `02:00`, or `event`."""
    if job.every is not None:
        return f"{int(job.every.total_seconds())} s"
    return job.at.strftime("%H:%M") if job.at is not None else "event"


def retry_failed(session: Session, name: str) -> int:
    """Queue the failed jobs of a name again; give how many."""
    return len(
        session.execute(
            text(
                "UPDATE procrastinate_jobs SET status = 'todo', attempts = 0, scheduled_at = NULL"
                " WHERE status = 'failed' AND task_name = :name RETURNING id"
            ),
            {"name": name},
        ).all()
    )


def forget_old(session: Session, *, days: int = 30) -> None:
    """Drop runs, ticks and finished queue rows older than some days."""
    limit = clock.now() - timedelta(days=days)
    old = {"limit": limit}
    session.execute(text("DELETE FROM foundation.job_run WHERE finished_at < :limit"), old)
    session.execute(text("DELETE FROM foundation.clock_tick WHERE slot_at < :limit"), old)
    session.execute(
        text(
            "DELETE FROM procrastinate_jobs j WHERE status = 'succeeded' AND NOT EXISTS"
            " (SELECT 1 FROM procrastinate_events e WHERE e.job_id = j.id AND e.at >= :limit)"
        ),
        old,
    )


def failed_count(session: Session) -> int:
    """Count jobs that gave up and wait for a person."""
    return int(
        session.scalar(
            select(func.count())
            .select_from(text("procrastinate_jobs"))
            .where(text("status = 'failed'"))
        )
        or 0
    )


@dataclass(frozen=True, slots=True)
class QueueSchema:
    """The queue's own tables: installed, and brought forward version by version."""

    connection: Connection
    version: str = field(default=procrastinate.__version__)

    def upgrade(self) -> None:
        """Install the queue's schema, or run its migrations since the installed version."""
        self.connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {JOB_SCHEMA}")
        self.connection.exec_driver_sql(
            f"CREATE TABLE IF NOT EXISTS {JOB_SCHEMA}.installed (version text PRIMARY KEY)"
        )
        known = self.connection.exec_driver_sql(f"SELECT version FROM {JOB_SCHEMA}.installed")
        installed = known.scalar()
        self.connection.exec_driver_sql(f"SET LOCAL search_path = {JOB_SCHEMA}, public")
        if installed is None:
            self._execute(procrastinate_schema.SchemaManager.get_schema())
        else:
            for script in _migrations_between(str(installed), self.version):
                self._execute(script)
        self.connection.exec_driver_sql(f"DELETE FROM {JOB_SCHEMA}.installed")
        self.connection.exec_driver_sql(
            f"INSERT INTO {JOB_SCHEMA}.installed VALUES (%s)", (self.version,)
        )

    def _execute(self, script: str) -> None:
        self.connection.exec_driver_sql(script.replace("%", "%%"))


def _migrations_between(installed: str, wanted: str) -> list[str]:
    folder = resources.files("procrastinate") / "sql" / "migrations"
    low, high = _release(installed), _release(wanted)
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    chosen = [name for name in names if low < _release(name.split("_", 1)[0]) <= high]
    return [(folder / name).read_text(encoding="utf-8") for name in chosen]


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:3])
