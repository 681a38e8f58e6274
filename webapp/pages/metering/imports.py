"""Lists of devices: sent as a spreadsheet, looked at row by row, written if confirmed."""

from collections import Counter
from typing import Any

from flask import Blueprint, Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as Answer

from foundation.errors import BadData
from foundation.sheets import write_sheet
from metering.api.imports import (
    import_card,
    import_cards,
    load_listing,
    look_over,
    profile_cards,
    send_list,
    write_list,
)
from metering.api.types import RowVerdict
from webapp.auth.guard import allow
from webapp.auth.permissions import Permission
from webapp.context import language, show, t
from webapp.sentences import sentence
from webapp.session import actor, db, office

page = Blueprint("imports", __name__)
PAGE = 100
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
EXAMPLE: dict[str, str | int] = {
    "area_no": "TG-0712", "point_no": "P-0712-0999", "box_no": "B-0712-99",
    "supply": "single_220", "meter_no": "M-0712-0999", "ct": 1, "pt": 1,
    "terminal_no": "ZD-0999", "profile": "demo_single", "host": "192.0.2.10", "port": 502,
    "unit": 1, "interval_s": "", "framing": "", "depth": "", "serial_line": "",
}  # fmt: skip


@page.get("/devices/import")
@allow(Permission.IMPORT_DEVICES)
def form() -> str:
    """Show the form, what a list may hold, and the lists of late."""
    return _form()


def _form(problem: str = "") -> str:
    listing = load_listing()
    return show(
        "metering/imports.html",
        at="imports",
        columns=list(listing.columns),
        most=listing.rows,
        profiles=list(profile_cards(office().settings.data_dir).values()),
        sent=import_cards(db()),
        problem=problem,
    )


@page.post("/devices/import")
@allow(Permission.IMPORT_DEVICES)
def send() -> Answer | tuple[str, int]:
    """Take a file and look at it; nothing of it is written."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return _form(t("imports.no_file")), 422
    try:
        number = send_list(db(), actor(), file_name=file.filename, content=file.read())
    except BadData as error:
        return _form(sentence(error, language())), 422
    return redirect(url_for("imports.detail", import_id=number))


@page.get("/devices/import/<int:import_id>")
@allow(Permission.IMPORT_DEVICES)
def detail(import_id: int) -> str:
    """Show what writing a list would do, row by row."""
    card = import_card(db(), import_id)
    rows = look_over(db(), import_id, profile_cards(office().settings.data_dir))
    counts = Counter(one.verdict for one in rows)
    adds = Counter(part for one in rows for part in one.adds)
    view = request.args.get("view", "")
    view = view if view in set(RowVerdict) else ("wrong" if counts[RowVerdict.WRONG] else "new")
    chosen = [one for one in rows if one.verdict == view]
    after = request.args.get("after", "")
    first = int(after) if after.isdecimal() and len(after) < 9 else 0  # noqa: PLR2004
    shown = [one for one in chosen if one.line > first]
    return show(
        "metering/import.html",
        at="imports",
        title=card.file_name,
        card=card,
        rows=shown[:PAGE],
        next_after=shown[PAGE - 1].line if len(shown) > PAGE else 0,
        is_first=not first,
        view=view,
        views=[verdict.value for verdict in RowVerdict],
        counts=counts,
        adds=adds,
        problem=problem_text,
    )


@page.post("/devices/import/<int:import_id>/write")
@allow(Permission.IMPORT_DEVICES)
def write(import_id: int) -> Answer:
    """Write the new rows of a list."""
    written = write_list(db(), actor(), import_id, profile_cards(office().settings.data_dir))
    flash(t("imports.written", **written), "ok")
    return redirect(url_for("imports.detail", import_id=import_id))


@page.get("/devices/import/template.xlsx")
@allow(Permission.IMPORT_DEVICES)
def template() -> Response:
    """Give the template: the columns' own names, and an example in an invented network."""
    columns = list(load_listing().columns)
    content = write_sheet("devices", [columns, [EXAMPLE[name] for name in columns]])
    return Response(
        content,
        mimetype=XLSX,
        headers={"Content-Disposition": "attachment; filename=gridhall-devices.xlsx"},
    )


def problem_text(one: Any) -> str:
    """Say what is wrong with a cell of a row."""
    return t(f"imports.problem.{one.code}", column=t(f"imports.column.{one.column}"), **one.facts)
