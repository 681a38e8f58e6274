"""Applications (业务申请): the list, the board by stage, and one case."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, g, render_template, request
from flask import session as cookie

from customers.api.applications import application_card, application_cards
from customers.api.case_files import VIEWS, counts, flows, of_cases
from customers.api.types import ApplicationCard, Blocker
from foundation.flow.definition import Flow
from webapp import drafts
from webapp.auth.guard import allow
from webapp.auth.permissions import Permission
from webapp.chips import Chip, chip_of
from webapp.context import show
from webapp.pages.customers.case_view import (
    TABS,
    case_values,
    checks_of,
    departments,
    dept_name,
    offers,
    prefilled,
)
from webapp.session import actor, db, office, scope

page = Blueprint("apps", __name__)
PAGE = 50
BOARD = 300
FRESH_CODE = "fresh_code"  # a key of the cookie


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list, one card of the board."""

    card: ApplicationCard
    dept: str
    chip: Chip | None


def rows_of(cards: list[ApplicationCard]) -> list[Row]:
    """Give cases with the department that has them and the clock that runs."""
    known = departments(db())
    return [
        Row(
            card,
            dept_name(known, flow_of(card).steps[card.step], card.unit_id),
            chip_of(card.running) if card.running else None,
        )
        for card in cards
    ]


def flow_of(card: ApplicationCard) -> Flow:
    """Give the version of the flow a case began with."""
    return flows().version(card.flow, card.flow_version)


@page.get("/apps")
@allow(Permission.SEE_APPLICATIONS)
def listing() -> str:
    """List cases of a view, as a table or as a board by stage."""
    view = request.args.get("view", "open")
    view = view if view in VIEWS else "open"
    is_board = request.args.get("as") == "board"
    search = request.args.get("q", "").strip()
    cards = application_cards(
        db(),
        scope(),
        view=view,
        search=search,
        after_id=request.args.get("after", type=int),
        limit=BOARD if is_board else PAGE + 1,
    )
    shown = cards if is_board else cards[:PAGE]
    values: dict[str, Any] = {
        "rows": rows_of(shown),
        "view": view,
        "views": VIEWS,
        "search": search,
        "is_board": is_board,
        "columns": _columns(shown) if is_board else [],
        "counts": counts(db(), scope()),
        "next_after": cards[PAGE - 1].id if not is_board and len(cards) > PAGE else None,
    }
    if request.args.get("part") == "rows":
        return render_template("customers/applications/rows.html", **values)
    return show("customers/applications.html", at="apps", **values)


def _columns(cards: list[ApplicationCard]) -> list[tuple[str, list[Row]]]:
    """Give the stages of the flow with their cases, ends apart."""
    by_step = of_cases(cards)
    flow = flows().all()[-1]
    names = [name for name in flow.stages if not flow.is_end(name)]
    return [(name, rows_of(by_step.get(name, []))) for name in names]


@page.get("/apps/<application_no>")
@allow(Permission.SEE_APPLICATIONS)
def detail(application_no: str) -> str:
    """Show one case, or its live part."""
    return case_page(application_no)


def draft_key(card: ApplicationCard) -> str:
    """Name the draft of a step's form."""
    return f"app:{card.application_no}:{card.step}"


def case_page(
    application_no: str,
    *,
    move: str = "",
    problems: Mapping[str, str] | None = None,
    blocked: tuple[Blocker, ...] = (),
    lost: str = "",
    upload: tuple[str, str] = ("", ""),
) -> str:
    """Show a case: as it stands, or with what was typed and what is wrong with it.

    Args:
        application_no: the case.
        move: the move that was tried.
        problems: by field, what is wrong.
        blocked: what keeps the step from being completed.
        lost: why the change came too late; what was typed is shown.
        upload: document and sentence, if a file was refused.
    """
    card = application_card(db(), application_no)
    values = case_values(db(), actor(), card)
    main = values["main"]
    draft = drafts.load(db(), actor(), draft_key(card)) if main else {}
    filled: dict[str, Any] = prefilled(db(), card, main) | draft
    typed = request.form if request.method == "POST" else None
    came_late = typed is not None and typed.get("step") not in {None, card.step}
    if typed is not None and typed.get("step") == card.step:
        filled |= {name: _said(main, name) for name in typed}
    tab = request.args.get("tab", "step")
    values |= {
        "tab": tab if tab in TABS else "step",
        "tabs": TABS,
        "filled": filled,
        "offers": offers(db(), card, filled),
        "checks": checks_of(db(), card, main, filled),
        "has_draft": bool(draft),
        "move": move,
        "problems": dict(problems or {}),
        "blocked": blocked,
        "lost": lost,
        "typed": _typed() if came_late and lost else [],
        "upload": upload,
        "me_id": actor().id,
        "upload_mb": office().settings.upload_mb,
        "fresh_code": _fresh_code(application_no),
    }
    if request.args.get("part") == "case":
        return render_template("customers/application/body.html", **values)
    return show("customers/application.html", at="apps", title=application_no, **values)


def _said(main: Any, name: str) -> Any:
    spec = main.form.fields.get(name) if main and main.form else None
    if spec is not None and spec.kind == "checks":
        return request.form.getlist(name)
    return request.form.get(name, "")


def _typed() -> list[tuple[str, str]]:
    """Give what was typed into a form that came too late, to be read and copied."""
    skip = {"csrf_token", "version", "step", "id_no", "phone"}
    said = ((name, request.form.get(name, "").strip()) for name in request.form)
    return [(name, text) for name, text in said if text and name not in skip]


def _fresh_code(application_no: str) -> str:
    """Give a code just issued, once."""
    if request.args.get("part") or g.who is None:
        return ""
    number, code = cookie.get(FRESH_CODE, ("", ""))
    if number != application_no:
        return ""
    cookie.pop(FRESH_CODE, None)
    return f"{code[:4]}-{code[4:]}"
