"""One unit of work per request, and who makes the request."""

from typing import cast

from apiflask import APIFlask
from flask import Response, current_app, g, request
from flask import session as cookie
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from foundation.actor import Actor, Scope
from foundation.db import unit_of_work
from foundation.office import Office
from webapp.auth import accounts
from webapp.auth.guard import is_open, may_use
from webapp.auth.types import SignedIn
from webapp.errors import Forbidden, SignInNeeded

TOKEN = "token"  # noqa: S105 - a key of the cookie
NO_DATABASE = frozenset({"static", "health.healthz", "health.metrics"})


class Portal(APIFlask):
    """Flask with OpenAPI; every request is inside one unit of work, behind one guard."""

    def dispatch_request(self) -> Response:
        """Run the view: signed in, allowed, committed unless it fails or answers an error."""
        if request.endpoint in NO_DATABASE:
            return self.make_response(super().dispatch_request())
        with unit_of_work(office().engine) as session:
            g.session = session
            g.keep = False
            g.who = _who(session)
            _guard()
            answer = self.make_response(super().dispatch_request())
            if answer.status_code >= 400 and not g.keep:  # noqa: PLR2004 - HTTP's errors
                session.rollback()
        return answer


def _who(session: Session) -> SignedIn | None:
    token = cookie.get(TOKEN)
    return accounts.who_is(session, token) if token else None


def _guard() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    if request.endpoint is None or is_open(view):
        return
    if g.who is None:
        raise SignInNeeded
    if not may_use(g.who.actor, view):
        raise Forbidden


def office() -> Office:
    """Give the office this application serves."""
    return cast("Office", current_app.config["OFFICE"])


def engine() -> Engine:
    """Give the engine, for what must outlive the request."""
    return office().engine


def db() -> Session:
    """Give the request's transaction."""
    return cast("Session", g.session)


def keep_changes() -> None:
    """Commit even though the answer is an error (a counted failure)."""
    g.keep = True


def who() -> SignedIn:
    """Give who is signed in."""
    return cast("SignedIn", g.who)


def actor() -> Actor:
    """Give who acts in this request."""
    return who().actor


def scope() -> Scope:
    """Give what this actor may see: all departments, for the roles there are now."""
    return Scope.everything()
