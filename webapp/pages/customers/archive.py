"""Archive changes (档案变更): what will be written next, and what was."""

from flask import Blueprint, request

from customers.api.applications import application_cards
from customers.api.archive import amendments
from webapp.auth.guard import allow
from webapp.auth.permissions import Permission
from webapp.context import show
from webapp.pages.customers.applications import rows_of
from webapp.session import db, scope

page = Blueprint("archive", __name__)
PAGE = 50


@page.get("/archive")
@allow(Permission.SEE_ARCHIVE)
def listing() -> str:
    """List the cases that wait to be written, and the changes that were written, newest first."""
    account_no = "".join(sign for sign in request.args.get("q", "") if sign.isdigit())
    written = amendments(
        db(),
        account_no=account_no,
        before_id=request.args.get("before", type=int),
        limit=PAGE + 1,
    )
    waiting = application_cards(db(), scope(), step="archive", limit=PAGE)
    return show(
        "customers/archive.html",
        at="archive",
        waiting=rows_of(waiting) if not account_no else [],
        rows=written[:PAGE],
        search=account_no,
        next_before=written[PAGE - 1].id if len(written) > PAGE else None,
    )
