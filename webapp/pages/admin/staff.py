"""Staff and roles: who works here, what they may do, how they sign in."""

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from foundation.actor import Desk, Role
from foundation.errors import GridhallError, NotFound, Refused
from foundation.staff.actions import add_person, change_person, set_desks
from foundation.staff.queries import people, person, units
from webapp.auth.accounts import account_cards, set_password
from webapp.auth.guard import allow
from webapp.auth.permissions import GRANTS, Permission
from webapp.context import language, show, t
from webapp.sentences import sentence
from webapp.session import actor, db

page = Blueprint("staff", __name__)
TABS = ("people", "roles", "desks")


@page.get("/admin/users")
@allow(Permission.SEE_STAFF)
def listing() -> str:
    """List staff, or show which role may do what."""
    return _listing({}, {})


def _listing(filled: dict[str, object], problems: dict[str, str], chosen: int | None = None) -> str:
    search = request.args.get("q", "").strip()
    found = people(db(), search=search)
    chosen = chosen or request.args.get("id", type=int)
    tab = request.args.get("tab", "people")
    return show(
        "admin/staff.html",
        at="users",
        people=found,
        accounts=account_cards(db(), [one.id for one in found]),
        units=units(db()),
        roles=list(Role),
        desks=list(Desk),
        grants=GRANTS,
        permissions=list(Permission),
        chosen=person(db(), chosen) if chosen else None,
        adding="add" in request.args,
        tab=tab if tab in TABS else "people",
        search=search,
        filled=filled,
        problems=problems,
    )


@page.post("/admin/users")
@allow(Permission.MANAGE_STAFF)
def add() -> str | Response | tuple[str, int]:
    """Add a person who can sign in; nothing is kept unless all of it is right."""
    filled = _filled()
    problems = _problems(filled, adding=True)
    if problems:
        return _listing(filled, problems), 422
    try:
        with db().begin_nested():
            person_id = add_person(
                db(),
                actor(),
                staff_no=str(filled["staff_no"]),
                name=str(filled["name"]),
                pinyin=str(filled["pinyin"]),
                unit_id=int(str(filled["unit_id"])),
                roles=_roles(),
            )
            set_password(
                db(),
                actor(),
                person_id,
                username=str(filled["username"]),
                password=request.form.get("password", ""),
            )
    except GridhallError as refused:
        return _listing(filled, {"": sentence(refused, language())}), 422
    flash(t("staff.added", name=filled["name"]), "ok")
    return redirect(url_for("staff.listing", id=person_id))


@page.post("/admin/users/<int:person_id>")
@allow(Permission.MANAGE_STAFF)
def change(person_id: int) -> str | Response | tuple[str, int]:
    """Save a person's data and roles."""
    filled = _filled()
    problems = _problems(filled, adding=False)
    if problems:
        return _listing(filled, problems, chosen=person_id), 422
    try:
        change_person(
            db(),
            actor(),
            person_id,
            version=request.form.get("version", 0, type=int),
            name=str(filled["name"]),
            pinyin=str(filled["pinyin"]),
            unit_id=int(str(filled["unit_id"])),
            active=bool(request.form.get("active")),
            roles=_roles(),
        )
    except Refused as refused:
        db().rollback()
        return _listing(filled, {"": sentence(refused, language())}, chosen=person_id), 409
    flash(t("staff.saved", name=filled["name"]), "ok")
    return redirect(url_for("staff.listing", id=person_id))


@page.post("/admin/users/<int:person_id>/password")
@allow(Permission.MANAGE_STAFF)
def password(person_id: int) -> Response | tuple[str, int]:
    """Give a person a new password; their open sessions end."""
    username = request.form.get("username", "").strip()
    if not username:
        missing = f"{t('staff.username')}{t('ui.colon')}{t('form.problem.required')}"
        return _listing({}, {"": missing}, chosen=person_id), 422
    set_password(
        db(), actor(), person_id, username=username, password=request.form.get("password", "")
    )
    flash(t("staff.password_set", username=username), "ok")
    return redirect(url_for("staff.listing", id=person_id))


@page.post("/admin/units/<int:unit_id>/desks")
@allow(Permission.MANAGE_STAFF)
def desks(unit_id: int) -> Response:
    """Say which desks of the flows a department keeps."""
    unit = next((one for one in units(db()) if one.id == unit_id), None)
    if unit is None:
        raise NotFound(what="unit", id=unit_id)
    chosen = request.form.getlist("desks")
    set_desks(db(), actor(), unit_id, [desk for desk in Desk if desk.value in chosen])
    flash(t("desk.saved", name=unit.name_zh if language() == "zh-CN" else unit.name_en), "ok")
    return redirect(url_for("staff.listing", tab="desks"))


def _filled() -> dict[str, object]:
    names = ("staff_no", "name", "pinyin", "unit_id", "username")
    return {name: request.form.get(name, "").strip() for name in names} | {
        "roles": request.form.getlist("roles")
    }


def _problems(filled: dict[str, object], *, adding: bool) -> dict[str, str]:
    needed = ["name", "pinyin", *(("staff_no", "username") if adding else ())]
    problems = {name: "required" for name in needed if not filled[name]}
    if filled["unit_id"] not in {str(unit.id) for unit in units(db())}:
        problems["unit_id"] = "required"
    if not _roles():
        problems["roles"] = "required"
    return problems


def _roles() -> list[Role]:
    known = {role.value for role in Role}
    return [Role(word) for word in request.form.getlist("roles") if word in known]
