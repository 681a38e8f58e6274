"""Jobs: done once however often they are taken, told when they fail, run again on demand."""

import asyncio
import threading
from datetime import UTC, datetime, time, timedelta

import procrastinate
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from foundation import clock, housekeeping, jobs
from foundation.actor import Actor
from foundation.db import connect, reading_only, unit_of_work
from foundation.jobs import Job, QueueSchema
from tests.factories.foundation import SYSTEM
from webapp import database

NOW = datetime(2026, 6, 18, 11, 0, tzinfo=UTC)
WRITE = text("INSERT INTO foundation.clock_tick (name, slot_at) VALUES (:name, :at)")


def note(session: Session, actor: Actor, *, name: str) -> None:
    """Leave a mark."""
    session.execute(WRITE, {"name": f"{actor.name}:{name}", "at": NOW})


def fail_after_writing(session: Session, actor: Actor, *, name: str) -> None:
    """Leave a mark and fail."""
    note(session, actor, name=name)
    raise ValueError("the meter is gone")


NOTE = Job("test.note", note, "leaves a mark", every=timedelta(minutes=1))
FAIL = Job("test.fail", fail_after_writing, "fails", at=time(2, 0))
ASKED = Job("test.asked", note, "only when asked")


@pytest.fixture
def clean(own_engine: Engine) -> Engine:
    """Give an engine on a queue without a past."""
    with unit_of_work(own_engine) as session:
        for table in ("procrastinate_jobs", "foundation.job_run", "foundation.clock_tick"):
            session.execute(text(f"DELETE FROM {table}"))
    return own_engine


def marks(engine: Engine) -> list[str]:
    with reading_only(engine) as session:
        return list(session.execute(text("SELECT name FROM foundation.clock_tick")).scalars())


def runs(engine: Engine) -> list[tuple[int, str, str | None]]:
    with reading_only(engine) as session:
        rows = session.execute(
            text("SELECT job_id, outcome, error FROM foundation.job_run ORDER BY id")
        )
        return [tuple(row) for row in rows]


def row_of(engine: Engine, job: Job) -> jobs.JobRow:
    with reading_only(engine) as session:
        return next(
            row for row in jobs.listing(session, [NOTE, FAIL, ASKED]) if row.name == job.name
        )


def test_a_job_run_twice_has_one_effect(clean: Engine) -> None:
    for _ in range(2):
        jobs.run(clean, NOTE, job_id=5, args={"name": "x"})
    assert marks(clean) == ["test.note:x"]
    assert runs(clean) == [(5, "done", None)]


def test_a_job_that_fails_leaves_nothing_but_the_reason(clean: Engine) -> None:
    with pytest.raises(ValueError, match="meter"):
        jobs.run(clean, FAIL, job_id=6, args={"name": "x"})
    assert marks(clean) == []
    assert runs(clean) == [(6, "failed", "ValueError: the meter is gone")]


def test_a_job_that_failed_before_may_still_be_done(clean: Engine) -> None:
    with pytest.raises(ValueError, match="meter"):
        jobs.run(clean, FAIL, job_id=7, args={"name": "x"})
    jobs.run(clean, NOTE, job_id=7, args={"name": "x"})
    assert [outcome for _, outcome, _ in runs(clean)] == ["failed", "done"]


def test_only_one_of_two_workers_at_once_has_an_effect(clean: Engine) -> None:
    begin = threading.Barrier(2)
    errors: list[Exception] = []

    def slow(session: Session, actor: Actor, *, name: str) -> None:
        begin.wait(timeout=5)
        session.execute(WRITE, {"name": name + str(threading.get_ident()), "at": NOW})
        _ = actor

    def work() -> None:
        try:
            jobs.run(clean, Job("test.slow", slow, "w"), job_id=8, args={"name": "x"})
        except Exception as error:  # noqa: BLE001 - the loser's error is the point
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(marks(clean)) == 1
    assert len(errors) == 1


def test_a_slot_is_enqueued_once(clean: Engine) -> None:
    with unit_of_work(clean) as session:
        assert jobs.tick(session, NOTE.name, NOW)
    with unit_of_work(clean) as session:
        assert not jobs.tick(session, NOTE.name, NOW)
    assert row_of(clean, NOTE).waiting == 1


