"""Putting terminals into service (投运验收): who waits, the checks, the decision."""

import re

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from foundation.errors import BadData, GridhallError, Refused
from metering.api.commissioning import (
    TlsFiles,
    decide,
    history,
    newest_decisions,
    run_checks,
    set_manner,
    target,
    waiting_targets,
)
from metering.api.types import ConnectionOwned, Framing, Manner, MannerWrong
from webapp.auth.guard import allow
from webapp.auth.permissions import Permission
from webapp.context import language, show, t
from webapp.errors import status_of
from webapp.places import places_of
from webapp.sentences import sentence
from webapp.session import actor, db, office, scope

page = Blueprint("commission", __name__)
VIEWS = ("waiting", "shelf", "done")
PAGE = 50


@page.get("/commission")
@allow(Permission.COMMISSION)
def listing() -> str:
    """List terminals that wait, or what was decided last."""
    view = request.args.get("view", "waiting")
    view = view if view in VIEWS else "waiting"
    search = request.args.get("q", "").strip()
    after = request.args.get("after", "")
    found = []
    if view != "done":
        found = waiting_targets(
            db(),
            scope(),
            search=search,
            on_shelf=view == "shelf",
            after_no=after,
            limit=PAGE + 1,
        )
    rows = found[:PAGE]
    return show(
        "metering/commission.html",
        at="commission",
        view=view,
        views=VIEWS,
        rows=rows,
        places=places_of(db(), {row.point_id for row in rows}),
        decisions=newest_decisions(db()) if view == "done" else [],
        search=search,
        is_first=not after,
        next_after=rows[-1].terminal_no if rows and len(found) > PAGE else "",
    )


@page.get("/commission/<terminal_no>")
@allow(Permission.COMMISSION)
def detail(terminal_no: str) -> str:
    """Show one terminal with its checks and what was decided of it."""
    return _detail(terminal_no)


@page.post("/commission/<terminal_no>/check")
@allow(Permission.COMMISSION)
def check(terminal_no: str) -> Response | tuple[str, int]:
    """Visit the terminal and keep what it showed."""
    settings = office().settings
    try:
        with db().begin_nested():
            run_checks(
                db(),
                actor(),
                terminal_no,
                data_dir=settings.data_dir,
                zone=settings.time_zone,
                tls=TlsFiles.of(settings),
                despite_owner=bool(request.form.get("despite_owner")),
            )
    except (BadData, Refused) as refused:
        return _detail(terminal_no, refused=refused), status_of(refused)
    return redirect(url_for("commission.detail", terminal_no=terminal_no))


@page.post("/commission/<terminal_no>/service")
@allow(Permission.COMMISSION)
def put(terminal_no: str) -> Response | tuple[str, int]:
    """Put the terminal into service, or leave or take it out of service."""
    in_service = request.form.get("decision") == "in"
    try:
        with db().begin_nested():
            decide(
                db(),
                actor(),
                terminal_no,
                in_service=in_service,
                reason=request.form.get("reason", ""),
                newest=request.form.get("newest", 0, type=int),
            )
    except (BadData, Refused) as refused:
        return _detail(terminal_no, refused=refused), status_of(refused)
    flash(t("commission.put_in" if in_service else "commission.put_out", no=terminal_no), "ok")
    return redirect(url_for("commission.detail", terminal_no=terminal_no))


@page.post("/commission/<terminal_no>/connection")
@allow(Permission.COMMISSION)
def connect(terminal_no: str) -> Response | tuple[str, int]:
    """Say how the terminal's connection is talked to."""
    try:
        with db().begin_nested():
            set_manner(db(), actor(), terminal_no, _manner(), seen=request.form.get("seen", ""))
    except (BadData, Refused) as refused:
        return _detail(terminal_no, refused=refused), status_of(refused)
    flash(t("commission.connection_set", no=terminal_no), "ok")
    return redirect(url_for("commission.detail", terminal_no=terminal_no))


def _manner() -> Manner:
    said = request.form.get("framing", "")
    if said not in set(Framing):
        raise MannerWrong(why="framing", said=said)
    depth = request.form.get("depth", "").strip() or "1"
    if not re.fullmatch(r"[0-9]{1,2}", depth):
        raise MannerWrong(why="depth", said=depth)
    line = request.form.get("line", "").strip()
    if line and said != Framing.SERIAL:
        raise MannerWrong(why="line_unused", said=line)
    return Manner(Framing(said), int(depth), line)


def _detail(terminal_no: str, *, refused: GridhallError | None = None) -> str:
    one = target(db(), terminal_no)
    past = history(db(), terminal_no)
    return show(
        "metering/commission/terminal.html",
        at="commission",
        title=terminal_no,
        one=one,
        place=places_of(db(), {one.point_id}).of(one.point_id),
        past=past,
        run=past.checked[0] if past.checked else None,
        owned=isinstance(refused, ConnectionOwned),
        problem="" if refused is None else sentence(refused, language()),
        reason=request.form.get("reason", ""),
        framings=list(Framing),
        said={
            "framing": request.form.get("framing", one.framing),
            "depth": request.form.get("depth", one.depth),
            "line": request.form.get("line", one.line),
        },
    )
