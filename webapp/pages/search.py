"""The search of every page: a number leads to what has it, anything else to customers."""

import re
from urllib.parse import urlencode

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from webapp.auth.guard import allow
from webapp.auth.permissions import Permission, may
from webapp.session import actor

page = Blueprint("search", __name__)
PAGES = (
    (re.compile(r"(GD|JC)-\d{6}-\d+"), Permission.SEE_TICKETS, "/tickets/{}"),
    (re.compile(r"YK-\d{6}-\d+"), Permission.SEE_APPLICATIONS, "/apps/{}"),
    (re.compile(r"TD-\d{6}-\d+"), Permission.SEE_OUTAGES, "/outages/{}"),
    (re.compile(r"(M|P|B|ZD|TG)-[\d-]*"), Permission.SEE_METERS, "/meters?q={}"),
)
"""What a number may look like, who may see what has it, and where that is."""


@page.get("/search")
@allow(Permission.SEE_CUSTOMERS)
def find() -> Response:
    """Go where the text leads: account, telephone number, name or address are of customers."""
    text = request.args.get("q", "").strip()
    number = re.sub(r"\s", "", text).upper()
    for pattern, permission, path in PAGES:
        if pattern.fullmatch(number) and may(actor(), permission):
            return redirect(path.format(number))
    return redirect(f"/customers?{urlencode({'q': text})}")
