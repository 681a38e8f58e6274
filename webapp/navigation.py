"""The menu: groups of items, each with the permission its page needs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from foundation.actor import Actor, Role
from webapp.auth.permissions import Permission, may


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of the menu."""

    key: str
    href: str
    icon: str
    endpoint: str
    permission: Permission
    active: bool = False
    count: int | None = None
    red: bool = False

    @property
    def label_key(self) -> str:
        """Name the text of the entry."""
        return f"nav.{self.key}"


@dataclass(frozen=True, slots=True)
class Group:
    """Entries under one heading."""

    label_key: str | None
    items: tuple[Item, ...]


TREE = (
    Group(
        None,
        (Item("home", "/home", "layout-dashboard", "home.desk", Permission.USE_OFFICE),),
    ),
    Group(
        "nav.group.service",
        (
            Item("desk", "/desk", "headset", "desk.desktop", Permission.TAKE_CALLS),
            Item("calls", "/calls", "phone-call", "calls.listing", Permission.SEE_CALLS),
            Item("tickets", "/tickets", "ticket", "tickets.listing", Permission.SEE_TICKETS),
            Item("callbacks", "/callbacks", "phone-outgoing", "callbacks.listing",
                 Permission.CALL_BACK),
            Item("outages", "/outages", "bulb-off", "outages.listing", Permission.SEE_OUTAGES,
                 red=True),
            Item("customers", "/customers", "address-book", "customers.listing",
                 Permission.SEE_CUSTOMERS),
            Item("crew_tasks", "/m/tasks", "truck", "crew.tasks", Permission.WORK_IN_FIELD),
        ),
    ),
    Group(
        "nav.group.monitoring",
        (
            Item(
                "alerts", "/alerts", "urgent", "alerts.console", Permission.SEE_ALERTS, red=True
            ),
            Item("meters", "/meters", "gauge", "meters.listing", Permission.SEE_METERS),
            Item("collection", "/collection", "grid-dots", "collection.overview",
                 Permission.SEE_COLLECTION),
            Item("terminals", "/terminals", "router", "terminals.listing",
                 Permission.SEE_COLLECTION),
            Item("imports", "/devices/import", "upload", "imports.form",
                 Permission.IMPORT_DEVICES),
            Item("commands", "/commands", "shield-check", "commands.listing",
                 Permission.SEE_COMMANDS),
            Item("commission", "/commission", "plug-connected", "commission.listing",
                 Permission.COMMISSION),
            Item("forecast", "/forecast", "chart-line", "forecast.board",
                 Permission.SEE_FORECAST),
        ),
    ),
    Group(
        "nav.group.applications",
        (
            Item("apps", "/apps", "file-text", "apps.listing", Permission.SEE_APPLICATIONS),
            Item("tasks", "/tasks", "checklist", "tasks.listing", Permission.WORK_STAGES),
            Item("archive", "/archive", "git-compare", "archive.listing", Permission.SEE_ARCHIVE),
        ),
    ),
    Group(
        "nav.group.system",
        (
            Item("simulator", "/admin/simulator", "tool", "simulator.panel",
                 Permission.RUN_SIMULATOR),
            Item("switch", "/admin/switch", "phone-incoming", "switch.panel",
                 Permission.RUN_SIMULATOR),
            Item("channels", "/admin/channels", "message", "channels.listing",
                 Permission.MANAGE_CHANNELS),
            Item("profiles", "/profiles", "list-details", "profiles.listing",
                 Permission.SEE_PROFILES),
            Item("users", "/admin/users", "users", "staff.listing", Permission.SEE_STAFF),
            Item("audit", "/admin/audit", "history", "audit.listing", Permission.SEE_AUDIT),
            Item("jobs", "/admin/jobs", "clock", "jobs.listing", Permission.SEE_JOBS),
        ),
    ),
)  # fmt: skip

HOMES = {
    Role.AGENT: "/desk",
    Role.DISPATCHER: "/alerts",
    Role.CLERK: "/tasks",
    Role.CREW: "/m/tasks",
    Role.ADMIN: "/admin/users",
}
"""Where a role's day begins; all others begin at their desk."""


_OWN_ADDRESS = re.compile(r"/(?![/\\])[^\\\x00-\x1f\x7f]*")
"""Browsers drop tabs and line ends from an address and read a backslash as a slash."""


def own_address(wanted: str) -> str:
    """Give an address back if it leads to a page of this portal, else nothing."""
    return wanted if _OWN_ADDRESS.fullmatch(wanted) else ""


def home_of(actor: Actor) -> str:
    """Give the page an actor begins with: that of the first role, in the order of `Role`."""
    first = next((role for role in Role if role in actor.roles), None)
    return HOMES.get(first, "/home") if first else "/home"


def menu(actor: Actor, *, active: str, counts: Mapping[str, int]) -> list[Group]:
    """Give the part of the tree an actor may use.

    Args:
        actor: whose menu.
        active: key of the present page.
        counts: by key; shown where above zero.
    """
    groups = []
    for group in TREE:
        items = tuple(
            replace(item, active=item.key == active, count=counts.get(item.key) or None)
            for item in group.items
            if may(actor, item.permission)
        )
        if items:
            groups.append(Group(group.label_key, items))
    return groups


def item_of(key: str) -> tuple[Group, Item]:
    """Give an entry with its group, for the breadcrumb."""
    return next((group, item) for group in TREE for item in group.items if item.key == key)
