"""The audit: who did what, when, to which record. Read only."""

from flask import Blueprint, request

from foundation.audit import entries
from webapp.auth.guard import allow
from webapp.auth.permissions import Permission
from webapp.context import show
from webapp.session import db

page = Blueprint("audit", __name__)
PAGE = 50


@page.get("/admin/audit")
@allow(Permission.SEE_AUDIT)
def listing() -> str:
    """List entries newest first."""
    filters = {name: request.args.get(name, "").strip() for name in ("who", "act", "record")}
    rows = entries(
        db(),
        actor_name=filters["who"],
        act=filters["act"],
        subject_no=filters["record"],
        before_id=request.args.get("before", type=int),
        limit=PAGE + 1,
    )
    return show(
        "admin/audit.html",
        at="audit",
        rows=rows[:PAGE],
        filters=filters,
        next_before=rows[PAGE - 1].id if len(rows) > PAGE else None,
    )
