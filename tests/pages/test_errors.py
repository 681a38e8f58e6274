"""Errors: a page that says what happened and what to do, and nothing about how we are built."""

import json
from collections.abc import Callable, Iterator

import pytest
from flask import Blueprint, abort
from prometheus_client import REGISTRY
from sqlalchemy import text

from foundation.errors import BadData, LostRace, NotFound, Refused, Unreachable
from foundation.postgres import EmbeddedServer
from tests.factories.databases import own_database
from tests.factories.webapp import Browser, Portal, Town
from tests.pages.conftest import TOWN
from webapp.auth.guard import public
from webapp.session import db

TRAPS: dict[str, Callable[[], object]] = {
    "broken": lambda: {}["buried"],  # type: ignore[index]
    "statement": lambda: db().execute(text("SELECT buried FROM nowhere")),
    "lost": lambda: raising(LostRace(by="甲", at="")),
    "away": lambda: raising(Unreachable()),
    "bad": lambda: raising(BadData()),
    "refused": lambda: raising(Refused()),
    "missing": lambda: raising(NotFound(what="ticket", id="GD-1")),
    "teapot": lambda: abort(418),
    "large": lambda: abort(413),
    "ended": lambda: db().execute(text("SELECT pg_terminate_backend(pg_backend_pid())")),
}


def raising(error: Exception) -> None:
    raise error


def trap_page() -> Blueprint:
    page = Blueprint("traps", __name__)
    for name, trap in TRAPS.items():
        for prefix in ("", "/api"):

            def view(trap: Callable[[], object] = trap) -> str:
                trap()
                return "no trap"

            page.add_url_rule(f"{prefix}/trap/{name}", f"{name}{prefix[1:]}", public(view))
    return page


@pytest.fixture(scope="module")
def portal(server: EmbeddedServer, town: Town) -> Iterator[Portal]:
    """Open a portal with pages that fail, each in its own way."""
    with own_database(server, TOWN) as addresses:
        opened = Portal(addresses, town)
        opened.app.register_blueprint(trap_page())
        yield opened
        opened.close()


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("broken", 500),
        ("statement", 500),
        ("lost", 409),
        ("away", 503),
        ("bad", 422),
        ("refused", 409),
        ("missing", 404),
        ("teapot", 418),
        ("large", 413),
        ("ended", 503),
    ],
)
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_error_has_a_page_that_says_what_to_do_and_gives_nothing_away(
    nobody: Browser, name: str, status: int, language: str
) -> None:
    nobody.post("/me/language", language=language)
    page = nobody.get(f"/trap/{name}")
    assert page.status == status
    assert page.problems == []
    assert page.tree.one("html").attrs["lang"] == language
    assert page.tree.one("h1").text
    for hidden in ("buried", "Traceback", "KeyError", "sqlalchemy", "SELECT", "nowhere"):
        assert hidden not in page.html
    assert page.tree.all("a", class_="btn btn-primary") or page.tree.all("a", class_="btn")
    assert ("Retry-After" in page.answer.headers) is (status == 503)


def unhandled() -> float:
    return REGISTRY.get_sample_value("gridhall_unhandled_errors_total", {"process": "web"}) or 0.0


@pytest.mark.parametrize(("name", "counts"), [("broken", 1), ("statement", 1), ("lost", 0)])
def test_only_what_nobody_answered_is_counted(nobody: Browser, name: str, counts: int) -> None:
    before = unhandled()
    nobody.get(f"/trap/{name}")
    assert unhandled() - before == counts


def test_an_unforeseen_error_is_logged_under_the_number_the_page_shows(
    nobody: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    page = nobody.get("/trap/broken")
    (record,) = [one for one in caplog.records if one.message == "unhandled"]
    number = record.__dict__["request_id"]
    assert number in page.said
    assert record.exc_info is not None


@pytest.mark.parametrize("name", ["broken", "lost", "missing", "away"])
def test_a_script_is_answered_with_a_fragment(nobody: Browser, name: str) -> None:
    page = nobody.get(f"/trap/{name}", script=True)
    assert page.tree.all("html") == []
    assert page.tree.one("div", data_toast=True).text
    assert page.problems == []


@pytest.mark.parametrize("name", ["broken", "refused"])
def test_a_program_is_answered_with_json(nobody: Browser, name: str) -> None:
    page = nobody.get(f"/api/trap/{name}")
    said = json.loads(page.html)
    assert set(said) == {"code", "error", "request_id"}
    assert said["error"]


def test_what_is_forbidden_looks_like_what_does_not_exist(portal: Portal) -> None:
    crew = portal.browser("crew")
    forbidden, missing = crew.get("/admin/audit"), crew.get("/no/such/page")
    assert (forbidden.status, missing.status) == (403, 404)
    for tag in ("title", "h1"):
        assert forbidden.tree.one(tag).text == missing.tree.one(tag).text
    said = [page.tree.one("main").one("p", class_="fs14 t2").text for page in (forbidden, missing)]
    assert said[0] == said[1]


def test_a_page_that_takes_no_form_says_so(portal: Portal) -> None:
    page = portal.browser("dispatcher").post("/meters")
    assert page.status == 405
    assert page.tree.one("h1").text


@pytest.mark.parametrize(
    "path", ["/tickets/x%00y", "/meters/%00", "/tickets?q=%00", "/admin/users?q=%00",
             "/alerts/99999999999999999999/acknowledge"],
)  # fmt: skip
def test_what_no_text_and_no_number_can_hold_is_a_bad_request(portal: Portal, path: str) -> None:
    page = portal.browser("supervisor").get(path)
    assert page.status in {400, 404, 405}


def test_a_change_that_fails_half_way_leaves_nothing(portal: Portal) -> None:
    dispatcher = portal.browser("dispatcher")
    with portal.work() as session:
        before = session.execute(text("SELECT count(*) FROM callcenter.ticket")).scalar_one()
    page = dispatcher.post(
        "/tickets/new", title="停电", kind="repair", priority="minor", description="\0"
    )
    assert page.status == 400
    with portal.work() as session:
        after = session.execute(text("SELECT count(*) FROM callcenter.ticket")).scalar_one()
        numbers = session.execute(
            text("SELECT coalesce(sum(last), 0) FROM foundation.number_series")
        ).scalar_one()
    assert (after, numbers) == (before, before)


def test_a_form_that_is_far_too_large_is_refused(portal: Portal) -> None:
    dispatcher = portal.browser("dispatcher")
    page = dispatcher.post("/tickets/new", title="x" * (25 * 1024 * 1024))
    assert page.status == 413
