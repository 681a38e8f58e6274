"""The audit's page: everything done, newest first, and nobody can take it back."""

import psycopg
import pytest
from sqlalchemy import text

from tests.factories.webapp import Browser, Page, Portal


@pytest.fixture
def admin(portal: Portal) -> Browser:
    """Sit the administrator at a browser."""
    return portal.browser("admin")


@pytest.fixture(scope="module")
def acted(portal: Portal) -> dict[str, str]:
    """Let two people act; give what they acted on."""
    alert = portal.alert()
    portal.browser("dispatcher").post(f"/alerts/{alert.id}/acknowledge", version=alert.version)
    agent = portal.browser("agent")
    page = agent.post("/tickets/new", title="停电", kind="repair", priority="minor")
    return {"alert": str(alert.id), "ticket": page.location.rsplit("/", 1)[1]}


def lines(page: Page) -> list[str]:
    return [row.text for row in page.tree.one("tbody").all("tr")] if page.tree.all("tbody") else []


def test_every_change_is_listed_with_who_what_and_which(
    portal: Portal, admin: Browser, acted: dict[str, str]
) -> None:
    first, second = lines(admin.get("/admin/audit"))[:2]
    assert portal.town.people["agent"].name in first
    assert acted["ticket"] in first
    assert portal.town.people["dispatcher"].name in second
    assert f" {acted['alert']} " in second


@pytest.mark.parametrize(
    ("query", "count"),
    [("act=ticket.opened", 1), ("act=alert.", 1), ("who=nobody", 0), ("record={ticket}", 1),
     ("who=%25", 0), ("act=ticket.opened&record=nothing", 0)],
)  # fmt: skip
def test_entries_are_filtered_by_who_what_and_which(
    admin: Browser, acted: dict[str, str], query: str, count: int
) -> None:
    page = admin.get(f"/admin/audit?{query.format(**acted)}")
    assert page.status == 200
    assert len(lines(page)) == count


def test_a_long_audit_goes_on_where_it_ended(admin: Browser, acted: dict[str, str]) -> None:
    assert acted
    first = admin.get("/admin/audit")
    seen = lines(first)
    while nexts := first.tree.all("a", rel="next"):
        first = admin.get(nexts[0].attrs["href"])
        seen += lines(first)
    assert len(seen) > 10
    ids = [row.attrs["id"] for row in first.tree.one("tbody").all("tr")]
    assert ids == sorted(ids, key=lambda one: -int(one.split("-")[1]))


@pytest.mark.parametrize("query", ["before=x", "before=-1", "before=99999999999999999999"])
def test_an_address_that_makes_no_sense_is_no_error_of_ours(admin: Browser, query: str) -> None:
    assert admin.get(f"/admin/audit?{query}").status in {200, 400}


@pytest.mark.parametrize("account", ["office", "owner"])
@pytest.mark.parametrize(
    "change",
    ["UPDATE foundation.audit_entry SET actor_name = '甲'", "DELETE FROM foundation.audit_entry"],
)
def test_the_database_itself_refuses_to_take_an_entry_back(
    portal: Portal, acted: dict[str, str], account: str, change: str
) -> None:
    assert acted
    with (
        psycopg.connect(getattr(portal.addresses, account), autocommit=True) as connection,
        pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.RaiseException)),
    ):
        connection.execute(change)


def test_reading_the_audit_writes_nothing(portal: Portal, admin: Browser) -> None:
    def entries() -> int:
        with portal.work() as session:
            return int(
                session.execute(text("SELECT count(*) FROM foundation.audit_entry")).scalar_one()
            )

    before = entries()
    admin.get("/admin/audit")
    assert entries() == before


def test_who_may_not_see_the_audit_is_told_nothing(portal: Portal, dispatcher: Browser) -> None:
    page = dispatcher.get("/admin/audit")
    assert page.status == 403
    assert portal.town.people["admin"].name not in page.said