def test_a_timed_job_that_still_waits_is_not_queued_up_behind_itself(clean: Engine) -> None:
    with unit_of_work(clean) as session:
        assert jobs.tick(session, NOTE.name, NOW)
        assert jobs.tick(session, NOTE.name, NOW + timedelta(minutes=1))
    assert row_of(clean, NOTE).waiting == 1


def test_a_job_may_be_asked_for_several_times_unless_one_is_enough(session: Session) -> None:
    assert jobs.defer(session, "a", {"n": 1}) is not None
    assert jobs.defer(session, "a", {"n": 2}) is not None
    assert jobs.defer(session, "a", only_one_waiting=True) is None
    assert jobs.defer(session, "b", only_one_waiting=True, at=NOW) is not None


def work_off(own: database.Addresses, engine: Engine, *listed: Job) -> None:
    """Let a worker do what waits."""

    async def go() -> None:
        app = jobs.make_app(own.office, engine, listed)
        async with app.open_async():
            await app.run_worker_async(
                queues=[jobs.QUEUE], wait=False, listen_notify=False, install_signal_handlers=False
            )

    asyncio.run(go())


def test_a_worker_does_what_was_asked_for_with_its_arguments(
    own: database.Addresses, clean: Engine
) -> None:
    with unit_of_work(clean) as session:
        jobs.defer(session, ASKED.name, {"name": "甲"})
    work_off(own, clean, NOTE, FAIL, ASKED)
    assert marks(clean) == ["test.asked:甲"]
    row = row_of(clean, ASKED)
    assert (row.last_outcome, row.waiting, row.failed) == ("done", 0, 0)
    assert (row.every, row.at) == (None, None)
    assert row.seconds is not None
    assert row.seconds >= 0


def test_a_failed_job_is_tried_again_later(own: database.Addresses, clean: Engine) -> None:
    with unit_of_work(clean) as session:
        jobs.defer(session, FAIL.name, {"name": "x"})
    work_off(own, clean, FAIL)
    row = row_of(clean, FAIL)
    assert (row.last_outcome, row.last_error) == ("failed", "ValueError: the meter is gone")
    assert (row.waiting, row.failed) == (1, 0)
    with reading_only(clean) as session:
        attempts, later = session.execute(
            text("SELECT attempts, scheduled_at > now() FROM procrastinate_jobs")
        ).one()
    assert (attempts, later) == (1, True)


def give_up(engine: Engine, name: str) -> None:
    with unit_of_work(engine) as session:
        jobs.defer(session, name, {"name": "x"})
        session.execute(
            text("UPDATE procrastinate_jobs SET status = 'failed', attempts = 6"
                 " WHERE task_name = :name"), {"name": name}
        )  # fmt: skip


def test_a_job_that_gave_up_waits_for_a_person_and_can_be_run_again(
    own: database.Addresses, clean: Engine
) -> None:
    give_up(clean, NOTE.name)
    with unit_of_work(clean) as session:
        assert jobs.failed_count(session) == 1
        assert jobs.retry_failed(session, "another.job") == 0
        assert jobs.retry_failed(session, NOTE.name) == 1
        assert jobs.failed_count(session) == 0
    work_off(own, clean, NOTE)
    assert marks(clean) == ["test.note:x"]


def test_jobs_of_a_dead_worker_are_handed_to_others(own: database.Addresses, clean: Engine) -> None:
    with unit_of_work(clean) as session:
        jobs.defer(session, NOTE.name, {"name": "x"})
        worker = session.execute(
            text("INSERT INTO procrastinate_workers (last_heartbeat)"
                 " VALUES (now() - interval '1 minute') RETURNING id")
        ).scalar_one()  # fmt: skip
        session.execute(
            text("UPDATE procrastinate_jobs SET status = 'doing', worker_id = :worker"),
            {"worker": worker},
        )

    async def take() -> int:
        app = jobs.make_app(own.office, clean, [NOTE])
        async with app.open_async():
            return await jobs.take_back_stalled(app, silent_s=30)

    assert asyncio.run(take()) == 1
    assert asyncio.run(take()) == 0
    work_off(own, clean, NOTE)
    assert marks(clean) == ["test.note:x"]


