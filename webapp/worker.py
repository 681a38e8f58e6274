"""The worker: jobs from the queue, resident loops, and in one elected process the clock.

The clock only enqueues. Its leader holds an advisory lock and writes a heartbeat; when a
leader hangs, a standby ends the leader's database session and takes over.
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from foundation import metrics
from foundation.clock import office_zone
from foundation.db import driver_url, unit_of_work
from foundation.errors import Unreachable
from foundation.jobs import QUEUE, Job, make_app, take_back_stalled, tick
from foundation.office import Office
from webapp import wiring

logger = logging.getLogger(__name__)

CLOCK_LOCK = 0x636C6F636B
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
STALLED_AFTER_S = 15.0


def work(office: Office) -> None:
    """Run until SIGTERM or SIGINT."""
    wiring.connect()
    stop = threading.Event()
    clock = Clock(office.engine, office.url, timeout_s=office.settings.leader_timeout_s)
    threads = [threading.Thread(target=clock.run, args=(stop,), name="clock")]
    threads += [
        threading.Thread(target=one.function, args=(office, stop), name=one.name)
        for one in wiring.residents("worker")
    ]
    server = metrics.serve(
        office.settings.worker_metrics_port,
        lambda: {"ready": all(t.is_alive() for t in threads), "leader": clock.leads},
    )
    for thread in threads:
        thread.start()
    try:
        asyncio.run(_run_queue(office, stop, threads))
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=10)
        if server is not None:
            server.shutdown()
            server.server_close()


async def _run_queue(
    office: Office, stop: threading.Event, threads: list[threading.Thread]
) -> None:
    """Work the queue; when the database goes away, wait for it and begin again."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    while not stopping.is_set() and all(thread.is_alive() for thread in threads):
        try:
            await _queue_once(office, stopping, threads)
        except (psycopg.Error, OSError) as error:
            logger.warning("queue waits for the database", extra={"error": str(error)[:200]})
        except Exception:
            metrics.UNHANDLED.labels("worker").inc()
            logger.exception("queue stopped")
        if not stopping.is_set():
            await asyncio.sleep(1)
    stop.set()


async def _queue_once(
    office: Office, stopping: asyncio.Event, threads: list[threading.Thread]
) -> None:
    app = make_app(office.url, office.engine, wiring.jobs())
    async with app.open_async():
        worker = asyncio.create_task(
            app.run_worker_async(
                queues=[QUEUE],
                concurrency=4,
                install_signal_handlers=False,
                fetch_job_polling_interval=2,
                update_heartbeat_interval=3,
                stalled_worker_timeout=STALLED_AFTER_S,
                shutdown_graceful_timeout=8,
            )
        )
        stalled = asyncio.create_task(_take_back(app))
        watch = asyncio.create_task(_until_stopped(stopping, threads))
        try:
            done, _ = await asyncio.wait(
                [worker, stalled, watch], return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                task.result()
        finally:
            for task in (worker, stalled, watch):
                task.cancel()
            await asyncio.gather(worker, stalled, watch, return_exceptions=True)


async def _take_back(app: Any) -> None:
    while True:
        taken = await take_back_stalled(app, silent_s=STALLED_AFTER_S)
        if taken:
            logger.warning("took back jobs of a dead worker", extra={"jobs": taken})
        await asyncio.sleep(5)


async def _until_stopped(stopping: asyncio.Event, threads: list[threading.Thread]) -> None:
    while not stopping.is_set() and all(thread.is_alive() for thread in threads):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await stopping.wait()


class Clock:
    """Enqueues timed jobs, in the one process that holds the lock."""

    def __init__(self, engine: Engine, url: str, *, timeout_s: float) -> None:
        self._engine, self._url, self._timeout_s = engine, url, timeout_s
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self.leads = False

    def run(self, stop: threading.Event) -> None:
        """Lead or stand by until told to stop."""
        while not stop.is_set():
            try:
                with psycopg.connect(
                    driver_url(self._url), autocommit=True, application_name="gridhall-clock"
                ) as connection:
                    self._stand_by(connection, stop)
                    if not stop.is_set():
                        self._lead(connection, stop)
            except (psycopg.Error, SQLAlchemyError, Unreachable) as error:
                logger.warning("clock waits for the database", extra={"error": str(error)[:200]})
            self.leads = False
            metrics.LEADER.set(0)
            stop.wait(1)

    def _stand_by(self, connection: "psycopg.Connection[Any]", stop: threading.Event) -> None:
        while not stop.is_set():
            row = connection.execute("SELECT pg_try_advisory_lock(%s)", (CLOCK_LOCK,)).fetchone()
            if row and row[0]:
                return
            self._end_hung_leader(connection)
            stop.wait(0.5)

    def _end_hung_leader(self, connection: "psycopg.Connection[Any]") -> None:
        hung = connection.execute(
            "DELETE FROM foundation.clock_leader WHERE beat_at < now() - %s"
            " RETURNING backend, name",
            (timedelta(seconds=self._timeout_s),),
        ).fetchone()
        if hung is not None:
            logger.warning("replacing a clock that hangs", extra={"leader": hung[1]})
            connection.execute("SELECT pg_terminate_backend(%s)", (hung[0],))

    def _lead(self, connection: "psycopg.Connection[Any]", stop: threading.Event) -> None:
        self._beat(connection)
        self.leads = True
        metrics.LEADER.set(1)
        logger.info("leading the clock", extra={"leader": self._name})
        scheduler = BackgroundScheduler(timezone=office_zone())
        for job in wiring.ROOM_JOBS:
            self._schedule(scheduler, job)
        scheduler.start()
        try:
            while not stop.wait(min(1.0, self._timeout_s / 3)):
                self._beat(connection)
        finally:
            scheduler.shutdown(wait=False)

    def _schedule(self, scheduler: BackgroundScheduler, job: Job) -> None:
        trigger = _trigger(job)
        if trigger is None:
            return
        scheduler.add_job(
            self._enqueue, trigger, args=(job,), id=job.name, coalesce=True, misfire_grace_time=None
        )
        if job.every is not None:
            self._enqueue(job)  # the slot that runs now, unless it was enqueued already

    def _beat(self, connection: "psycopg.Connection[Any]") -> None:
        connection.execute(
            "INSERT INTO foundation.clock_leader (id, name, backend, beat_at)"
            " VALUES (1, %s, pg_backend_pid(), now()) ON CONFLICT (id) DO UPDATE"
            " SET name = excluded.name, backend = excluded.backend, beat_at = excluded.beat_at",
            (self._name,),
        )

    def _enqueue(self, job: Job) -> None:
        try:
            with unit_of_work(self._engine) as session:
                tick(session, job.name, slot_of(job, datetime.now(UTC)))
        except (SQLAlchemyError, Unreachable) as error:
            logger.warning("tick lost", extra={"job": job.name, "error": str(error)[:200]})


def _trigger(job: Job) -> IntervalTrigger | CronTrigger | None:
    if job.every is not None:
        return IntervalTrigger(seconds=int(job.every.total_seconds()))
    if job.at is not None:
        return CronTrigger(hour=job.at.hour, minute=job.at.minute, timezone=office_zone())
    return None


def slot_of(job: Job, now: datetime) -> datetime:
    """Give the slot a tick stands for: the same for every clock that could make it."""
    if job.every is not None:
        return now - (now - _EPOCH) % job.every
    local = now.astimezone(office_zone())
    at = job.at or local.time()
    return local.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0).astimezone(UTC)
