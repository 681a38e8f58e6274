"""A case as its page shows it: stages, time by department, ways on, checks before the next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from customers.api.case_files import (
    application_history,
    application_notes,
    archive_plan,
    blockers_of,
    flows,
    forms,
    papers,
    spans,
)
from customers.api.types import ApplicationCard, DocumentState, Line, LineState, Paper
from foundation import clock
from foundation.actor import Actor
from foundation.flow.calendar import office_calendar
from foundation.flow.definition import Flow, Step
from foundation.flow.engine import Past, moves_open_to
from foundation.flow.forms import Form, FormRefused
from foundation.flow.hands import may_pause_at
from foundation.staff.queries import units
from foundation.staff.types import Unit
from foundation.worktime import working_time
from metering.api.devices import stock_meters
from metering.api.network import area_by_no, area_places, boxes, find_areas
from metering.api.types import AreaPlace, AreaUnknown, Supply
from webapp.chips import Chip, chip_of
from webapp.context import language

TABS = ("step", "facts", "papers", "archive", "log")
TENTH = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class StageView:
    """One stage of the timeline.

    Attributes:
        days: working days it took, or has taken so far; None where it has not begun.
    """

    step: str
    kind: str
    dept: str
    days: Decimal | None
    limit_days: int | None
    chip: Chip | None


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the bar of time used; a stretch of waiting is hatched and not counted."""

    step: str
    dept: str
    days: Decimal
    waits: bool


@dataclass(frozen=True, slots=True)
class Way:
    """One move this person may make from here."""

    name: str
    form: Form | None
    form_name: str
    needs_note: bool
    back_to: tuple[str, ...]
    to: str
    ends: bool


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold before the next step: what, whether it does, where to mend it."""

    kind: str
    what: str
    holds: bool
    href: str


def departments(session: Session) -> dict[str, list[Unit]]:
    """Give the departments by the desk they keep."""
    found: dict[str, list[Unit]] = {}
    for unit in units(session):
        for desk in unit.desks:
            found.setdefault(desk, []).append(unit)
    return found


def dept_name(known: Mapping[str, list[Unit]], step: Step, unit_id: int | None) -> str:
    """Name the department that does a step: the one of the place, or the first that keeps it."""
    here = known.get(step.desk or "", [])
    local = [unit for unit in here if unit.id == unit_id] if step.local else here
    # of several that keep a desk, the one that keeps most of them is the counter
    one = max(local or here, key=lambda unit: len(unit.desks), default=None)
    if one is None:
        return ""
    return one.name_zh if language() == "zh-CN" else one.name_en


def working_days(span: timedelta) -> Decimal:
    """Give office hours as working days, to a tenth."""
    return (Decimal(span / office_calendar().day_length)).quantize(TENTH)


def case_values(session: Session, actor: Actor, card: ApplicationCard) -> dict[str, Any]:
    """Give everything the page of a case shows, its form apart."""
    flow = flows().version(card.flow, card.flow_version)
    past = application_history(session, card.case_id)
    segments = _segments(session, card, flow, past)
    documents = papers(session, card)
    lines = archive_plan(session, card)
    ways = ways_of(flow, card, actor)
    return {
        "app": card,
        "flow": flow,
        "stages": _stages(session, card, flow, segments),
        "segments": [one for one in segments if one.days or one.waits],
        "used_days": sum((one.days for one in segments if not one.waits), Decimal(0)),
        "whole": chip_of(whole) if (whole := card.clock("whole")) else None,
        "whole_days": _limit_days(card, "whole"),
        "papers": documents,
        "n_papers": (
            sum(paper.state is DocumentState.RECEIVED for paper in documents),
            sum(paper.state is not DocumentState.OPTIONAL for paper in documents),
        ),
        "lines": lines,
        "things": _things(lines),
        "conflicts": sum(line.state is LineState.CONFLICT for line in lines),
        "ways": ways,
        "main": next((way for way in ways if not way.back_to and not way.ends), None),
        "may_claim": card.holder_id is None and any(not way.ends for way in ways),
        "may_wait": may_pause_at(
            flow, card.step, actor, unit_id=card.unit_id, ended=card.ended_at is not None
        ),
        "history": past,
        "notes": application_notes(session, card.id),
        "place": _place(session, card),
    }


def _place(session: Session, card: ApplicationCard) -> AreaPlace | None:
    return area_places(session, [card.area_id]).get(card.area_id) if card.area_id else None


def _limit_days(card: ApplicationCard, promise: str) -> int | None:
    """Give how many working days were promised when the case began."""
    found = card.limits.get(promise, {}).get("working_days")
    return int(found) if found is not None else None


def _segments(
    session: Session, card: ApplicationCard, flow: Flow, past: Sequence[Past]
) -> list[Segment]:
    known, calendar = departments(session), office_calendar()
    moves = [(one.move, one.to_step, one.at) for one in past]
    found = spans(moves, now=clock.now(), ended=card.ended_at is not None)
    return [
        Segment(
            step=span.step,
            dept=dept_name(known, flow.steps[span.step], card.unit_id),
            days=working_days(working_time(span.start, span.end, calendar)),
            waits=span.waits,
        )
        for span in found
    ]


def _stages(
    session: Session, card: ApplicationCard, flow: Flow, segments: Sequence[Segment]
) -> list[StageView]:
    known = departments(session)
    here = flow.stages.index(card.step) if card.step in flow.stages else -1
    stages = []
    for place, name in enumerate(flow.stages):
        step = flow.steps[name]
        passed = place < here or (place == here and card.ended_at is not None)
        is_now = place == here and card.ended_at is None
        took = [one.days for one in segments if one.step == name and not one.waits]
        own = card.clock(name)
        stages.append(
            StageView(
                step=name,
                kind="done" if passed else "now" if is_now else "",
                dept=dept_name(known, step, card.unit_id),
                days=sum(took, Decimal(0)) if took and (passed or is_now) else None,
                limit_days=step.limit_days,
                chip=chip_of(own) if is_now and own and own.met_at is None else None,
            )
        )
    return stages


def _things(lines: Sequence[Line]) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = {}
    for line in lines:
        found.setdefault(line.thing, []).append(line)
    return found


def ways_of(flow: Flow, card: ApplicationCard, actor: Actor) -> list[Way]:
    """Give the moves this person may make, the straight way first."""
    ways = []
    for name, move in moves_open_to(flow, card.step, actor, unit_id=card.unit_id).items():
        form = forms().forms[move.form] if move.form else None
        needs_note = move.note == "required" or bool(move.back_to)
        ends = bool(move.to) and flow.is_end(move.to)
        ways.append(Way(name, form, move.form or "", needs_note, move.back_to, move.to, ends))
    return ways


def prefilled(session: Session, card: ApplicationCard, way: Way | None) -> dict[str, Any]:
    """Give what the form of a step begins with: its last answers, then what is known."""
    if way is None or way.form is None:
        return {}
    today = clock.business_date().isoformat()
    known: dict[str, Any] = {
        name: spec.default or (today if spec.kind == "date" else "")
        for name, spec in way.form.fields.items()
    }
    place = _place(session, card)
    area_no = place.area_no if place else ""
    if way.form_name == "intake":
        known |= {
            "applicant_name": card.applicant_name,
            "contact_name": card.contact_name,
            "address": card.address,
            "area_no": area_no,
            "supply": card.supply,
            "load_kw": _plain(card.load_kw),
            "source": card.source,
        }
    if way.form_name == "survey":
        known |= {
            "area_no": area_no,
            "supply": card.supply,
            "approved_kw": _plain(card.load_kw),
        }
    return known | dict(card.answers.get(card.step, {}))


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def offers(session: Session, card: ApplicationCard, filled: Mapping[str, Any]) -> dict[str, Any]:
    """Give what the fields of a step's form may be chosen from."""
    if card.step in {"accept", "survey"}:
        return {"area_no": _areas(session), "box_no": _boxes(session, filled.get("area_no", ""))}
    if card.step == "fit_meter":
        supply = Supply(card.answers.get("survey", {}).get("supply", card.supply))
        shelf = stock_meters(
            session, supply=supply, unit_id=card.unit_id, drawn_for=card.application_no
        )
        return {
            "meter_no": [
                (one.meter_no, f"{one.meter_no} · {one.terminal_no or '—'} · {one.address or '—'}")
                for one in shelf
            ]
        }
    return {}


