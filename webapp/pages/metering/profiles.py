"""Terminal profiles (规约库): the shelf, one profile's text, and trying it on a live device."""

from decimal import Decimal, InvalidOperation
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from foundation.errors import BadData, GridhallError, Refused, Unreachable
from metering.api.profiles import (
    FRAMINGS,
    TlsFiles,
    add_profile,
    earlier_text,
    free_name,
    name_in,
    new_text,
    profile_rows,
    profile_text,
    save_profile,
    take_over,
    try_profile,
)
from metering.api.types import ConnectionOwned, ProfileText, ProfileWrong, Trial, TrialSeen
from webapp.auth.guard import allow
from webapp.auth.permissions import Permission
from webapp.context import language, show, t
from webapp.errors import status_of
from webapp.pages.metering.profile_words import in_words
from webapp.sentences import sentence
from webapp.session import actor, db, keep_changes, office

page = Blueprint("profiles", __name__)
DEVICE = {"host": "", "port": "502", "unit": "1", "framing": "", "pt": "1", "ct": "1"}
MOST_PORT, MOST_UNIT = 65_535, 255


class DeviceWrong(BadData):
    """A device is described by something that is no port, unit or ratio; facts: field."""

    code = "device_wrong"


@page.get("/profiles")
@allow(Permission.SEE_PROFILES)
def listing() -> str:
    """List the shelf."""
    rows = profile_rows(db(), office().settings.data_dir)
    problems = {row.name: _wrong(row.problem)[1] for row in rows if row.problem}
    return show("metering/profiles.html", at="profiles", rows=rows, problems=problems)


@page.get("/profiles/new")
@allow(Permission.EDIT_PROFILES)
def new() -> str:
    """Begin a profile: from another, or from empty."""
    data_dir = office().settings.data_dir
    copy_of = request.args.get("copy", "")
    name = free_name(data_dir, f"{copy_of}_own" if copy_of else "new_model")
    return _page("", new_text(db(), data_dir, copy_of=copy_of, name=name), "")


@page.post("/profiles/new")
@allow(Permission.EDIT_PROFILES)
def add() -> Response | tuple[str, int]:
    """Put a new profile on the shelf."""
    text = request.form.get("text", "")
    try:
        with db().begin_nested():
            name = add_profile(db(), actor(), office().settings.data_dir, text=text)
    except (BadData, Refused) as refused:
        return _page("", text, "", refused=refused), status_of(refused)
    flash(t("profiles.added", name=name), "ok")
    return redirect(url_for("profiles.detail", name=name))


@page.get("/profiles/<name>")
@allow(Permission.SEE_PROFILES)
def detail(name: str) -> str:
    """Show one profile with its text, or with one it had before, to be saved again."""
    data_dir, version = office().settings.data_dir, request.args.get("version", type=int)
    found = profile_text(db(), data_dir, name)
    text = found.text if version is None else earlier_text(data_dir, name, version)
    return _page(name, text, found.digest, version=version)


@page.post("/profiles/<name>")
@allow(Permission.EDIT_PROFILES)
def save(name: str) -> Response | tuple[str, int]:
    """Save a profile of the office's own."""
    text, seen = request.form.get("text", ""), request.form.get("seen", "")
    note = request.form.get("note", "").strip()
    data_dir = office().settings.data_dir
    try:
        with db().begin_nested():
            save_profile(db(), actor(), data_dir, name, text=text, seen=seen, note=note)
    except (BadData, Refused) as refused:
        return _page(name, text, seen, refused=refused), status_of(refused)
    flash(t("profiles.saved", name=name), "ok")
    return redirect(url_for("profiles.detail", name=name))


@page.post("/profiles/try")
@allow(Permission.EDIT_PROFILES)
def look() -> str | tuple[str, int]:
    """Read a live device with the text as it stands in the page, saved or not."""
    name, text, seen = (request.form.get(one, "") for one in ("name", "text", "seen"))
    settings = office().settings
    try:
        found = try_profile(
            db(),
            actor(),
            _trial(name or name_in(text), text),
            data_dir=settings.data_dir,
            networks=settings.probe_networks,
            tls=TlsFiles.of(settings),
        )
    except (BadData, Refused, Unreachable) as refused:
        keep_changes()  # that somebody looked, though nothing came of it
        return _page(name, text, seen, refused=refused), status_of(refused)
    return _page(name, text, seen, found=found)


