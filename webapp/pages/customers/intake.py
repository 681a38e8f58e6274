"""Taking an application in (受理): business, customer, place, documents, check; kept as a draft."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask import session as cookie
from werkzeug.wrappers import Response

from customers.api.applications import complete_step, open_duplicates, promised_days, submit
from customers.api.archive import customer_card, find_customers, same_person_or_place
from customers.api.case_files import adopt_document, document_rules, forms, promise_document
from customers.api.types import ApplicationKind, CustomerCard
from foundation.attachments import (
    AttachmentCard,
    FileRefused,
    attachments,
    draft_subject,
    keep,
)
from foundation.errors import GridhallError, NotAllowed, NotFound
from foundation.flow.forms import FormRefused
from metering.api.network import find_areas
from webapp import drafts
from webapp.auth.guard import allow
from webapp.auth.permissions import Permission
from webapp.context import language, show, t
from webapp.pages.customers.application_files import as_download, handed_in
from webapp.pages.customers.applications import FRESH_CODE
from webapp.sentences import sentence
from webapp.session import actor, db, keep_changes, office

page = Blueprint("intake", __name__)
KEY = "apps:new"
STEPS = ("kind", "customer", "place", "papers", "check")
FIELDS = {
    "customer": ("applicant_name", "id_no", "contact_name", "phone"),
    "place": ("address", "area_no", "supply", "load_kw", "source"),
}
OTHER_KINDS = (
    "low_voltage_new",
    "high_voltage_new",
    "capacity_increase",
    "capacity_reduction",
    "suspension",
    "transfer",
    "rename",
    "category_change",
    "meter_move",
    "close_account",
    "solar",
    "ev_charger",
)
"""Kinds of business that are not taken in here yet; shown, so that nobody looks for them."""
Answer = str | Response | tuple[str, int]


def _load() -> dict[str, Any]:
    return drafts.load(db(), actor(), KEY)


def _save(draft: dict[str, Any]) -> None:
    drafts.save(db(), actor(), KEY, draft)


def _known(draft: dict[str, Any]) -> CustomerCard | None:
    try:
        return customer_card(db(), int(draft["customer_id"])) if draft.get("customer_id") else None
    except NotFound:
        return None


@page.get("/apps/new")
@allow(Permission.ACCEPT_APPLICATION)
def wizard() -> str:
    """Show a step of the intake."""
    draft = _load()
    begun = "kind" in draft
    wanted = request.args.get("step", "customer" if begun else "kind")
    return _show(wanted if begun and wanted in STEPS else "kind", draft)


def _show(
    step: str,
    draft: dict[str, Any],
    *,
    problems: dict[str, str] | None = None,
    upload: tuple[str, str] = ("", ""),
    missing: tuple[str, ...] = (),
    refused: str = "",
) -> str:
    customer = _known(draft)
    search = request.args.get("q", "").strip()
    values: dict[str, Any] = {
        "step": step,
        "steps": STEPS,
        "draft": draft,
        "customer": customer,
        "search": search,
        "found": find_customers(db(), search) if search else [],
        "kinds": list(ApplicationKind),
        "promised": {kind: promised_days(db(), kind) for kind in ApplicationKind},
        "other_kinds": OTHER_KINDS,
        "form": forms().forms["intake"],
        "names": FIELDS.get(step, ()),
        "upload_mb": office().settings.upload_mb,
        "areas": [
            (a.area_no, f"{a.area_name} · {a.feeder_name} {a.feeder_no}") for a in find_areas(db())
        ],
        "papers": _papers(draft),
        "problems": problems or {},
        "upload": upload,
        "missing": missing,
        "refused": refused,
        "gaps": _gaps(draft) if step == "check" else {},
    }
    values |= _duplicates(draft)
    return show("customers/intake.html", at="apps", title=t("intake.title"), **values)


def _papers(draft: dict[str, Any]) -> list[dict[str, Any]]:
    kept = attachments(db(), [number for _, number in draft.get("files", [])])
    promised = draft.get("promised", [])
    return [
        {
            "kind": kind,
            "rule": rule,
            "files": [kept[n] for k, n in draft.get("files", []) if k == kind and n in kept],
            "promised": kind in promised,
        }
        for kind, rule in _rules(draft).items()
        if rule.needed_at == "accept"
    ]


def _rules(draft: dict[str, Any]) -> dict[str, Any]:
    return document_rules(draft.get("kind", next(iter(ApplicationKind)).value))


def _gaps(draft: dict[str, Any]) -> dict[str, str]:
    try:
        forms().check("intake", _form(draft))
    except FormRefused as refused:
        return refused.problems
    return {}


def _form(draft: dict[str, Any]) -> dict[str, Any]:
    """Give the intake form: what was typed, and for a known customer what the archive has."""
    customer = _known(draft)
    form = {name: draft.get(name, "") for names in FIELDS.values() for name in names}
    if customer is not None:
        archive = {
            "applicant_name": customer.name,
            "contact_name": customer.contact_name,
            "phone": customer.phone,
            "id_no": customer.id_no,
        }
        form |= {name: form[name] or value or "" for name, value in archive.items()}
    return form


def _duplicates(draft: dict[str, Any]) -> dict[str, Any]:
    form = _form(draft)
    id_no, address = str(form["id_no"]), str(form["address"]).strip()
    if not id_no and not address:
        return {"same_accounts": [], "same_cases": []}
    return {
        "same_accounts": same_person_or_place(db(), id_no=id_no, address=address),
        "same_cases": open_duplicates(db(), id_no=id_no, address=address),
    }


@page.post("/apps/new/duplicates")
@allow(Permission.ACCEPT_APPLICATION)
def duplicates() -> str:
    """Say, while somebody types, who has the same identity number or address already."""
    draft = _load() | {name: request.form.get(name, "") for name in request.form}
    return render_template("customers/intake/duplicates.html", **_duplicates(draft))


@page.post("/apps/new/drop")
@allow(Permission.ACCEPT_APPLICATION)
def give_up() -> Response:
    """Forget the draft."""
    drafts.drop(db(), actor(), KEY)
    return redirect(url_for("intake.wizard"))


@page.post("/apps/new/customer/<int:customer_id>")
@allow(Permission.ACCEPT_APPLICATION)
def choose_customer(customer_id: int) -> Response:
    """Take a known customer; 0 for a new one."""
    draft = _load()
    for name in FIELDS["customer"]:
        draft.pop(name, None)
    draft.pop("customer_id", None)
    if customer_id:
        draft["customer_id"] = customer_card(db(), customer_id).id
    _save(draft)
    return redirect(url_for("intake.wizard", step="customer"))


@page.post("/apps/new/<step>")
@allow(Permission.ACCEPT_APPLICATION)
def save_step(step: str) -> Answer:
    """Keep a step of the intake and go on; what is wrong is said beside its field."""
    draft = _load()
    if step == "kind":
        kind = request.form.get("kind", "")
        if kind not in set(ApplicationKind):
            return _show("kind", draft, problems={"kind": "choice"}), 422
        _save(draft | {"kind": kind})
        return redirect(url_for("intake.wizard", step="customer"))
    if step in FIELDS:
        draft |= {name: request.form.get(name, "").strip() for name in FIELDS[step]}
        _save(draft)
        problems = {k: v for k, v in _gaps(draft).items() if k in FIELDS[step]}
        if problems:
            return _kept(_show(step, draft, problems=problems))
    if step == "papers":
        draft["promised"] = request.form.getlist("promised")
        _save(draft)
    after = STEPS[min(STEPS.index(step) + 1, len(STEPS) - 1)] if step in STEPS else "kind"
    return redirect(url_for("intake.wizard", step=after))


def _kept(answer: str) -> tuple[str, int]:
    """Answer an error and keep the draft all the same."""
    keep_changes()
    return answer, 422


@page.post("/apps/new/papers/<kind>")
@allow(Permission.ACCEPT_APPLICATION)
def upload(kind: str) -> Answer:
    """Put a document aside for the case that is being taken in."""
    draft = _load()
    name, content = handed_in()
    try:
        if kind not in _rules(draft):
            raise NotFound(what="document", id=kind)
        kept = keep(db(), actor(), subject=draft_subject(actor()), name=name, content=content)
    except FileRefused as refused:
        return _show("papers", draft, upload=(kind, sentence(refused, language()))), 422
    draft["files"] = [*draft.get("files", []), [kind, kept.id]]
    _save(draft)
    return redirect(url_for("intake.wizard", step="papers"))


@page.post("/apps/new/files/<int:attachment_id>/remove")
@allow(Permission.ACCEPT_APPLICATION)
def remove(attachment_id: int) -> Response:
    """Leave a file out of the case that is being taken in."""
    draft = _load()
    draft["files"] = [one for one in draft.get("files", []) if one[1] != attachment_id]
    _save(draft)
    return redirect(url_for("intake.wizard", step="papers"))


@page.get("/apps/new/files/<int:attachment_id>")
@allow(Permission.ACCEPT_APPLICATION)
def read(attachment_id: int) -> Response:
    """Give a file put aside to the person who did."""
    kept: AttachmentCard | None = attachments(db(), [attachment_id]).get(attachment_id)
    if kept is None or (kept.subject_type, kept.subject_no) != draft_subject(actor()):
        raise NotFound(what="file", id=attachment_id)
    return as_download(kept)


@page.post("/apps/new/submit")
@allow(Permission.ACCEPT_APPLICATION)
def take_in() -> Answer:
    """Take the case in with its documents, and hand it to the next department if nothing lacks."""
    draft = _load()
    missing = tuple(
        paper["kind"]
        for paper in _papers(draft)
        if not paper["files"] and not paper["promised"] and not paper["rule"].optional
    )
    if missing:
        return _show("check", draft, missing=missing), 422
    try:
        with db().begin_nested():
            number, code, is_accepted = _submit(draft)
    except FormRefused as refused:
        return _show("check", draft, problems=refused.problems), 422
    except GridhallError as refused:
        return _show("check", draft, refused=sentence(refused, language())), 409
    drafts.drop(db(), actor(), KEY)
    cookie[FRESH_CODE] = (number, code)
    flash(t("intake.done" if is_accepted else "intake.waits", no=number), "ok")
    return redirect(url_for("apps.detail", application_no=number))


def _submit(draft: dict[str, Any]) -> tuple[str, str, bool]:
    form = _form(draft)
    customer = _known(draft)
    made = submit(
        db(),
        actor(),
        ApplicationKind(draft["kind"]),
        form,
        customer_id=customer.id if customer else None,
    )
    for kind, attachment_id in draft.get("files", []):
        adopt_document(db(), actor(), made.application_no, kind, attachment_id)
    for paper in _papers(draft):
        if paper["promised"] and not paper["files"]:
            promise_document(db(), actor(), made.application_no, paper["kind"])
    try:
        complete_step(db(), actor(), made.application_no, "accept", version=1, form=form)
    except NotAllowed:
        return made.application_no, made.code, False
    return made.application_no, made.code, True
