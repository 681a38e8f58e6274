"""Moving cases: completing steps, sending back, waiting, taking a step into one's hands."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from customers.applications import books, effects
from customers.applications.models import Application, ApplicationNoteRow
from customers.applications.queries.cases import application_card, waiting_for_readings
from customers.applications.queries.plan import as_kept, blockers_of, settled_of
from customers.applications.types import ApplicationAdvanced, StepBlocked
from foundation import clock
from foundation.actor import Actor, Desk, Role
from foundation.audit import Act, record
from foundation.db import Query
from foundation.errors import NotAllowed, NotFound
from foundation.events import Signal
from foundation.flow import engine, hands
from foundation.flow.calendar import office_calendar
from foundation.flow.clocks import note_late
from foundation.flow.definition import Flow, Move
from foundation.flow.forms import Form, FormRefused, without_secrets
from foundation.flow.models import FlowCase
from foundation.outbox import publish, signal
from metering.api.readings import first_good

MOVED = Act.of("application.moved", "move", "from_step", "to_step", "note")
HANDS = Act.of("application.hands", "what", "reason", "note")
SETTLED = Act.of("application.settled", "line", "choice")
LATE = Act.of("application.late", "count")


def complete_step(
    session: Session,
    actor: Actor,
    application_no: str,
    outcome: str,
    *,
    version: int | None,
    form: Mapping[str, Any] | None = None,
    note: str = "",
    to: str = "",
) -> engine.Moved:
    """Complete the present step of a case with one of its outcomes.

    Args:
        session: the caller's transaction.
        actor: who completes it.
        application_no: the case.
        outcome: the move as the flow names it; a return is an outcome too.
        version: as the person saw it; None for the system.
        form: what was filled in, text by field.
        note: said with it.
        to: for a return, the earlier step.

    Raises:
        NotFound: no case has this number.
        FormRefused: fields are missing or wrong.
        StepBlocked: documents or lines of the archive are missing.
        CaseMoved, CaseHeld, CasePaused, MoveRefused, NotAllowed, NoteMissing: as the engine says.
        ArchiveConflict, ArchiveIncomplete, StockMeterTaken: the archive cannot be written.
    """
    row = _locked(session, application_no)
    case = engine.locked(session, row.case_id, version)
    flow = books.flows().version(case.flow, case.flow_version)
    chosen = engine.allowed(flow, case, outcome, actor, row.unit_id)
    clean = _filled_in(chosen, _with_secrets(row, chosen, form or {}))
    if _goes_on(flow, chosen):
        _refuse_gaps(session, actor, row)
    with session.begin_nested():  # a refusal half-way leaves nothing of the move behind
        return _carry_out(session, actor, row, outcome, chosen, clean, version, note, to)


def _carry_out(
    session: Session,
    actor: Actor,
    row: Application,
    outcome: str,
    chosen: Move | None,
    clean: dict[str, Any],
    version: int | None,
    note: str,
    to: str,
) -> engine.Moved:
    kept = without_secrets(_form_of(chosen), clean)
    moved = engine.move(
        session,
        actor,
        books.flows(),
        row.case_id,
        outcome,
        version=version,
        calendar=office_calendar(),
        to=to,
        unit_id=row.unit_id,
        note=note,
        form=kept,
    )
    if kept:
        said = {name: value for name, value in kept.items() if value != "***"}
        row.answers = row.answers | {moved.from_step: said}
    if moved.effect is not None:
        effects.EFFECTS[moved.effect](session, actor, row, clean)
    row.ended_at = moved.at if moved.ended else None
    session.flush()
    _tell(session, actor, row, outcome, moved, note)
    return moved


def _locked(session: Session, application_no: str) -> Application:
    statement = select(Application).where(Application.application_no == application_no)
    row = session.scalar(statement.with_for_update().execution_options(populate_existing=True))
    if row is None:
        raise NotFound(what="application", id=application_no)
    return row


def _form_of(chosen: Move | None) -> Form:
    if chosen is None or chosen.form is None:
        return Form()
    return books.forms().forms[chosen.form]


def _with_secrets(
    row: Application, chosen: Move | None, form: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Take what a form left blank because it may not be shown from the case itself."""
    if chosen is None or chosen.form != "intake":
        return form
    known = {"phone": row.phone, "id_no": row.id_no}
    return dict(form) | {name: form.get(name) or value for name, value in known.items()}


