"""Signing in and out, and how the portal looks before anybody has."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urljoin, urlsplit

import pytest
from sqlalchemy import text

from foundation import clock
from foundation.actor import Role
from foundation.settings import settings
from foundation.staff.actions import change_person
from foundation.staff.queries import person
from tests.factories.foundation import SYSTEM
from tests.factories.foundation import person as add_person
from tests.factories.webapp import PASSWORD, Browser, Page, Portal
from webapp.auth.accounts import set_password

HOMES = {
    "agent": "/desk",
    "dispatcher": "/alerts",
    "clerk": "/tasks",
    "inspector": "/home",
    "crew": "/m/tasks",
    "supervisor": "/home",
    "admin": "/admin/users",
    "wall": "/home",
}


@pytest.fixture
def newcomer(portal: Portal) -> str:
    """Add somebody who may sign in; give their name of sign-in."""
    with portal.work() as session:
        one = add_person(session, Role.AGENT)
        set_password(session, SYSTEM, one.id or 0, username=one.name, password=PASSWORD)
    return one.name


def account(portal: Portal, username: str, column: str) -> object:
    with portal.work() as session:
        query = text(f"SELECT {column} FROM webapp.account WHERE username = :username")
        return session.execute(query, {"username": username}).scalar_one()


def refusal(page: Page) -> str:
    assert page.status == 422
    return page.tree.one("div", data_error_summary=True).one("li").text


@pytest.mark.parametrize("username", HOMES)
def test_everybody_begins_at_the_page_of_their_role(nobody: Browser, username: str) -> None:
    page = nobody.sign_in(username)
    assert (page.status, page.location) == (302, HOMES[username])
    assert nobody.get("/").location == HOMES[username]
    assert nobody.get("/login").location == HOMES[username]


def test_without_a_sign_in_every_way_leads_to_it(nobody: Browser) -> None:
    assert nobody.get("/").location == "/login"
    page = nobody.get("/login")
    assert page.status == 200
    assert page.problems == []
    assert "演示" not in page.said


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(
    nobody: Browser, newcomer: str
) -> None:
    wrong = nobody.sign_in(newcomer, "no-password-of-anybody")
    unknown = nobody.sign_in("nobody-at-all", "no-password-of-anybody")
    assert refusal(wrong) == refusal(unknown)
    assert wrong.tree.one("input", name="username").attrs["value"] == newcomer
    assert wrong.tree.one("input", name="password").attrs["value"] == ""
    assert nobody.get("/home").location.startswith("/login")


def test_a_disabled_person_gets_the_answer_of_a_wrong_password(
    portal: Portal, nobody: Browser, newcomer: str
) -> None:
    wrong = refusal(nobody.sign_in(newcomer, "wrong-wrong"))
    disable(portal, newcomer)
    assert refusal(nobody.sign_in(newcomer)) == wrong


def disable(portal: Portal, username: str) -> None:
    with portal.work() as session:
        number = session.execute(
            text("SELECT person_id FROM webapp.account WHERE username = :u"), {"u": username}
        ).scalar_one()
        card = person(session, number)
        change_person(
            session,
            SYSTEM,
            card.id,
            version=card.version,
            name=card.name,
            pinyin=card.pinyin,
            unit_id=card.unit_id,
            active=False,
            roles=card.roles,
        )


def test_a_person_who_is_disabled_is_out_at_once(
    portal: Portal, nobody: Browser, newcomer: str
) -> None:
    nobody.sign_in(newcomer)
    assert nobody.get("/home").status == 200
    disable(portal, newcomer)
    assert nobody.get("/home").location.startswith("/login")


def test_five_failures_lock_an_account_for_a_quarter_of_an_hour(
    portal: Portal, nobody: Browser, newcomer: str
) -> None:
    start = datetime(2026, 6, 18, 3, 0, tzinfo=UTC)
    with clock.frozen(start):
        said = [refusal(nobody.sign_in(newcomer, "wrong-wrong")) for _ in range(5)]
        assert len(set(said[:4])) == 1
        assert "11:15" in said[4]  # the office's time
        assert refusal(nobody.sign_in(newcomer)) == said[4]
    with clock.frozen(start + timedelta(minutes=15) - timedelta(seconds=1)):
        assert refusal(nobody.sign_in(newcomer)) == said[4]
    with clock.frozen(start + timedelta(minutes=15)):
        assert nobody.sign_in(newcomer).status == 302
    assert account(portal, newcomer, "failures") == 0


def test_a_success_forgets_the_failures_before_it(
    portal: Portal, nobody: Browser, newcomer: str
) -> None:
    for _ in range(4):
        nobody.sign_in(newcomer, "wrong-wrong")
    assert account(portal, newcomer, "failures") == 4
    assert nobody.sign_in(newcomer).status == 302
    assert account(portal, newcomer, "failures") == 0


def test_failures_and_successes_are_audited(portal: Portal, nobody: Browser, newcomer: str) -> None:
    nobody.sign_in(newcomer, "wrong-wrong")
    nobody.sign_in(newcomer)
    nobody.post("/logout")
    with portal.work() as session:
        acts = session.execute(
            text("SELECT act FROM foundation.audit_entry WHERE act LIKE 'auth.%'"
                 " ORDER BY id DESC LIMIT 3")
        ).scalars()  # fmt: skip
        assert list(acts) == ["auth.signed_out", "auth.signed_in", "auth.failed"]


def test_a_session_ends_after_hours_without_a_request(nobody: Browser, newcomer: str) -> None:
    nobody.sign_in(newcomer)
    now = clock.now()
    with clock.frozen(now + timedelta(hours=11)):
        assert nobody.get("/home").status == 200
    with clock.frozen(now + timedelta(hours=22)):
        assert nobody.get("/home").status == 200
    with clock.frozen(now + timedelta(hours=34, minutes=1)):
        assert nobody.get("/home").location.startswith("/login")


def test_signing_out_ends_the_session_on_the_server_too(nobody: Browser, newcomer: str) -> None:
    nobody.sign_in(newcomer)
    kept = nobody.cookie()
    assert kept is not None
    assert nobody.post("/logout").location == "/login"
    nobody.take_cookie(kept)
    assert nobody.get("/home").location.startswith("/login")


def test_a_new_password_ends_the_sessions_of_the_old_one(
    portal: Portal, nobody: Browser, newcomer: str
) -> None:
    nobody.sign_in(newcomer)
    with portal.work() as session:
        number = session.execute(
            text("SELECT person_id FROM webapp.account WHERE username = :u"), {"u": newcomer}
        ).scalar_one()
        set_password(session, SYSTEM, number, username=newcomer, password="another-password")
    assert nobody.get("/home").location.startswith("/login")
    assert refusal(nobody.sign_in(newcomer))
    assert nobody.sign_in(newcomer, "another-password").status == 302


def test_the_cookie_holds_a_token_of_which_the_server_keeps_the_hash_alone(
    portal: Portal, nobody: Browser, newcomer: str
) -> None:
    nobody.sign_in(newcomer)
    with portal.work() as session:
        hashes = session.execute(text("SELECT token_hash FROM webapp.sign_in")).scalars().all()
    cookie = nobody.cookie() or ""
    assert all(bytes(one).hex() not in cookie for one in hashes)


def test_the_cookie_is_closed_to_scripts_and_other_sites(nobody: Browser, newcomer: str) -> None:
    said = nobody.sign_in(newcomer).answer.headers["Set-Cookie"]
    flags = {flag.strip().split("=")[0] for flag in said.split(";")}
    assert {"HttpOnly", "Expires"} <= flags
    assert "SameSite=Lax" in said
    assert "Secure" not in flags


def test_behind_a_tls_front_the_cookie_never_leaves_it(portal: Portal) -> None:
    secure = Portal(portal.addresses, portal.town, replace(settings(), secure_cookies=True))
    said = secure.browser().get("/login").answer.headers["Set-Cookie"]
    assert "Secure" in {flag.strip() for flag in said.split(";")}
    secure.close()


ELSEWHERE = (
    "//evil.example",
    "https://evil.example/",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r/evil.example",
    "\t//evil.example",
    "javascript:alert(1)",
    " //evil.example",
)


def as_browsers_read(location: str) -> str:
    """Give the host a browser would go to: tabs and line ends dropped, backslashes turned."""
    said = location.strip()
    for sign in "\t\r\n":
        said = said.replace(sign, "")
    return urlsplit(urljoin("http://portal.example/login", said.replace("\\", "/"))).netloc


@pytest.mark.parametrize("wanted", ELSEWHERE)
def test_nobody_is_led_to_another_site(nobody: Browser, newcomer: str, wanted: str) -> None:
    page = nobody.sign_in(newcomer, next=wanted)
    assert page.status == 302
    assert as_browsers_read(page.location) == "portal.example"
    page = nobody.post("/me/language", language="en", next=wanted)
    assert as_browsers_read(page.location) == "portal.example"


def test_after_signing_in_one_goes_on_to_the_address_asked_for(nobody: Browser) -> None:
    wanted = "/alerts?view=open&id=7&node=f3"
    asked = nobody.get(wanted)
    form = nobody.follow(asked).tree.one("form", class_="card")
    assert form.one("input", name="next").attrs["value"] == wanted
    assert nobody.sign_in("dispatcher", next=wanted).location == wanted


def test_a_form_sent_without_a_sign_in_does_not_come_back_as_an_address(nobody: Browser) -> None:
    page = nobody.post("/alerts/1/acknowledge", version=1)
    assert page.location == "/login"


def test_a_part_asked_for_without_a_sign_in_says_so_instead_of_leading_away(
    nobody: Browser,
) -> None:
    page = nobody.get("/alerts?part=rows", script=True)
    assert page.status == 401
    assert page.tree.all("html") == []


def test_a_form_without_its_token_changes_nothing(portal: Portal, nobody: Browser) -> None:
    page = nobody.post_without_token("/login", username="agent", password=PASSWORD)
    assert page.status == 400
    assert page.problems == []
    assert "未提交" in page.said
    browser = portal.browser("agent")
    before = account(portal, "agent", "language")
    assert browser.post_without_token("/me/language", language="en").status == 400
    assert account(portal, "agent", "language") == before


def test_a_person_without_an_account_yet_chooses_a_language_for_this_browser(
    nobody: Browser,
) -> None:
    assert nobody.get("/login").tree.one("html").attrs["lang"] == "zh-CN"
    assert nobody.post("/me/language", language="en", next="/login").location == "/login"
    page = nobody.get("/login")
    assert page.tree.one("html").attrs["lang"] == "en"
    assert page.tree.one("h1").text == "Sign in"
    assert nobody.post("/me/language", language="fr").location == "/"
    assert nobody.get("/login").tree.one("html").attrs["lang"] == "en"


def test_a_refusal_is_said_in_the_language_of_the_page(nobody: Browser) -> None:
    nobody.post("/me/language", language="en")
    said = refusal(nobody.sign_in("nobody-at-all"))
    assert said.isascii()


def test_a_choice_of_language_and_theme_stays_with_the_person(
    portal: Portal, newcomer: str
) -> None:
    for _ in range(2):
        browser = Browser(portal)
        browser.sign_in(newcomer)
        browser.post("/me/language", language="en")
        browser.post("/me/theme", theme="dark")
        root = Browser(portal)
        root.sign_in(newcomer)
        html = root.get("/home").tree.one("html")
        assert (html.attrs["lang"], html.attrs["data-bs-theme"]) == ("en", "dark")
    browser.post("/me/theme", theme="pink")
    assert account(portal, newcomer, "theme") == "dark"


def test_a_theme_is_automatic_until_chosen(nobody: Browser) -> None:
    assert nobody.get("/login").tree.one("html").attrs["data-theme-choice"] == "auto"
    nobody.post("/me/theme", theme="light")
    assert nobody.get("/login").tree.one("html").attrs["data-theme-choice"] == "light"


def test_without_a_logo_of_the_company_there_is_none(nobody: Browser) -> None:
    assert nobody.get("/logo").status == 404
