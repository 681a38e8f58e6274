"""The desk: what waits for this person, the most urgent first, and ways that open for them."""

import pytest

from foundation.actor import Role
from tests.factories.webapp import Page, Portal


@pytest.fixture(scope="module")
def busy(portal: Portal) -> dict[str, str]:
    """Let something wait for everybody."""
    alert = portal.alert()
    sent = portal.sent_ticket(title="变压器异响", point_id=portal.town.meter.point_id)
    inspection = portal.alert(theft=True)
    page = portal.browser("inspector").post(f"/alerts/{inspection.id}/ticket", title="查表")
    number = page.location.rsplit("/", 1)[1]
    portal.move(number, "inspector", "dispatch", crew_id=str(portal.town.inspectors_id))
    return {"alert": str(alert.id), "sent": sent, "inspection": number}


def waiting(page: Page) -> list[str]:
    return [link.attrs["href"] for link in page.tree.all("a", class_="open m")]


@pytest.mark.parametrize("username", [role.value for role in Role if role is not Role.WALL])
def test_every_way_from_the_desk_opens_for_its_owner(
    portal: Portal, busy: dict[str, str], username: str
) -> None:
    assert busy
    browser = portal.browser(username)
    page = browser.get("/home")
    own = [link.attrs["href"] for link in page.tree.all("a", href=True)]
    for href in sorted({one for one in own if one.startswith("/") and "static" not in one}):
        assert browser.get(href).status in {200, 302}, href


def test_a_dispatcher_sees_alerts_and_tickets_that_are_due(
    portal: Portal, busy: dict[str, str]
) -> None:
    found = waiting(portal.browser("dispatcher").get("/home"))
    assert f"/alerts?id={busy['alert']}" in found
    assert f"/tickets/{busy['sent']}" in found


@pytest.mark.parametrize(
    ("username", "own"), [("crew", "sent"), ("inspector", "inspection"), ("crew2", "")]
)
def test_who_works_in_the_field_sees_the_tasks_of_the_own_crew(
    portal: Portal, busy: dict[str, str], username: str, own: str
) -> None:
    found = waiting(portal.browser(username).get("/home"))
    assert [one.rsplit("/", 1)[1] for one in found] == ([busy[own]] if own else [])


def test_an_empty_desk_says_so(portal: Portal) -> None:
    page = portal.browser("crew2").get("/home")
    assert page.row_texts() == []
    assert page.tree.all("div", class_="ps-empty")


def test_figures_lead_to_the_lists_they_count(portal: Portal, busy: dict[str, str]) -> None:
    page = portal.browser("supervisor").get("/home")
    figures = {
        link.attrs["href"]: int(link.text)
        for kpi in page.tree.all("div", class_="kpi")
        for link in kpi.all("a")
    }
    assert busy
    assert figures["/tickets"] == len(portal.browser("supervisor").get("/tickets").row_texts())
    assert figures["/alerts?view=open"] == 1
    assert figures["/tickets?view=undispatched"] == 0


def test_the_menu_counts_what_waits_as_a_part_of_its_own(
    portal: Portal, busy: dict[str, str]
) -> None:
    assert busy
    browser = portal.browser("dispatcher")
    whole = browser.get("/alerts").tree.one("nav", id="nav")
    part = browser.get(whole.attrs["data-part"], script=True).tree.one("nav", id="nav")
    assert part.text == whole.text
    assert part.one("a", aria_current="page").attrs["href"] == "/alerts"


def test_a_wall_screen_has_no_desk(portal: Portal) -> None:
    assert portal.browser("wall").get("/home").status == 403