def _filled_in(chosen: Move | None, form: Mapping[str, Any]) -> dict[str, Any]:
    """Read the form of a move; what happened cannot lie in the future."""
    if chosen is None or chosen.form is None or chosen.system:
        return dict(form) if chosen is not None and chosen.system else {}
    clean = books.forms().check(chosen.form, form)
    today = clock.business_date()
    fields = books.forms().forms[chosen.form].fields
    ahead = {
        name: "future"
        for name, value in clean.items()
        if fields[name].kind == "date" and date.fromisoformat(value) > today
    }
    if ahead:
        raise FormRefused(ahead, form=chosen.form)
    if chosen.form == "fit_meter":
        clean["fitted_at"] = effects.instant_of(clean["fitted_on"]).isoformat(timespec="seconds")
    return clean


def _goes_on(flow: Flow, chosen: Move) -> bool:
    """Whether a move is neither a return nor an end of the case short of its aim."""
    return not chosen.back_to and (chosen.to in flow.stages or not flow.is_end(chosen.to))


def _refuse_gaps(session: Session, actor: Actor, row: Application) -> None:
    if actor.is_system:
        return
    found = tuple(
        one
        for one in blockers_of(session, application_card(session, row.application_no))
        if one.kind == "document"
    )
    if found:
        raise StepBlocked(found, subject=row.application_no)


def _tell(
    session: Session, actor: Actor, row: Application, outcome: str, moved: engine.Moved, note: str
) -> None:
    record(
        session,
        actor,
        MOVED,
        subject=("application", row.application_no),
        move=outcome,
        from_step=moved.from_step,
        to_step=moved.to_step,
        note=note,
    )
    entry = {
        "application_no": row.application_no,
        "kind": row.kind.value,
        "from_step": moved.from_step,
        "step": moved.to_step,
        "status": moved.status,
        "account_no": row.account_no,
    }
    publish(session, actor, ApplicationAdvanced((entry,)))
    _show(session, row.application_no, moved.version)


def _show(session: Session, application_no: str, version: int = 0) -> None:
    signal(session, Signal("apps"), Signal("app", application_no, version))


def _case_of(session: Session, application_no: str) -> tuple[int, int | None]:
    statement: Query = select(Application.case_id, Application.unit_id)
    found = session.execute(statement.where(Application.application_no == application_no)).first()
    if found is None:
        raise NotFound(what="application", id=application_no)
    return found[0], found[1]


def claim_step(session: Session, actor: Actor, application_no: str, *, version: int | None) -> int:
    """Take the present step of a case into one's own hands (领取).

    Raises:
        NotFound, CaseMoved, CaseHeld, NotAllowed.
    """
    case_id, unit_id = _case_of(session, application_no)
    now = hands.claim(session, actor, books.flows(), case_id, version=version, unit_id=unit_id)
    _hands(session, actor, application_no, "claim")
    _show(session, application_no, now)
    return now


def give_back_step(
    session: Session, actor: Actor, application_no: str, *, version: int | None
) -> int:
    """Put the present step back for the others of the department.

    Raises:
        NotFound, CaseMoved, CaseHeld.
    """
    case_id, _ = _case_of(session, application_no)
    now = hands.give_back(session, actor, case_id, version=version)
    _hands(session, actor, application_no, "give_back")
    _show(session, application_no, now)
    return now


