"""Pages for people who have not signed in: sign-in, language, logo."""

from pathlib import Path

from flask import Blueprint, Response, g, redirect, render_template, request, send_file
from flask import session as cookie
from werkzeug.wrappers import Response as AnyResponse

from foundation.errors import NotFound
from webapp.auth import accounts
from webapp.auth.demo import PASSWORD, STAFF
from webapp.auth.guard import public
from webapp.context import LANGUAGES, THEMES, language, theme
from webapp.navigation import home_of, own_address
from webapp.sentences import sentence
from webapp.session import TOKEN, db, keep_changes, office

page = Blueprint("public", __name__)


@page.get("/")
@public
def root() -> AnyResponse:
    """Lead to the person's own first page, or to the sign-in."""
    return redirect(home_of(g.who.actor) if g.who else "/login")


@page.get("/login")
@public
def login() -> str | AnyResponse:
    """Show the sign-in."""
    if g.who:
        return redirect(_next() or home_of(g.who.actor))
    return _form()


def _form(error: str = "", username: str = "") -> str:
    demo = office().settings.demo
    return render_template(
        "login.html",
        error=error,
        username=username,
        next=_next(),
        lock_after=office().settings.lock_after,
        lock_minutes=office().settings.lock_minutes,
        demo_staff=STAFF if demo else (),
        demo_password=PASSWORD if demo else "",
    )


@page.post("/login")
@public
def sign_in() -> str | AnyResponse | tuple[str, int]:
    """Sign in; a failure is counted and says no more than it must."""
    username = request.form.get("username", "")
    result = accounts.sign_in(
        db(),
        username=username,
        password=request.form.get("password", ""),
        address=request.remote_addr or "",
        browser=request.user_agent.string,
    )
    if not isinstance(result, str):
        keep_changes()
        return _form(sentence(result, language()), username), 422
    _begin_anew()
    cookie.permanent = True
    cookie[TOKEN] = result
    signed_in = accounts.who_is(db(), result)
    return redirect(_next() or (home_of(signed_in.actor) if signed_in else "/"))


@page.post("/logout")
@public
def sign_out() -> AnyResponse:
    """End the session, here and on the server."""
    if g.who:
        accounts.sign_out(db(), g.who.actor, g.who.sign_in_id)
    _begin_anew()
    return redirect("/login")


def _begin_anew() -> None:
    """Empty the cookie but for how this browser likes the portal."""
    liked = {"language": language(), "theme": theme()}
    cookie.clear()
    cookie.update(liked)


@page.post("/me/language")
@public
def choose_language() -> AnyResponse:
    """Remember a language, for the person or for this browser."""
    chosen = request.form.get("language", "")
    if chosen in LANGUAGES:
        cookie["language"] = chosen
        if g.who:
            accounts.choose(db(), g.who.account_id, language=chosen)
    return redirect(_next() or "/")


@page.post("/me/theme")
@public
def choose_theme() -> AnyResponse:
    """Remember light, dark or the system's choice."""
    chosen = request.form.get("theme", "")
    if chosen in THEMES:
        cookie["theme"] = chosen
        if g.who:
            accounts.choose(db(), g.who.account_id, theme=chosen)
    return redirect(_next() or "/")


@page.get("/logo")
@public
def logo() -> Response:
    """Serve the company's own logo."""
    path = office().settings.brand_logo
    if not path or not Path(path).is_file():
        raise NotFound(what="logo", id="")
    return send_file(path)


def _next() -> str:
    """Give where to go on: an address of this portal, never of another site."""
    return own_address(request.values.get("next", ""))