def _areas(session: Session) -> list[tuple[str, str]]:
    return [
        (area.area_no, f"{area.area_name} · {area.feeder_name} {area.feeder_no}")
        for area in find_areas(session)
    ]


def _boxes(session: Session, area_no: str) -> list[tuple[str, str]]:
    try:
        area = area_by_no(session, area_no)
    except AreaUnknown:
        return []
    return [(box.box_no, f"{box.box_no} · {box.points}") for box in boxes(session, area.area_id)]


def checks_of(
    session: Session, card: ApplicationCard, way: Way | None, filled: Mapping[str, Any]
) -> list[Check]:
    """List what must hold before the next step, what is missing first."""
    if way is None or card.ended_at is not None:
        return []
    checks = []
    gaps = _gaps(way, card, filled)
    if way.form is not None:
        for name, spec in way.form.fields.items():
            if name in gaps or (spec.required and not spec.secret):
                checks.append(Check("field", name, name not in gaps, f"#f-{name}"))
    missing = {(one.kind, one.what) for one in blockers_of(session, card)}
    for paper in papers(session, card):
        if ("document", paper.kind) in missing or _counts(paper):
            is_there = ("document", paper.kind) not in missing
            checks.append(Check("document", paper.kind, is_there, f"#paper-{paper.kind}"))
    if card.step == "archive":
        for kind, what in sorted(missing):
            if kind == "archive":
                checks.append(Check("archive", what, False, f"#line-{what.replace('.', '-')}"))
    return sorted(checks, key=lambda check: check.holds)


def _counts(paper: Paper) -> bool:
    return paper.state in {DocumentState.RECEIVED, DocumentState.PROMISED}


def _gaps(way: Way, card: ApplicationCard, filled: Mapping[str, Any]) -> dict[str, str]:
    """Give what is wrong with a form as it stands; secrets left blank stay as they are."""
    if way.form is None:
        return {}
    known = {"phone": card.phone, "id_no": card.id_no} if way.form_name == "intake" else {}
    said = dict(filled) | {name: filled.get(name) or value for name, value in known.items()}
    try:
        forms().check(way.form_name, said)
    except FormRefused as refused:
        return refused.problems
    return {}


def entered(past: Sequence[Past]) -> dict[str, datetime]:
    """Give when a case came to each step last."""
    return {one.to_step: one.at for one in past if one.from_step != one.to_step}
