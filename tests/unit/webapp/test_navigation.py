"""The menu, where a day begins, and which addresses are ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.actor import Actor, Role
from webapp.auth.permissions import GRANTS, SENTENCES, Permission, may
from webapp.navigation import TREE, home_of, item_of, menu, own_address


def actor(*roles: Role) -> Actor:
    return Actor(id=1, name="甲", roles=frozenset(roles))


def keys(*roles: Role, **counts: int) -> list[str]:
    groups = menu(actor(*roles), active="tickets", counts=counts)
    return [item.key for group in groups for item in group.items]


@pytest.mark.parametrize(
    ("roles", "home"),
    [
        ((Role.DISPATCHER,), "/alerts"),
        ((Role.CLERK,), "/tasks"),
        ((Role.CREW,), "/m/tasks"),
        ((Role.ADMIN,), "/admin/users"),
        ((Role.AGENT,), "/desk"),
        ((Role.ADMIN, Role.DISPATCHER), "/alerts"),  # the order of the roles decides
        ((Role.CREW, Role.AGENT), "/desk"),
        ((), "/home"),
    ],
)
def test_a_day_begins_at_the_page_of_the_first_role(roles: tuple[Role, ...], home: str) -> None:
    assert home_of(actor(*roles)) == home


def test_a_menu_holds_what_one_may_use_and_no_empty_group() -> None:
    assert keys(Role.CREW) == ["home", "crew_tasks", "apps", "tasks"]
    assert keys(Role.WALL) == []
    assert "audit" in keys(Role.ADMIN)
    assert "audit" not in keys(Role.DISPATCHER)
    assert all(group.items for group in menu(actor(Role.CREW), active="", counts={}))


def test_the_present_page_is_marked_and_what_waits_is_counted() -> None:
    groups = menu(actor(Role.DISPATCHER), active="tickets", counts={"alerts": 3, "tickets": 0})
    items = {item.key: item for group in groups for item in group.items}
    assert [key for key, item in items.items() if item.active] == ["tickets"]
    assert (items["alerts"].count, items["tickets"].count, items["meters"].count) == (3, None, None)


def test_every_entry_is_found_with_its_group() -> None:
    for group in TREE:
        for item in group.items:
            assert item_of(item.key) == (group, item)


@pytest.mark.parametrize("permission", Permission)
def test_every_permission_has_a_sentence_and_somebody_who_holds_it(permission: Permission) -> None:
    assert SENTENCES[permission]
    assert GRANTS[permission]
    for role in Role:
        assert may(actor(role), permission) is (role in GRANTS[permission])
    assert not may(actor(), permission)
    assert not may(None, permission)


@pytest.mark.parametrize(
    "address", ["/", "/home", "/alerts?view=open&id=7", "/meters?q=吴 小满", "/a//b", "/#top"]
)
def test_an_address_of_ours_is_kept(address: str) -> None:
    assert own_address(address) == address


@pytest.mark.parametrize(
    "address",
    ["", "home", "//evil", "/\\evil", "/\t/evil", "/a\nb", "/a\\b", "http://evil", "/\x00"],
)
def test_an_address_elsewhere_is_dropped(address: str) -> None:
    assert own_address(address) == ""


@given(st.text(alphabet="/\\ \t\n\r.:a?&#@", max_size=12))
def test_no_spelling_leads_elsewhere(address: str) -> None:
    from urllib.parse import urljoin, urlsplit

    kept = own_address(address)
    as_read = "".join(sign for sign in kept if sign not in "\t\r\n").replace("\\", "/")
    assert urlsplit(urljoin("http://portal.example/", as_read)).netloc == "portal.example"
