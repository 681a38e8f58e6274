"""Documents of a case: handed in, promised, taken out, and read by those who may."""

from flask import Blueprint, Response, flash, redirect, request, send_file, url_for
from werkzeug.wrappers import Response as AnyResponse

from customers.api.applications import application_card
from customers.api.case_files import (
    add_document,
    document_file,
    promise_document,
    remove_document,
)
from foundation.attachments import AttachmentCard, FileRefused, content_of
from foundation.errors import Refused
from webapp.auth.guard import allow
from webapp.auth.permissions import Permission
from webapp.context import language, t
from webapp.pages.customers.applications import case_page
from webapp.sentences import sentence
from webapp.session import actor, db

page = Blueprint("app_files", __name__)
Answer = str | AnyResponse | tuple[str, int]
SHOWN_IN_PLACE = frozenset({"image/jpeg", "image/png"})


@page.post("/apps/<application_no>/papers/<kind>")
@allow(Permission.HANDLE_APPLICATION)
def upload(application_no: str, kind: str) -> Answer:
    """Hand a document in; a file that cannot be taken is said in one sentence."""
    name, content = handed_in()
    try:
        add_document(db(), actor(), application_no, kind, name=name, content=content)
    except (FileRefused, Refused) as refused:
        db().rollback()
        return case_page(application_no, upload=(kind, sentence(refused, language()))), 422
    flash(t("app.paper_received", what=t(f"paper.{kind}")), "ok")
    return redirect(_back(application_no))


@page.post("/apps/<application_no>/papers/<kind>/promise")
@allow(Permission.HANDLE_APPLICATION)
def promise(application_no: str, kind: str) -> Answer:
    """Write down that the customer brings a document later (容缺)."""
    try:
        promise_document(db(), actor(), application_no, kind)
    except Refused as refused:
        db().rollback()
        return case_page(application_no, upload=(kind, sentence(refused, language()))), 422
    return redirect(_back(application_no))


@page.post("/apps/<application_no>/files/<int:attachment_id>/remove")
@allow(Permission.HANDLE_APPLICATION)
def remove(application_no: str, attachment_id: int) -> AnyResponse:
    """Take a wrong file out of the case."""
    remove_document(db(), actor(), application_no, attachment_id)
    return redirect(_back(application_no))


def handed_in() -> tuple[str, bytes]:
    """Give the name and the content of the file a form brought; both empty if none."""
    file = request.files.get("file")
    if file is None:
        return "", b""
    with file.stream:
        return file.filename or "", file.read()


def _back(application_no: str) -> str:
    return url_for("apps.detail", application_no=application_no, tab="papers")


@page.get("/apps/<application_no>/files/<int:attachment_id>")
@allow(Permission.SEE_APPLICATIONS)
def read(application_no: str, attachment_id: int) -> Response:
    """Give a file of a case to somebody who may see the case."""
    card = application_card(db(), application_no)
    return as_download(document_file(db(), card, attachment_id))


def as_download(kept: AttachmentCard) -> Response:
    """Stream a kept file so that no browser runs anything in it."""
    answer = send_file(
        content_of(kept),
        mimetype=kept.media_type,
        as_attachment=kept.media_type not in SHOWN_IN_PLACE,
        download_name=kept.name,
        conditional=False,
        max_age=0,
    )
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
