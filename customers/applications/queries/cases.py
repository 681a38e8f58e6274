"""Lists of cases, one case, and what waits for whom."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, false, func, or_, select, tuple_
from sqlalchemy.orm import Session

from customers.applications import books
from customers.applications.models import Application, ApplicationNoteRow
from customers.applications.types import (
    ApplicationCard,
    ApplicationNote,
    LateStep,
)
from customers.archive.rules import plain_number
from foundation import clock
from foundation.actor import Actor, Role, Scope
from foundation.db import Query, keyed_hash, rows_as
from foundation.errors import NotFound
from foundation.flow.clocks import clocks, late_clocks
from foundation.flow.definition import Step
from foundation.flow.engine import Past, history
from foundation.flow.models import FlowCase, FlowClock

VIEWS = ("open", "due", "paused", "returned", "ended")
SUBJECT = "application"

_DUE = (
    select(func.min(FlowClock.due_at))
    .where(
        FlowClock.case_id == FlowCase.id, FlowClock.met_at.is_(None), FlowClock.paused_at.is_(None)
    )
    .correlate(FlowCase)
    .scalar_subquery()
)


def _cards() -> Query:
    return select(
        Application.id,
        Application.application_no,
        Application.kind,
        Application.applicant_name,
        Application.contact_name,
        Application.phone,
        Application.id_no,
        Application.address,
        Application.customer_id,
        Application.account_no,
        Application.area_id,
        Application.unit_id,
        Application.load_kw,
        Application.supply,
        Application.source,
        Application.point_id,
        Application.answers,
        Application.opened_by,
        Application.opened_at,
        Application.ended_at,
        Application.case_id,
        FlowCase.flow,
        FlowCase.flow_version,
        FlowCase.step,
        FlowCase.status,
        FlowCase.version,
        FlowCase.entered_at,
        FlowCase.holder_id,
        FlowCase.holder_name,
        FlowCase.held_at,
        FlowCase.paused_at,
        FlowCase.pause_reason,
        FlowCase.returned_from,
        FlowCase.limits,
    ).join(FlowCase, FlowCase.id == Application.case_id)


def application_cards(
    session: Session,
    scope: Scope,
    *,
    view: str = "open",
    step: str = "",
    search: str = "",
    customer_id: int | None = None,
    account_no: str = "",
    after_id: int | None = None,
    limit: int = 50,
) -> list[ApplicationCard]:
    """List cases of a view: running ones by what is due first, ended ones newest first.

    Args:
        session: the caller's transaction.
        scope: departments whose cases may be seen.
        view: one of VIEWS, or `all`.
        step: only cases that stand there.
        search: beginning of a number, or a part of a name or address.
        customer_id: cases of one customer.
        account_no: cases of one account.
        after_id: for ended ones, what comes after this row.
        limit: at most so many.
    """
    statement = _viewed(_cards(), view).limit(limit)
    if scope.unit_ids is not None:
        statement = statement.where(Application.unit_id.in_(scope.unit_ids))
    if step:
        statement = statement.where(FlowCase.step == step)
    if search:
        number, account = (
            column.istartswith(search.replace(" ", ""), autoescape=True)
            for column in (Application.application_no, Application.account_no)
        )
        name, address = (
            column.icontains(search, autoescape=True)
            for column in (Application.applicant_name, Application.address)
        )
        statement = statement.where(number | account | name | address)
    if customer_id is not None or account_no:
        same = Application.customer_id == customer_id if customer_id is not None else false()
        statement = statement.where(or_(same, Application.account_no == account_no))
    if after_id is not None:
        statement = statement.where(Application.id < after_id)
    return _with_clocks(session, rows_as(ApplicationCard, session, statement))


def open_cases(session: Session, *, phone: str, point_id: int | None) -> list[str]:
    """List the numbers of running cases of a telephone or a supply point, oldest first.

    Args:
        session: any transaction.
        phone: as it was dialled; empty if it is not known.
        point_id: the point a call is about, if one is chosen.
    """
    mine: ColumnElement[bool] = false()
    if phone:
        mine |= Application.phone_hash == keyed_hash(plain_number(phone))
    if point_id is not None:
        mine |= Application.point_id == point_id
    return list(
        session.scalars(
            select(Application.application_no)
            .where(mine, Application.ended_at.is_(None))
            .order_by(Application.id)
            .limit(10)
        )
    )


def _viewed(statement: Query, view: str) -> Query:
    running = Application.ended_at.is_(None)
    match view:
        case "due":
            day = clock.now() + timedelta(days=1)
            return statement.where(running, day > _DUE).order_by(_DUE, Application.id)
        case "paused":
            statement = statement.where(running, FlowCase.paused_at.is_not(None))
            return statement.order_by(FlowCase.paused_at, Application.id)
        case "returned":
            statement = statement.where(running, FlowCase.returned_from.is_not(None))
            return statement.order_by(_DUE.nulls_last(), Application.id)
        case "ended":
            return statement.where(~running).order_by(Application.id.desc())
        case "all":
            return statement.order_by(Application.id.desc())
        case _:
            return statement.where(running).order_by(_DUE.nulls_last(), Application.id)


def _with_clocks(session: Session, cards: list[ApplicationCard]) -> list[ApplicationCard]:
    states = clocks(session, [card.case_id for card in cards])
    return [replace(card, clocks=tuple(states[card.case_id])) for card in cards]


def application_card(session: Session, application_no: str) -> ApplicationCard:
    """Give one case.

    Raises:
        NotFound: no case has this number.
    """
    statement = _cards().where(Application.application_no == application_no)
    found = rows_as(ApplicationCard, session, statement)
    if not found:
        raise NotFound(what="application", id=application_no)
    return _with_clocks(session, found)[0]


def inbox(session: Session, actor: Actor, *, limit: int = 200) -> list[ApplicationCard]:
    """List the cases whose present step is this person's department's to do, soonest due first.

    A supervisor sees every step a person does.
    """
    statement = _cards().where(Application.ended_at.is_(None), _mine(actor))
    statement = statement.order_by(_DUE.nulls_last(), Application.id).limit(limit)
    return _with_clocks(session, rows_as(ApplicationCard, session, statement))


def inbox_count(session: Session, actor: Actor) -> int:
    """Count what waits for this person's department."""
    statement = (
        select(func.count())
        .select_from(Application)
        .join(FlowCase, FlowCase.id == Application.case_id)
        .where(Application.ended_at.is_(None), FlowCase.paused_at.is_(None), _mine(actor))
    )
    return int(session.scalar(statement) or 0)


