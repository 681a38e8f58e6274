"""The terminal simulator's panel: order faults, see which hold."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from foundation.audit import Act, record
from metering.api.simulation import (
    TAKES,
    FaultKind,
    OrderRefused,
    SimulatorUnreachable,
    order_simulator,
)
from webapp.auth.guard import allow
from webapp.auth.permissions import Permission
from webapp.context import has_text, language, show, t
from webapp.errors import status_of
from webapp.sentences import sentence
from webapp.session import actor, db, office

page = Blueprint("simulator", __name__)

ORDERED = Act.of("simulator.ordered", "order", "facts")
SCALES = {"to": 0.01, "seconds": 1.0, "ppm": 1.0, "code": 1.0, "duration_s": 60.0}
"""How many of the simulator's units one typed on this page is: percent, minutes."""
AT_FIRST = {"order": "sag", "target": "M-0501-0001", "to": "85", "seconds": "2", "code": "4"}


@page.get("/admin/simulator")
@allow(Permission.RUN_SIMULATOR)
def panel() -> str:
    """Show the orders one can give and the faults that hold."""
    return _panel({**AT_FIRST, **request.args.to_dict()})


@page.post("/admin/simulator")
@allow(Permission.RUN_SIMULATOR)
def order() -> Response | tuple[str, int]:
    """Give an order; a refusal keeps what was typed."""
    word = request.form.get("order", "")
    target = request.form.get("target", "").strip()
    try:
        facts = _facts(word, target)
        order_simulator(office(), word, **facts)
    except OrderRefused as refused:
        typed = {**request.form.to_dict(), "phases": request.form.getlist("phases")}
        return _panel(typed, refused), status_of(refused)
    record(db(), actor(), ORDERED, subject=("simulator", target), order=word, facts=facts)
    flash(t("simulator.ordered", fault=t(f"fault.{word}"), target=target), "ok")
    return redirect(url_for("simulator.panel", order=word, target=target))


def _panel(chosen: dict[str, Any], refused: OrderRefused | None = None) -> str:
    try:
        status: dict[str, Any] | None = order_simulator(office(), "status")
        faults = order_simulator(office(), "list")["faults"]
    except SimulatorUnreachable:
        status, faults = None, []
    return show(
        "metering/simulator.html",
        at="simulator",
        status=status,
        faults=[_dated(one) for one in faults],
        kinds=list(FaultKind),
        takes={
            name: " ".join(kind for kind in FaultKind if name in TAKES.get(kind, ()))
            for name in ("phases", "to", "seconds", "ppm", "code", "dark")
        },
        chosen=chosen,
        problems={} if refused is None else _problems(refused),
    )


def _dated(fault: dict[str, Any]) -> dict[str, Any]:
    """Give a fault that holds with its instants as such."""
    return fault | {
        name: datetime.fromtimestamp(fault[name], UTC)
        for name in ("since", "until")
        if fault[name] is not None
    }


def _problems(refused: OrderRefused) -> dict[str, str]:
    """Say what is wrong, by the field it is wrong with; "" is the whole order."""
    field = {"no_such_target": "target", "no_such_phase": "phases", "unknown_order": "order"}.get(
        refused.why, str(refused.facts.get("field", ""))
    )
    own = f"simulator.problem.{field}"
    bad = refused.why == "bad_value" and has_text(own)
    return {field: t(own) if bad else sentence(refused, language())}


def _facts(word: str, target: str) -> dict[str, Any]:
    """Read what the order takes.

    Raises:
        OrderRefused: there is no such order, or a figure is none.
    """
    if word not in {*FaultKind, "clear"}:
        raise OrderRefused("unknown_order", order=word)
    facts: dict[str, Any] = {"target": target}
    if word == "clear":
        return facts
    taken = TAKES.get(FaultKind(word), ())
    if "phases" in taken:
        facts["phases"] = "".join(request.form.getlist("phases")) or None
    if "dark" in taken:
        facts["dark"] = bool(request.form.get("dark")) or None
    for name in (*taken, "duration_s"):
        if name in SCALES:
            facts[name] = _number(name)
    return facts


def _number(name: str) -> float | None:
    said = request.form.get(name, "").strip()
    try:
        return float(said) * SCALES[name] if said else None
    except ValueError as error:
        raise OrderRefused("bad_value", field=name) from error
