"""The terminal simulator's panel: order faults, see which hold."""

from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from foundation.audit import Act, record
from foundation.errors import BadData
from metering.api.simulation import FaultKind, SimulatorUnreachable, order_simulator
from webapp.auth.guard import allow
from webapp.auth.permissions import Permission
from webapp.context import show, t
from webapp.session import actor, db, office

page = Blueprint("simulator", __name__)

ORDERED = Act.of("simulator.ordered", "order", "facts")
FIELDS: dict[str, tuple[str, ...]] = {
    "sag": ("phases", "to"),
    "phase_loss": ("phases",),
    "ct_bypass": ("phases",),
    "slow": ("seconds",),
    "clock_drift": ("seconds",),
    "exception": ("code",),
    "outage": ("dark",),
}
"""What each fault takes besides target and duration."""


class OrderRefused(BadData):
    """The simulator refused an order; facts: why."""

    code = "order_refused"


@page.get("/admin/simulator")
@allow(Permission.RUN_SIMULATOR)
def panel() -> str:
    """Show the orders one can give and the faults that hold."""
    try:
        status: dict[str, Any] | None = order_simulator(office(), "status")
        faults = order_simulator(office(), "list").get("faults", [])
    except SimulatorUnreachable:
        status, faults = None, []
    return show(
        "metering/simulator.html",
        at="simulator",
        status=status,
        faults=faults,
        kinds=[kind.value for kind in FaultKind],
        fields=FIELDS,
        chosen={"order": "sag", "target": "M-0501-0001", **request.args.to_dict()},
    )


@page.post("/admin/simulator")
@allow(Permission.RUN_SIMULATOR)
def order() -> Response:
    """Give an order; a refusal keeps what was typed."""
    word = request.form.get("order", "")
    if word not in {*FaultKind, "clear"}:
        raise OrderRefused(why="unknown_order")
    facts = _facts(word)
    answer = order_simulator(office(), word, **facts)
    if not answer.get("ok"):
        raise OrderRefused(why=answer.get("error", ""))
    record(db(), actor(), ORDERED, subject=("simulator", facts.get("target", "")), order=word,
           facts=facts)  # fmt: skip
    flash(t("simulator.ordered", fault=t(f"fault.{word}"), target=facts.get("target", "")), "ok")
    return redirect(url_for("simulator.panel", order=word, target=facts.get("target", "")))


def _facts(word: str) -> dict[str, Any]:
    facts: dict[str, Any] = {"target": request.form.get("target", "").strip()}
    wanted = FIELDS.get(word, ())
    if "phases" in wanted:
        facts["phases"] = "".join(request.form.getlist("phases")) or None
    for name, scale in (("to", 0.01), ("seconds", 1.0), ("code", 1.0), ("duration_s", 60.0)):
        if name in wanted or name == "duration_s":
            facts[name] = _number(name, scale)
    if "dark" in wanted:
        facts["dark"] = bool(request.form.get("dark")) or None
    return facts


def _number(name: str, scale: float) -> float | None:
    said = request.form.get(name, "").strip()
    if not said:
        return None
    try:
        return float(said) * scale
    except ValueError as error:
        raise OrderRefused(why="bad_value", field=name) from error
