"""The jobs' page: what runs by itself, how it went, running it now and again."""

import pytest
from sqlalchemy import text

from foundation import jobs
from foundation.audit import entries
from tests.factories.webapp import Browser, Page, Portal
from webapp import wiring

TIMED = "callcenter.late_promises"


@pytest.fixture
def admin(portal: Portal) -> Browser:
    """Sit the administrator at a browser, the queue empty."""
    with portal.work() as session:
        session.execute(text("DELETE FROM procrastinate_jobs"))
    return portal.browser("admin")


def waiting(portal: Portal) -> list[str]:
    with portal.work() as session:
        return list(
            session.execute(
                text("SELECT task_name FROM procrastinate_jobs WHERE status = 'todo'")
            ).scalars()
        )


def line(page: Page, name: str) -> str:
    return next(row for row in page.row_texts() if row.startswith(name))


def test_every_job_is_listed_with_what_it_is_for(admin: Browser) -> None:
    page = admin.get("/admin/jobs")
    for job in wiring.jobs():
        assert job.why in line(page, job.name)


def test_a_timed_job_is_queued_once_however_often_one_asks(portal: Portal, admin: Browser) -> None:
    for _ in range(2):
        assert admin.post("/admin/jobs/run", name=TIMED).location == "/admin/jobs"
    assert waiting(portal) == [TIMED]
    with portal.work() as session:
        row = entries(session, act="job.run", subject_no=TIMED)[0]
    assert row.facts == {"how": "now"}


@pytest.mark.parametrize("name", ["", "no.such.job", "callcenter.prove_restored"])
def test_only_timed_jobs_can_be_run_by_hand(portal: Portal, admin: Browser, name: str) -> None:
    page = admin.post("/admin/jobs/run", name=name)
    assert page.status == 409
    assert waiting(portal) == []


def test_what_gave_up_is_shown_with_its_error_and_queued_again(
    portal: Portal, admin: Browser
) -> None:
    job = next(one for one in wiring.ROOM_JOBS if one.name == TIMED)
    with portal.work() as session:
        job_id = jobs.defer(session, TIMED) or 0
        session.execute(text("UPDATE procrastinate_jobs SET status = 'failed'"))
    broken = jobs.Job(TIMED, lambda *_: 1 / 0, job.why)
    with pytest.raises(ZeroDivisionError):
        jobs.run(portal.office.engine, broken, job_id=job_id, args={})
    page = admin.get("/admin/jobs")
    assert "ZeroDivisionError: division by zero" in line(page, TIMED)
    assert page.tree.one("form", action="/admin/jobs/retry")
    admin.post("/admin/jobs/retry", name=TIMED)
    assert waiting(portal) == [TIMED]
    assert admin.get("/admin/jobs").tree.all("form", action="/admin/jobs/retry") == []


def test_a_supervisor_sees_jobs_and_runs_none(portal: Portal, admin: Browser) -> None:
    assert admin.get("/admin/jobs").tree.all("form", action="/admin/jobs/run")
    supervisor = portal.browser("supervisor")
    page = supervisor.get("/admin/jobs")
    assert [f for f in page.tree.all("form") if "/admin/jobs" in f.attrs.get("action", "")] == []
    for what in ("run", "retry"):
        assert supervisor.post(f"/admin/jobs/{what}", name=TIMED).status == 403
    assert waiting(portal) == []
