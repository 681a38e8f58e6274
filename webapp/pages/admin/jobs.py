"""Jobs: what runs by itself, how it went, and running it again."""

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from foundation import jobs
from foundation.audit import Act, record
from foundation.jobs import JobUnknown, defer, retry_failed
from webapp import wiring
from webapp.auth.guard import allow
from webapp.auth.permissions import Permission
from webapp.context import show, t
from webapp.session import actor, db

page = Blueprint("jobs", __name__)
RUN = Act.of("job.run", "how")


@page.get("/admin/jobs")
@allow(Permission.SEE_JOBS)
def listing() -> str:
    """List every job with its last run."""
    return show("admin/jobs.html", at="jobs", rows=jobs.listing(db(), wiring.jobs()))


@page.post("/admin/jobs/run")
@allow(Permission.MANAGE_JOBS)
def run_now() -> Response:
    """Queue a timed job now."""
    name = request.form.get("name", "")
    timed = {job.name for job in wiring.ROOM_JOBS if job.every or job.at}
    if name not in timed:
        raise JobUnknown(name=name)
    defer(db(), name, only_one_waiting=True)
    record(db(), actor(), RUN, subject=("job", name), how="now")
    flash(t("jobs.queued", name=name), "ok")
    return redirect(url_for("jobs.listing"))


@page.post("/admin/jobs/retry")
@allow(Permission.MANAGE_JOBS)
def retry() -> Response:
    """Queue a job's failed runs again."""
    name = request.form.get("name", "")
    count = retry_failed(db(), name)
    record(db(), actor(), RUN, subject=("job", name), how=f"again: {count}")
    flash(t("jobs.retried", name=name, n=count), "ok")
    return redirect(url_for("jobs.listing"))