def test_old_runs_ticks_and_finished_rows_are_forgotten(
    own: database.Addresses, clean: Engine
) -> None:
    with unit_of_work(clean) as session:
        jobs.defer(session, ASKED.name, {"name": "x"})
    work_off(own, clean, ASKED)
    with unit_of_work(clean) as session:
        housekeeping.forget_old_runs(session, SYSTEM)
    assert len(runs(clean)) == 1
    with clock.frozen(clock.now() + timedelta(days=31)), unit_of_work(clean) as session:
        jobs.defer(session, NOTE.name, {"name": "still waits"})
        housekeeping.forget_old_runs(session, SYSTEM)
    assert (runs(clean), marks(clean)) == ([], [])
    with reading_only(clean) as session:
        left = session.execute(text("SELECT task_name FROM procrastinate_jobs")).scalars().all()
    assert left == [NOTE.name]


def test_a_job_that_never_ran_is_listed_with_its_cadence(clean: Engine) -> None:
    row = row_of(clean, FAIL)
    assert (row.at, row.last_at, row.last_outcome, row.seconds) == (time(2, 0), None, None, None)


def schema_of(engine: Engine) -> tuple[str, int]:
    with engine.connect() as connection:
        version = connection.execute(text("SELECT version FROM jobs.installed")).scalar_one()
        tables = connection.execute(
            text("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'jobs'")
        ).scalar_one()
    return version, tables


def test_the_queues_own_schema_is_brought_forward_from_the_installed_version(
    own: database.Addresses,
) -> None:
    engine = connect(own.owner, pool=1)
    before = schema_of(engine)
    with engine.begin() as connection:
        QueueSchema(connection).upgrade()
    assert schema_of(engine) == before == (procrastinate.__version__, before[1])
    engine.dispose()


def test_an_older_queue_is_brought_forward_by_the_queues_own_migrations(
    own: database.Addresses,
) -> None:
    engine = connect(own.owner, pool=1)
    with engine.connect() as connection:
        connection.execute(text("UPDATE jobs.installed SET version = '3.3.0'"))
        connection.execute(text("DROP FUNCTION jobs.procrastinate_retry_job_v2"))
        connection.execute(
            text("ALTER TYPE jobs.procrastinate_job_event_type RENAME VALUE 'retried' TO 'aside'")
        )
        QueueSchema(connection).upgrade()
        found = connection.execute(
            text("SELECT version, to_regproc('jobs.procrastinate_retry_job_v2') IS NOT NULL"
                 " FROM jobs.installed")
        ).one()  # fmt: skip
        assert tuple(found) == (procrastinate.__version__, True)
        connection.rollback()
    engine.dispose()


def test_migrations_run_in_order_and_each_once() -> None:
    whole = jobs._migrations_between("0.0.0", procrastinate.__version__)
    first = jobs._migrations_between("0.0.0", "3.0.0")
    rest = jobs._migrations_between("3.0.0", procrastinate.__version__)
    assert whole == first + rest
    assert rest
    assert jobs._migrations_between(procrastinate.__version__, procrastinate.__version__) == []


def test_jobs_of_one_lock_run_one_after_the_other_and_hold_up_no_others(clean: Engine) -> None:
    with unit_of_work(clean) as session:
        first = jobs.defer(session, NOTE.name, {"name": "a"}, lock="one")
        second = jobs.defer(session, NOTE.name, {"name": "b"}, lock="one")
        other = jobs.defer(session, NOTE.name, {"name": "c"})
    taken = [_taken(clean) for _ in range(3)]
    assert taken == [first, other, None]  # the second of the lock waits in the queue
    with unit_of_work(clean) as session:
        session.execute(
            text("UPDATE procrastinate_jobs SET status = 'succeeded' WHERE id = :id"),
            {"id": first},
        )
    assert _taken(clean) == second


def _taken(engine: Engine) -> int | None:
    with unit_of_work(engine) as session:
        worker = session.execute(text("SELECT procrastinate_register_worker_v1()")).scalar_one()
        fetch = text("SELECT id FROM procrastinate_fetch_job_v2(NULL, :worker)")
        number: int | None = session.execute(fetch, {"worker": worker}).scalar()
        return number