def _is_for(step: Step, actor: Actor) -> bool:
    """Whether some move of the step's own desk is open to one of the actor's roles."""
    if Role.SUPERVISOR in actor.roles:
        return True
    return any(actor.roles & set(move.roles) for move in step.moves.values() if move.desk is None)


def _mine(actor: Actor) -> ColumnElement[bool]:
    anywhere, here = [], []
    for flow in books.flows().all():
        for name, step in flow.steps.items():
            if step.desk is None or not _is_for(step, actor):
                continue
            place = (flow.name, flow.version, name)
            if Role.SUPERVISOR in actor.roles or (step.desk in actor.desks and not step.local):
                anywhere.append(place)
            elif step.desk in actor.desks:
                here.append(place)
    stands = tuple_(FlowCase.flow, FlowCase.flow_version, FlowCase.step)
    own_area = or_(Application.unit_id == actor.unit_id, Application.unit_id.is_(None))
    return or_(stands.in_(anywhere), and_(stands.in_(here), own_area))


def counts(session: Session, scope: Scope) -> dict[str, int]:
    """Count cases by view, and those past a due time."""
    now = clock.now()
    running = Application.ended_at.is_(None)
    statement = (
        select(
            func.count().filter(running),
            func.count().filter(running, now + timedelta(days=1) > _DUE),
            func.count().filter(running, FlowCase.paused_at.is_not(None)),
            func.count().filter(running, FlowCase.returned_from.is_not(None)),
            func.count().filter(~running),
            func.count().filter(running, now > _DUE),
        )
        .select_from(Application)
        .join(FlowCase, FlowCase.id == Application.case_id)
    )
    if scope.unit_ids is not None:
        statement = statement.where(Application.unit_id.in_(scope.unit_ids))
    row = session.execute(statement).one()
    return dict(zip((*VIEWS, "late"), row, strict=True))


def late_steps(session: Session, *, limit: int = 50) -> list[LateStep]:
    """List the steps and promises that are past due, the longest first."""
    late = late_clocks(session, flows=books.flow_names(), limit=limit)
    rows = session.execute(
        select(
            Application.application_no,
            Application.applicant_name,
            FlowCase.step,
            FlowCase.holder_name,
        )
        .join(FlowCase, FlowCase.id == Application.case_id)
        .where(Application.application_no.in_([one.subject for one in late]))
    )
    known = {row[0]: row for row in rows}
    return [
        LateStep(
            application_no=one.subject,
            applicant_name=known[one.subject][1],
            step=known[one.subject][2],
            name=one.name,
            due_at=one.due_at,
            holder_name=known[one.subject][3],
        )
        for one in late
        if one.subject in known
    ]


def application_history(session: Session, case_id: int) -> list[Past]:
    """Give every move of a case, oldest first."""
    return history(session, case_id)


def application_notes(session: Session, application_id: int) -> list[ApplicationNote]:
    """Give the remarks on a case, newest first."""
    statement = (
        select(ApplicationNoteRow.at, ApplicationNoteRow.by, ApplicationNoteRow.text)
        .where(ApplicationNoteRow.application_id == application_id)
        .order_by(ApplicationNoteRow.id.desc())
        .limit(200)
    )
    return rows_as(ApplicationNote, session, statement)


def open_duplicates(
    session: Session, *, id_no: str, address: str, but: str = "", limit: int = 5
) -> list[ApplicationCard]:
    """List running cases for the same identity number or the same address."""
    same = Application.address == address.strip()
    if id_no.strip():
        same |= Application.id_no_hash == keyed_hash(id_no)
    statement = (
        _cards()
        .where(Application.ended_at.is_(None), same, Application.application_no != but)
        .order_by(Application.id.desc())
        .limit(limit)
    )
    return rows_as(ApplicationCard, session, statement)


def waiting_for_readings(session: Session, *, limit: int = 500) -> dict[str, int]:
    """Give the cases that wait for their meter's first reading, with their points."""
    rows = session.execute(
        select(Application.application_no, Application.point_id)
        .join(FlowCase, FlowCase.id == Application.case_id)
        .where(FlowCase.step == "first_readings", Application.point_id.is_not(None))
        .order_by(Application.id)
        .limit(limit)
    )
    return {number: point for number, point in rows if point is not None}


def reserved_numbers(session: Session, prefix: str) -> int:
    """Give the highest account number behind a prefix that a case has reserved; 0 for none."""
    highest = session.scalar(
        select(func.max(Application.account_no)).where(
            Application.account_no.startswith(prefix, autoescape=True)
        )
    )
    return int(highest[len(prefix) :]) if highest else 0


def of_cases(cards: Sequence[ApplicationCard]) -> dict[str, list[ApplicationCard]]:
    """Group cases by the step they stand at."""
    found: dict[str, list[ApplicationCard]] = {}
    for card in cards:
        found.setdefault(card.step, []).append(card)
    return found
