"""The search of every page leads to what somebody looks for."""

from urllib.parse import urlencode

import pytest

from tests.factories.webapp import Browser, Page, Portal


def searched(browser: Browser, text: str) -> Page:
    return browser.get(f"/search?{urlencode({'q': text})}")


def found(portal: Portal, text: str, username: str = "agent") -> str:
    return searched(portal.browser(username), text).location


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("GD-261122-0001", "/tickets/GD-261122-0001"),
        (" gd-261122-0001 ", "/tickets/GD-261122-0001"),
        ("JC-261122-0001", "/tickets/JC-261122-0001"),
        ("YK-261122-0001", "/apps/YK-261122-0001"),
        ("TD-261122-001", "/outages/TD-261122-001"),
        ("m-0501", "/meters?q=M-0501"),
        ("ZD-0501-0001", "/meters?q=ZD-0501-0001"),
        ("9900 0000 01", "/customers?q=9900+0000+01"),
        ("GD-2611", "/customers?q=GD-2611"),
        ("a&b=c", "/customers?q=a%26b%3Dc"),
    ],
)
def test_a_number_leads_to_what_has_it(portal: Portal, text: str, where: str) -> None:
    assert found(portal, text) == where


def test_who_may_not_see_applications_is_not_led_to_one(portal: Portal) -> None:
    assert found(portal, "YK-261122-0001", "dispatcher").startswith("/customers?")


def test_a_ticket_and_a_caller_are_found_by_what_is_typed(portal: Portal) -> None:
    agent, ticket_no = portal.browser("agent"), portal.ticket()
    assert ticket_no in agent.follow(searched(agent, ticket_no.lower())).said
    address = "青禾镇试验路"
    assert address in agent.follow(searched(agent, "138 0013 8000")).said
    assert address in agent.follow(searched(agent, address)).said


@pytest.mark.parametrize("username", ["agent", "dispatcher", "clerk", "inspector", "admin"])
def test_the_search_of_every_page_leads_there(portal: Portal, username: str) -> None:
    page = portal.browser(username).get("/meters")
    assert page.tree.one("form", role="search").attrs["action"] == "/search"