def pause_case(
    session: Session,
    actor: Actor,
    application_no: str,
    reason: str,
    *,
    version: int | None,
    note: str = "",
) -> int:
    """Let a case wait for the customer; its clocks stand still (挂起).

    Raises:
        NotFound, CaseMoved, CaseHeld, NotAllowed, PauseRefused, PauseReasonUnknown.
    """
    case_id, unit_id = _case_of(session, application_no)
    now = hands.pause(
        session,
        actor,
        books.flows(),
        case_id,
        reason,
        version=version,
        unit_id=unit_id,
        note=note,
    )
    _hands(session, actor, application_no, "pause", reason=reason, note=note)
    _show(session, application_no, now)
    return now


def resume_case(
    session: Session, actor: Actor, application_no: str, *, version: int | None, note: str = ""
) -> int:
    """Let a waiting case go on.

    Raises:
        NotFound, CaseMoved, CaseHeld, NotAllowed, PauseRefused.
    """
    case_id, unit_id = _case_of(session, application_no)
    now = hands.resume(
        session,
        actor,
        books.flows(),
        case_id,
        version=version,
        calendar=office_calendar(),
        unit_id=unit_id,
        note=note,
    )
    _hands(session, actor, application_no, "resume", note=note)
    _show(session, application_no, now)
    return now


def _hands(
    session: Session,
    actor: Actor,
    application_no: str,
    what: str,
    *,
    reason: str = "",
    note: str = "",
) -> None:
    subject = ("application", application_no)
    record(session, actor, HANDS, subject=subject, what=what, reason=reason, note=note)


def settle_conflict(
    session: Session, actor: Actor, application_no: str, line: str, choice: str, *, seen: str
) -> None:
    """Decide a line the archive and the case disagree on.

    Args:
        session: the caller's transaction.
        actor: who decides.
        application_no: the case.
        line: which, e.g. customer.phone.
        choice: `write` puts the case's value there, `keep` leaves the archive's.
        seen: the archive's value the decision is about; if it changes again, so must this.

    Raises:
        NotFound: no case has this number.
        NotAllowed: the actor's department does not write the archive.
    """
    if Role.SUPERVISOR not in actor.roles and Desk.ARCHIVE not in actor.desks:
        raise NotAllowed(subject=application_no, move="settle", desk=Desk.ARCHIVE)
    row = _locked(session, application_no)
    verb = "keep" if choice == "keep" else "write"
    row.settled = as_kept(settled_of(session, row.id) | {line: f"{verb}:{seen}"})
    subject = ("application", application_no)
    record(session, actor, SETTLED, subject=subject, line=line, choice=verb)
    _show(session, application_no)


def add_note(session: Session, actor: Actor, application_no: str, said: str) -> None:
    """Add a remark; an empty one is no remark.

    Raises:
        NotFound: no case has this number.
    """
    row = _locked(session, application_no)
    if said.strip():
        note = ApplicationNoteRow(
            application_id=row.id, at=clock.now(), by=actor.name, text=said.strip()[:2000]
        )
        session.add(note)
        _show(session, application_no)


def note_first_readings(session: Session, actor: Actor) -> int:
    """Archive the cases whose new meter has been read well; give how many."""
    waiting = waiting_for_readings(session)
    firsts = first_good(session, list(waiting.values())) if waiting else {}
    read = [(number, firsts[point]) for number, point in waiting.items() if point in firsts]
    for application_no, first in read:  # as many as were connected in the last minutes
        case_id, _ = _case_of(session, application_no)
        version = session.get_one(FlowCase, case_id).version
        complete_step(
            session,
            actor,
            application_no,
            "read",
            version=version,
            form={
                "meter_no": first.meter_no,
                "read_at": first.read_at.isoformat(timespec="seconds"),
                "wh_import": str(first.wh_import),
                "u_a": None if first.u_a is None else f"{first.u_a:.1f}",
            },
        )
    return len(read)


def tell_late(session: Session, actor: Actor) -> int:
    """Mark steps and promises that have just run over, once each; give how many."""
    late = note_late(session, flows=books.flow_names())
    for number in dict.fromkeys(late):
        record(session, actor, LATE, subject=("application", number), count=late.count(number))
    if late:
        signal(session, Signal("apps"))
    return len(late)
