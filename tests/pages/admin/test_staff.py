"""Staff: added with a sign-in or not at all, changed by one at a time, never without an admin."""

from itertools import count

import pytest
from sqlalchemy import text

from foundation.actor import Role
from foundation.audit import entries
from foundation.staff.queries import people, person
from foundation.staff.types import PersonCard
from tests.factories.html import Node
from tests.factories.webapp import Browser, Page, Portal
from webapp.auth.permissions import GRANTS, Permission

_NUMBERS = count(8000)


@pytest.fixture
def admin(portal: Portal) -> Browser:
    """Sit the administrator at a browser."""
    return portal.browser("admin")


def typed(portal: Portal, **more: object) -> dict[str, object]:
    number = next(_NUMBERS)
    return {
        "staff_no": str(number),
        "name": "梁小暑",
        "pinyin": "Liang Xiaoshu",
        "unit_id": str(portal.town.meter.unit_id),
        "username": f"liang{number}",
        "password": "long-enough-one",
        "roles": ["agent", "clerk"],
    } | more


def newest(portal: Portal, page: Page) -> PersonCard:
    with portal.work() as session:
        return person(session, int(page.location.rsplit("=", 1)[1]))


def headcount(portal: Portal) -> int:
    with portal.work() as session:
        return len(people(session))


def save(browser: Browser, card: PersonCard, **more: object) -> Page:
    fields: dict[str, object] = {
        "version": card.version,
        "name": card.name,
        "pinyin": card.pinyin,
        "unit_id": card.unit_id,
        "active": "1",
        "roles": [role.value for role in card.roles],
    }
    fields |= more
    return browser.post(
        f"/admin/users/{card.id}", **{k: v for k, v in fields.items() if v is not None}
    )


def test_a_person_is_added_with_roles_and_can_sign_in(
    portal: Portal, admin: Browser, nobody: Browser
) -> None:
    fields = typed(portal)
    page = admin.post("/admin/users", **fields)
    card = newest(portal, page)
    assert (card.name, card.roles) == ("梁小暑", (Role.AGENT, Role.CLERK))
    shown = admin.follow(page)
    assert "梁小暑" in shown.said
    assert shown.problems == []
    assert nobody.sign_in(str(fields["username"]), "long-enough-one").location == "/desk"
    with portal.work() as session:
        acts = [row.act for row in entries(session, subject_no=card.staff_no)]
    assert acts == ["person.added"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "#f-name"),
        ({"pinyin": " "}, "#f-pinyin"),
        ({"staff_no": ""}, "#f-staff_no"),
        ({"username": ""}, "#f-username"),
        ({"unit_id": ""}, "#f-unit_id"),
        ({"unit_id": "²"}, "#f-unit_id"),
        ({"unit_id": "99999999999999999999"}, "#f-unit_id"),
        ({"roles": []}, "#f-roles"),
        ({"roles": ["king"]}, "#f-roles"),
    ],
)
def test_a_form_with_gaps_comes_back_with_what_was_typed(
    portal: Portal, admin: Browser, wrong: dict[str, object], field: str
) -> None:
    before = headcount(portal)
    fields = typed(portal) | wrong
    page = admin.post("/admin/users", **fields)
    assert page.status == 422
    assert page.problems == []
    links = page.tree.one("div", data_error_summary=True).all("a")
    assert [link.attrs["href"] for link in links] == [field]
    assert page.tree.all(id=field[1:])
    form = form_of(page)
    for name in ("staff_no", "name", "pinyin", "username"):
        if name not in wrong:
            assert form.one("input", name=name).attrs["value"] == fields[name]
    assert form.one("input", name="password").attrs["value"] == ""
    assert headcount(portal) == before


def form_of(page: Page) -> Node:
    return next(
        form
        for form in page.tree.all("form", class_="card")
        if form.attrs["action"].startswith("/admin/users") and form.all("input", name="pinyin")
    )


@pytest.mark.parametrize(
    "wrong", [{"password": "short"}, {"username": "agent"}, {"staff_no": "taken"}]
)
def test_nobody_is_added_unless_all_of_it_is_right(
    portal: Portal, admin: Browser, wrong: dict[str, str]
) -> None:
    if "staff_no" in wrong:
        wrong = {"staff_no": portal.town.people["agent"].staff_no}
    before = headcount(portal)
    page = admin.post("/admin/users", **typed(portal) | wrong)
    assert page.status == 422
    assert page.tree.one("div", data_error_summary=True).text
    assert form_of(page).one("input", name="name").attrs["value"] == "梁小暑"
    assert headcount(portal) == before