@page.post("/profiles/take")
@allow(Permission.EDIT_PROFILES)
def take() -> str | tuple[str, int]:
    """Put a detected offset or byte order into the text; it is saved only when that is asked."""
    name, text, seen = (request.form.get(one, "") for one in ("name", "text", "seen"))
    wanted: dict[str, Any] = {}
    for word in request.form.get("take", "").split():
        kind, _, value = word.partition(":")
        wanted[kind] = int(value) if kind == "shift" and value.lstrip("+-").isdigit() else value
    shift = wanted.get("shift", 0)
    try:
        text = take_over(
            office().settings.data_dir,
            name or name_in(text),
            text,
            shift=shift if isinstance(shift, int) else 0,
            order=wanted.get("order"),
        )
    except (BadData, Refused) as refused:
        return _page(name, text, seen, refused=refused), status_of(refused)
    return _page(name, text, seen, taken=True)


def _trial(name: str, text: str) -> Trial:
    filled = _filled()
    framing = filled["framing"]
    return Trial(
        name=name,
        text=text,
        host=filled["host"],
        port=_whole("port", filled["port"], 1, MOST_PORT),
        unit=_whole("unit", filled["unit"], 0, MOST_UNIT),
        framing=next((one for one in FRAMINGS if one == framing), None),
        pt=_ratio("pt", filled["pt"]),
        ct=_ratio("ct", filled["ct"]),
        despite_owner=bool(request.form.get("despite_owner")),
    )


def _filled() -> dict[str, str]:
    filled = {name: request.form.get(name, value).strip() for name, value in DEVICE.items()}
    return {name: value or DEVICE[name] for name, value in filled.items()}


def _whole(field: str, typed: str, low: int, high: int) -> int:
    if typed.isascii() and typed.isdigit() and low <= int(typed[:9]) <= high:
        return int(typed)
    raise DeviceWrong(field=t(f"profiles.{field}"))


def _ratio(field: str, typed: str) -> Decimal:
    try:
        ratio = Decimal(typed)
    except InvalidOperation:
        ratio = Decimal(0)
    if not ratio.is_finite() or not 0 < ratio <= 100_000:  # noqa: PLR2004  beyond any transformer
        raise DeviceWrong(field=t(f"profiles.{field}"))
    return ratio


def _page(
    name: str,
    text: str,
    seen: str,
    *,
    refused: GridhallError | None = None,
    found: TrialSeen | None = None,
    taken: bool = False,
    version: int | None = None,
) -> str:
    """Render the page of a profile, saved or being written."""
    stored: ProfileText | None = None
    if name:
        stored = profile_text(db(), office().settings.data_dir, name)
    line, problem = _problem(refused)
    tidy = text.replace("\r\n", "\n").rstrip()
    return show(
        "metering/profile.html",
        at="profiles",
        title=name or t("profiles.new"),
        name=name,
        stored=stored,
        text=text,
        seen=seen,
        unsaved=stored is None or stored.text.rstrip() != tidy,
        rows=max(18, min(34, text.count("\n") + 2)),
        line=line,
        line_text=tidy.split("\n")[line - 1].strip() if 0 < line <= tidy.count("\n") + 1 else "",
        problem=problem,
        owned=isinstance(refused, ConnectionOwned),
        despite=bool(request.form.get("despite_owner")),
        device=_filled(),
        framings=[(one, t(f"profiles.framing.{one or 'find'}")) for one in ("", *FRAMINGS)],
        found=found,
        taken=taken,
        version=version,
        takes=_takes(found),
    )


def _takes(found: TrialSeen | None) -> list[tuple[str, str]]:
    """Give the buttons that take over what was detected: value and words."""
    if found is None or found.best is None:
        return []
    words = {
        "shift": (f"shift:{found.best.shift:+d}", t("profiles.shift", n=f"{found.best.shift:+d}")),
        "order": (f"order:{found.best.order}", t("profiles.order", order=found.best.order or "")),
    }
    singles = [words[one] for one in found.takes]
    if len(singles) > 1:
        both = " ".join(value for value, _ in singles)
        return [(both, t("list.separator").join(text for _, text in singles))]
    return singles


def _problem(refused: GridhallError | None) -> tuple[int, str]:
    if refused is None:
        return 0, ""
    if isinstance(refused, ProfileWrong):
        return _wrong(refused)
    return 0, sentence(refused, language())


def _wrong(problem: ProfileWrong) -> tuple[int, str]:
    """Give the line and the sentence of what is wrong with a text."""
    line = int(str(problem.facts["line"]))
    why = in_words(str(problem.facts["why"]))
    key = "profiles.wrong_line" if line else "profiles.wrong"
    return line, t(key, line=line, why=why)
