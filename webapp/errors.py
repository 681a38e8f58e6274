"""Domain errors as pages: a status, a sentence, a way on."""

import logging
import uuid
from collections.abc import Callable
from http import HTTPStatus

from apiflask import HTTPError
from flask import (
    Flask,
    Response,
    current_app,
    g,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, SQLAlchemyError
from werkzeug.exceptions import HTTPException

from callcenter.api.types import SignatureRefused
from foundation import metrics
from foundation.db import DatabaseAway
from foundation.errors import BadData, GridhallError, LostRace, NotAllowed, NotFound, Refused
from foundation.errors import Unreachable as Away
from webapp.auth.types import AccountLocked
from webapp.sentences import sentence, texts

logger = logging.getLogger(__name__)

STATUS: tuple[tuple[type[GridhallError], HTTPStatus], ...] = (
    (SignatureRefused, HTTPStatus.UNAUTHORIZED),
    (NotFound, HTTPStatus.NOT_FOUND),
    (NotAllowed, HTTPStatus.FORBIDDEN),
    (LostRace, HTTPStatus.CONFLICT),
    (AccountLocked, HTTPStatus.TOO_MANY_REQUESTS),
    (Refused, HTTPStatus.CONFLICT),
    (BadData, HTTPStatus.UNPROCESSABLE_ENTITY),
    (Away, HTTPStatus.SERVICE_UNAVAILABLE),
)


class SignInNeeded(NotAllowed):
    """Nobody is signed in, or the session has ended."""

    code = "sign_in_needed"


class Forbidden(NotAllowed):
    """The role may not use this page; it looks like one that does not exist."""

    code = "forbidden"


def status_of(error: GridhallError) -> HTTPStatus:
    """Give the HTTP status of a domain error."""
    return next(
        (status for kind, status in STATUS if isinstance(error, kind)),
        HTTPStatus.INTERNAL_SERVER_ERROR,
    )


def register(app: Flask, *, language: Callable[[], str]) -> None:
    """Answer every error with a page or, for a part of a page, with its fragment.

    Args:
        app: the portal.
        language: gives the language of the present request.
    """
    app.extensions["language"] = language
    app.register_error_handler(GridhallError, _domain)
    app.register_error_handler(HTTPError, _badly_put)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(SQLAlchemyError, _database)
    app.register_error_handler(Exception, _unforeseen)


def _domain(error: GridhallError) -> Response:
    if isinstance(error, SignInNeeded):
        return _sign_in()
    status = status_of(error)
    if isinstance(error, Forbidden):
        return _page(HTTPStatus.FORBIDDEN, "")
    logger.info("refused", extra={"code": error.code, "path": request.path})
    ticket_no = str(error.facts.get("ticket_no", ""))
    return _page(status, sentence(error, _lang()), code=error.code, ticket_no=ticket_no)


def _badly_put(error: HTTPError) -> Response:
    """Answer a program whose request does not fit its description."""
    status = HTTPStatus(error.status_code)
    detail = error.detail.get("json", error.detail) if isinstance(error.detail, dict) else {}
    said = texts().t(_lang(), "error.form_refused", n=len(detail))
    return _page(status, said, code="bad_request", detail=detail)


def _sign_in() -> Response:
    if _is_part():
        return _page(HTTPStatus.UNAUTHORIZED, "")
    back = request.full_path.rstrip("?") if request.method == "GET" else None
    return make_response(redirect(url_for("public.login", next=back)))


def _stale_form(error: CSRFError) -> Response:
    logger.info("stale form", extra={"path": request.path, "why": error.description})
    return _page(HTTPStatus.BAD_REQUEST, texts().t(_lang(), "error.stale_form"))


def _http(error: HTTPException) -> Response:
    if error.response is not None and error.code is not None and error.code < 400:  # noqa: PLR2004
        return make_response(error.response)
    return _page(HTTPStatus(error.code or 500), "")


def _database(error: SQLAlchemyError) -> Response:
    if getattr(error, "connection_invalidated", False):
        return _domain(DatabaseAway())
    if isinstance(error, DataError):  # a number no row can have, a sign no text can hold
        logger.warning("unusable input", extra={"path": request.path, "why": str(error.orig)})
        return _page(HTTPStatus.BAD_REQUEST, "")
    return _unforeseen(error)


def _unforeseen(error: Exception) -> Response:
    metrics.UNHANDLED.labels("web").inc()
    logger.error(
        "unhandled", exc_info=error, extra={"path": request.path, "request_id": _request_id()}
    )
    return _page(HTTPStatus.INTERNAL_SERVER_ERROR, "")


def _page(
    status: HTTPStatus, text: str, *, code: str = "", detail: object = None, ticket_no: str = ""
) -> Response:
    """Answer in the shape the request asked for: JSON, a fragment, or a page."""
    if _is_program():
        content = {
            "code": code or status.name.lower(),
            "error": text or status.phrase,
            "request_id": _request_id(),
        }
        answer = make_response(jsonify(content | ({"detail": detail} if detail else {})))
    else:
        template = "errors/fragment.html" if _is_part() else _template(status)
        answer = make_response(
            render_template(
                template,
                status=status.value,
                sentence=text,
                request_id=_request_id(),
                ticket_no=ticket_no,
            )
        )
    answer.status_code = status.value
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        answer.headers["Retry-After"] = "5"
    return answer


def _template(status: HTTPStatus) -> str:
    known = {400, 401, 403, 404, 405, 409, 413, 429, 500, 503}
    return f"errors/{status.value if status.value in known else 'page'}.html"


def _is_part() -> bool:
    return request.headers.get("HX-Request") == "true"


def _is_program() -> bool:
    return request.path.startswith("/api/")


def _lang() -> str:
    return "en" if _is_program() else str(current_app.extensions["language"]())


def _request_id() -> str:
    if "request_id" not in g:
        g.request_id = uuid.uuid4().hex[:12]
    return str(g.request_id)
