"""Drafts: a form's fields as they are typed, kept until the form is sent."""

import re

from flask import Blueprint, Response, request

from foundation.errors import BadData
from webapp.auth.guard import allow
from webapp.auth.permissions import Permission
from webapp.drafts import save
from webapp.session import actor, db

page = Blueprint("drafts", __name__)
_KEY = re.compile(r"[a-z]{1,20}:[0-9A-Za-z_-]{1,40}")
_NOT_KEPT = frozenset({"csrf_token", "version", "do"})


class DraftKeyRefused(BadData):
    """No form has such a draft; facts: key."""

    code = "draft_key_refused"


@page.post("/drafts/<key>")
@allow(Permission.USE_OFFICE)
def keep(key: str) -> Response:
    """Keep a form's fields for the person who types."""
    if not _KEY.fullmatch(key):
        raise DraftKeyRefused(key=key[:60])
    fields = {name: request.form.getlist(name) for name in request.form if name not in _NOT_KEPT}
    save(db(), actor(), key, fields)
    return Response(status=204)