def test_a_person_is_changed_and_the_change_is_audited(portal: Portal, admin: Browser) -> None:
    card = newest(portal, admin.post("/admin/users", **typed(portal)))
    page = save(admin, card, name="梁大暑", roles=["crew"])
    after = newest(portal, page)
    assert (after.name, after.roles, after.version) == ("梁大暑", (Role.CREW,), 2)
    with portal.work() as session:
        (row,) = entries(session, act="person.changed", subject_no=card.staff_no)
    assert row.facts["before"]["roles"] == ["agent", "clerk"]
    assert row.facts["after"]["roles"] == ["crew"]


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_who_saves_second_is_told(portal: Portal, admin: Browser, language: str) -> None:
    card = newest(portal, admin.post("/admin/users", **typed(portal)))
    admin.post("/me/language", language=language)
    save(admin, card, name="梁大暑")
    page = save(admin, card, name="梁小满")
    admin.post("/me/language", language="zh-CN")
    assert page.status == 409
    assert "梁大暑" in page.said
    with portal.work() as session:
        assert person(session, card.id).name == "梁大暑"


@pytest.mark.parametrize("more", [{"active": None}, {"roles": ["agent"]}])
def test_the_last_administrator_stays(
    portal: Portal, admin: Browser, more: dict[str, object]
) -> None:
    with portal.work() as session:
        card = person(session, portal.town.people["admin"].id or 0)
    page = save(admin, card, **more)
    assert page.status == 409
    assert card.name in page.said
    assert admin.get("/admin/users").status == 200


def test_changing_a_form_with_gaps_says_what_is_missing(portal: Portal, admin: Browser) -> None:
    card = newest(portal, admin.post("/admin/users", **typed(portal)))
    page = save(admin, card, name=" ")
    assert page.status == 422
    form = form_of(page)
    assert form.attrs["action"] == f"/admin/users/{card.id}"
    assert form.one("input", name="version").attrs["value"] == str(card.version)


def test_a_disabled_person_is_shown_as_such(portal: Portal, admin: Browser) -> None:
    card = newest(portal, admin.post("/admin/users", **typed(portal)))
    save(admin, card, active=None)
    row = admin.get(f"/admin/users?id={card.id}").tree.one("tr", id=f"person-{card.id}")
    assert "停用" in row.text


def test_a_new_password_ends_open_sessions(portal: Portal, admin: Browser, nobody: Browser) -> None:
    fields = typed(portal)
    card = newest(portal, admin.post("/admin/users", **fields))
    nobody.sign_in(str(fields["username"]), "long-enough-one")
    page = admin.post(
        f"/admin/users/{card.id}/password", username=fields["username"], password="another-one!"
    )
    assert page.status == 302
    assert nobody.get("/home").location.startswith("/login")
    assert nobody.sign_in(str(fields["username"]), "another-one!").status == 302


@pytest.mark.parametrize(
    ("username", "password", "status"),
    [("agent", "long-enough-one", 409), ("fresh", "short", 422), ("", "long-enough-one", 422)],
)
def test_a_password_that_does_not_do_changes_nothing(
    portal: Portal, admin: Browser, username: str, password: str, status: int
) -> None:
    fields = typed(portal)
    card = newest(portal, admin.post("/admin/users", **fields))
    page = admin.post(f"/admin/users/{card.id}/password", username=username, password=password)
    assert page.status == status
    assert portal.browser(str(fields["username"])).get("/home").status == 200


def test_people_are_found_by_part_of_a_name(portal: Portal, admin: Browser) -> None:
    agent = portal.town.people["agent"]
    page = admin.get(f"/admin/users?q={agent.staff_no}")
    assert [row.split()[0] for row in page.row_texts()] == [agent.staff_no]
    assert admin.get("/admin/users?q=%25").row_texts() == []


@pytest.mark.parametrize("query", ["id=999999", "id=x", "id=99999999999999999999", "tab=nothing"])
def test_an_address_that_makes_no_sense_is_no_error_of_ours(admin: Browser, query: str) -> None:
    assert admin.get(f"/admin/users?{query}").status in {200, 400, 404}


def test_the_matrix_says_who_may_do_what(admin: Browser) -> None:
    page = admin.get("/admin/users?tab=roles")
    lines = page.tree.one("tbody").all("tr")
    assert len(lines) == len(Permission)
    for line, permission in zip(lines, Permission, strict=True):
        marks = [cell.text == "●" for cell in line.all("td")]
        assert marks == [role in GRANTS[permission] for role in Role]


def test_a_supervisor_sees_staff_and_changes_nobody(portal: Portal) -> None:
    supervisor = portal.browser("supervisor")
    with portal.work() as session:
        card = person(session, portal.town.people["agent"].id or 0)
    page = supervisor.get(f"/admin/users?id={card.id}")
    assert [f for f in page.tree.all("form") if "/admin/users/" in f.attrs.get("action", "")] == []
    assert save(supervisor, card, name="x").status == 403
    assert supervisor.post("/admin/users", **typed(portal)).status == 403
    assert supervisor.post(f"/admin/users/{card.id}/password", username="x").status == 403


def test_passwords_are_kept_as_hashes(portal: Portal, admin: Browser) -> None:
    admin.post("/admin/users", **typed(portal))
    with portal.work() as session:
        hashes = session.execute(text("SELECT password_hash FROM webapp.account")).scalars().all()
    assert all(one.startswith("$argon2id$") for one in hashes)
