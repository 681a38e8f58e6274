"""What every page is given: language, theme, brand, menu, health; and rendering with it."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask, g, render_template, request, url_for
from flask import session as cookie

from callcenter.api.callbacks import callback_counts
from callcenter.api.tickets import ticket_counts
from customers.api.applications import inbox_count
from foundation import clock
from foundation.actor import Actor, Role, Scope
from foundation.settings import settings
from foundation.staff.queries import person
from loadmgmt.api.alerts import alert_counts
from loadmgmt.api.outages import outage_counts
from metering.api.readings import newest_at
from metering.api.requests import count_awaiting
from webapp.assets import addresses
from webapp.auth.permissions import Permission, may
from webapp.callbar import bar_of
from webapp.navigation import home_of, item_of, menu
from webapp.phases import phases_of
from webapp.sentences import texts
from webapp.session import db

LANGUAGES = ("zh-CN", "en")
THEMES = ("light", "dark", "auto")
FRESH = timedelta(minutes=3)


@dataclass(frozen=True, slots=True)
class Brand:
    """The company, as the shell shows it."""

    name: str
    logo_url: str | None


@dataclass(frozen=True, slots=True)
class User:
    """Who is signed in, as the top bar shows them."""

    name: str
    staff_no: str
    roles_text: str
    unit_name: str

    @property
    def initial(self) -> str:
        """Give the sign on the avatar."""
        return self.name[:1]


@dataclass(frozen=True, slots=True)
class Health:
    """The dot at the foot of the sidebar."""

    ok: bool
    text: str


def language() -> str:
    """Give the language of this request: the person's, the browser's cookie, or Chinese."""
    if "lang" not in g:
        who = g.get("who")
        chosen = who.language if who else cookie.get("language")
        g.lang = chosen if chosen in LANGUAGES else LANGUAGES[0]
    return str(g.lang)


def theme() -> str:
    """Give the theme of this request."""
    who = g.get("who")
    chosen = who.theme if who else cookie.get("theme")
    return chosen if chosen in THEMES else "auto"


def t(key: str, /, **facts: object) -> str:
    """Give a text in the language of this request."""
    return texts().t(language(), key, **facts)


def has_text(key: str) -> bool:
    """Whether a text exists, for keys made of stored words."""
    return texts().has(key)


def register(app: Flask) -> None:
    """Give templates their globals and every page its context."""
    app.jinja_env.globals.update(
        t=t,
        has_text=has_text,
        js_text=lambda key: texts().raw(language(), key),
        phases_of=phases_of,
        asset=addresses(Path(app.static_folder or ""), app.static_url_path or "/static"),
    )
    app.context_processor(_everywhere)


def _everywhere() -> dict[str, Any]:
    """What layouts need whether or not anybody is signed in; no query."""
    zh = language() == "zh-CN"
    return {
        "lang": language(),
        "theme": theme(),
        "brand": Brand(settings().brand_zh if zh else settings().brand_en, _logo()),
        "actor": None,
        "nav": [],
        "crumbs": [],
        "health": None,
        "search_url": None,
        "call_bar": None,
        "live_url": None,
        "home_url": "/home" if g.get("who") else "/login",
        "sign_out_url": "/logout",
        "may": lambda word: may(g.who.actor if g.get("who") else None, Permission(word)),
    }


def _logo() -> str | None:
    return url_for("public.logo") if settings().brand_logo else None


def show(template: str, *, at: str, title: str = "", **values: Any) -> str:
    """Render a staff page.

    Args:
        template: its file.
        at: key of its menu entry.
        title: last crumb, if it is more than the entry's own page.
        **values: what the page shows.
    """
    who = g.who
    group, item = item_of(at)
    crumbs: list[tuple[str, str | None]] = []
    if group.label_key:
        crumbs.append((t(group.label_key), None))
    crumbs.append((t(item.label_key), item.href))
    if title:
        crumbs.append((title, None))
    return render_template(
        template,
        actor=_user(who.actor),
        nav=nav_for(who.actor, active=at),
        crumbs=crumbs,
        health=health(),
        search_url="/search" if may(who.actor, Permission.SEE_CUSTOMERS) else None,
        live_url=url_for("live.events"),
        nav_url=url_for("home.nav", at=at),
        home_url=home_of(who.actor),
        here=request.full_path,
        call_bar=bar_of(db(), who.actor),
        **values,
    )


def _user(actor: Actor) -> User:
    card = person(db(), actor.id or 0)
    zh = language() == "zh-CN"
    return User(
        name=card.name if zh else f"{card.name} {card.pinyin}",
        staff_no=card.staff_no,
        roles_text=t("list.separator").join(
            t(f"role.{role}") for role in Role if role in card.roles
        ),
        unit_name=card.unit_zh if zh else card.unit_en,
    )


def nav_for(actor: Actor, *, active: str) -> list[Any]:
    """Give the menu with what waits."""
    counts = {}
    if may(actor, Permission.SEE_ALERTS):
        counts["alerts"] = alert_counts(db(), Scope.everything()).unacknowledged
    if may(actor, Permission.SEE_TICKETS):
        counts["tickets"] = ticket_counts(db(), Scope.everything())["open"]
    if may(actor, Permission.SEE_OUTAGES):
        counts["outages"] = outage_counts(db(), Scope.everything())["active"]
    if may(actor, Permission.CALL_BACK):
        counts["callbacks"] = callback_counts(db(), Scope.everything())["due"]
    if may(actor, Permission.REVIEW_COMMAND):
        counts["commands"] = count_awaiting(db())
    if may(actor, Permission.WORK_STAGES):
        counts["tasks"] = inbox_count(db(), actor)
    return menu(actor, active=active, counts=counts)


def health() -> Health:
    """Say how old the newest reading is."""
    newest = newest_at(db())
    if newest is None:
        return Health(ok=False, text=t("health.no_data"))
    age = clock.now() - newest
    minutes = int(age.total_seconds() // 60)
    if age > FRESH:
        return Health(ok=False, text=t("health.stale", minutes=minutes))
    return Health(ok=True, text=t("health.fine", seconds=max(0, int(age.total_seconds()))))
