"""Every route says who may use it; one that says nothing may be used by nobody."""

from collections.abc import Callable
from typing import Any, TypeVar

from foundation.actor import Actor
from webapp.auth.permissions import Permission, may

View = TypeVar("View", bound=Callable[..., Any])
PUBLIC = "public"


def allow(permission: Permission) -> Callable[[View], View]:
    """Let those with a permission use a route."""

    def mark(view: View) -> View:
        view.permission = permission  # type: ignore[attr-defined]
        return view

    return mark


def public(view: View) -> View:
    """Let everybody use a route, signed in or not."""
    view.permission = PUBLIC  # type: ignore[attr-defined]
    return view


def needed(view: Callable[..., Any] | None) -> Permission | str | None:
    """Give what a route needs: a permission, PUBLIC, or None where nothing was said."""
    return getattr(view, "permission", None)


def is_open(view: Callable[..., Any] | None) -> bool:
    """Whether a route needs nobody to be signed in."""
    return needed(view) == PUBLIC


def may_use(actor: Actor | None, view: Callable[..., Any] | None) -> bool:
    """Whether an actor may use a route."""
    wanted = needed(view)
    if wanted == PUBLIC:
        return True
    return isinstance(wanted, Permission) and may(actor, wanted)
