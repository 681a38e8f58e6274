"""Cases walk their flow: one mover wins, promises run, the history keeps both times."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from foundation import clock
from foundation.actor import Actor, Role
from foundation.errors import NotAllowed, NotFound
from foundation.flow import engine
from foundation.flow.clocks import clocks, note_late
from foundation.flow.definition import Flows, load_flows
from foundation.flow.engine import CaseMoved, Moved, MoveRefused, NoteMissing
from foundation.flow.limits import ClockState, Limit
from foundation.flow.models import FlowCase
from foundation.worktime import WorkCalendar
from tests.factories.foundation import SYSTEM

FLOW = """
name = "visit"
version = {version}
title = "试验"
source = "a test"
start = "new"
[steps.new]
status = "waiting"
[steps.new.moves.go]
to = "there"
roles = ["crew", "inspector"]
form = "report"
effect = "tell"
[steps.new.moves.drop]
to = "dropped"
roles = ["dispatcher"]
note = "required"
[steps.new.moves.pause]
to = "paused"
roles = ["dispatcher"]
[steps.new.moves.lapse]
to = "dropped"
system = true
[steps.paused]
status = "paused"
pauses = true
[steps.paused.moves.wait_on]
to = "paused"
roles = ["dispatcher"]
[steps.paused.moves.resume]
to = "new"
roles = ["dispatcher"]
[steps.there]
status = "there"
[steps.there.moves.done]
to = "done"
roles = ["crew"]
[steps.done]
status = "done"
[steps.dropped]
status = "dropped"
[promises.arrive]
starts_at = "new"
ends_at = ["there"]
[promises.finish]
starts_at = "there"
ends_at = []
[promises.never]
starts_at = "new"
ends_at = ["there"]
"""
START = datetime(2026, 6, 18, 11, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CALENDAR = WorkCalendar(ZoneInfo("Asia/Shanghai"))
CREW = Actor(id=11, name="刘", roles=frozenset({Role.CREW}))
DISPATCHER = Actor(id=12, name="陈", roles=frozenset({Role.DISPATCHER}))
LIMITS = {"arrive": Limit(minutes=45), "finish": Limit(working_days=2)}


@pytest.fixture(scope="module")
def flows(tmp_path_factory: pytest.TempPathFactory) -> Flows:
    """Load two versions of one flow; the second has no `drop`."""
    folder = tmp_path_factory.mktemp("flows")
    (folder / "a.toml").write_text(FLOW.format(version=1), encoding="utf-8")
    newer = FLOW.format(version=2).replace("moves.drop]", "moves.cancel]")
    (folder / "b.toml").write_text(newer, encoding="utf-8")
    return load_flows(folder, forms={"report"}, effects={"tell"})


class Walk:
    """A case that began at START."""

    def __init__(self, session: Session, flows: Flows, version: int = 2) -> None:
        self.session, self.flows = session, flows
        with clock.frozen(START):
            self.case: FlowCase = engine.start(
                session,
                DISPATCHER,
                flows.version("visit", version),
                subject="V-1",
                limits=LIMITS,
                calendar=CALENDAR,
            )

    def move(self, name: str, actor: Actor = CREW, *, minute: int = 10, **more: object) -> Moved:
        with clock.frozen(START + minute * MINUTE):
            return engine.move(
                self.session,
                actor,
                self.flows,
                self.case.id,
                name,
                calendar=CALENDAR,
                **({"version": self.case.version} | more),  # type: ignore[arg-type]
            )

    def clock(self, name: str) -> ClockState:
        (state,) = [c for c in clocks(self.session, [self.case.id])[self.case.id]
                    if c.name == name]  # fmt: skip
        return state


@pytest.fixture
def walk(session: Session, flows: Flows) -> Walk:
    return Walk(session, flows)


def test_a_case_begins_at_the_start_with_its_first_promises_running(walk: Walk) -> None:
    assert (walk.case.step, walk.case.status, walk.case.version) == ("new", "waiting", 1)
    states = clocks(walk.session, [walk.case.id, -1])
    assert [c.name for c in states[walk.case.id]] == ["arrive"]
    assert states[-1] == []
    assert walk.clock("arrive").due_at == START + 45 * MINUTE


def test_a_move_says_what_it_did(walk: Walk) -> None:
    moved = walk.move("go", form={"seen": "tree"}, note=" 到了 ")
    assert moved == Moved(
        case_id=walk.case.id,
        subject="V-1",
        from_step="new",
        to_step="there",
        status="there",
        version=2,
        effect="tell",
        ended=False,
        at=START + 10 * MINUTE,
    )
    last = engine.history(walk.session, walk.case.id)[-1]
    assert (last.move, last.actor_name, last.note, last.form) == (
        "go",
        "刘",
        "到了",
        {"seen": "tree"},
    )
    assert walk.case.entered_at == START + 10 * MINUTE


def test_the_end_of_a_case_meets_whatever_still_runs(walk: Walk) -> None:
    walk.move("go")
    assert walk.clock("finish").met_at is None
    assert walk.move("done", minute=20).ended
    assert walk.case.ended_at == START + 20 * MINUTE
    assert walk.clock("finish").met_at == START + 20 * MINUTE


def test_a_promise_is_met_when_the_step_is_reached_and_the_next_begins(walk: Walk) -> None:
    walk.move("go", minute=44)
    assert walk.clock("arrive").met_at == START + 44 * MINUTE
    due = walk.clock("finish").due_at.astimezone(CALENDAR.zone)
    assert due.isoformat() == "2026-06-22T17:30:00+08:00"


def test_the_doers_own_clock_decides_whether_a_promise_was_kept(walk: Walk) -> None:
    walk.move("go", minute=60, done_at=START + 40 * MINUTE)
    assert not walk.clock("arrive").was_late
    last = engine.history(walk.session, walk.case.id)[-1]
    assert (last.done_at, last.at) == (START + 40 * MINUTE, START + 60 * MINUTE)


def test_a_pause_stops_the_promise_and_resuming_moves_it_by_as_long(walk: Walk) -> None:
    walk.move("pause", DISPATCHER, minute=10)
    assert walk.clock("arrive").paused_at == START + 10 * MINUTE
    walk.move("wait_on", DISPATCHER, minute=20)
    assert walk.clock("arrive").paused_at == START + 10 * MINUTE
    walk.move("resume", DISPATCHER, minute=40)
    arrive = walk.clock("arrive")
    assert (arrive.started_at, arrive.due_at, arrive.paused_at) == (
        START + 30 * MINUTE,
        START + 75 * MINUTE,
        None,
    )


def test_of_two_movers_the_second_learns_who_was_first_and_what_they_did(walk: Walk) -> None:
    walk.move("go")
    with pytest.raises(CaseMoved) as lost:
        walk.move("pause", DISPATCHER, version=1)
    assert lost.value.facts == {
        "subject": "V-1",
        "by": "刘",
        "at": START + 10 * MINUTE,
        "move": "go",
        "status": "there",
    }


def test_a_step_has_only_its_own_moves(walk: Walk) -> None:
    with pytest.raises(MoveRefused) as refused:
        walk.move("done")
    assert refused.value.facts == {"subject": "V-1", "step": "waiting", "move": "done"}


def test_a_move_needs_its_role_and_says_which(walk: Walk) -> None:
    with pytest.raises(NotAllowed) as refused:
        walk.move("go", DISPATCHER)
    assert refused.value.facts["roles"] == ["crew", "inspector"]


def test_a_move_no_person_makes_is_refused_to_persons(walk: Walk) -> None:
    with pytest.raises(NotAllowed):
        walk.move("lapse", DISPATCHER)
    assert walk.move("lapse", SYSTEM).ended


@pytest.mark.parametrize("note", ["", "   "])
def test_a_move_that_needs_a_note_is_refused_without(
    session: Session, flows: Flows, note: str
) -> None:
    walk = Walk(session, flows, version=1)
    with pytest.raises(NoteMissing):
        walk.move("drop", DISPATCHER, note=note)
    assert walk.case.step == "new"
    assert walk.move("drop", DISPATCHER, note="误报").ended


def test_the_system_may_make_any_move_without_note_version_or_role(
    session: Session, flows: Flows
) -> None:
    walk = Walk(session, flows, version=1)
    assert walk.move("drop", SYSTEM, version=None).ended


def test_a_running_case_keeps_the_version_of_the_flow_it_began_with(
    session: Session, flows: Flows
) -> None:
    old, new = Walk(session, flows, version=1), Walk(session, flows, version=2)
    with pytest.raises(MoveRefused):
        old.move("cancel", DISPATCHER, note="x")
    with pytest.raises(MoveRefused):
        new.move("drop", DISPATCHER, note="x")


def test_moves_open_to_an_actor_stand_in_the_order_of_the_file(flows: Flows) -> None:
    flow = flows.version("visit", 1)
    assert list(engine.moves_open_to(flow, "new", DISPATCHER)) == ["drop", "pause"]
    assert list(engine.moves_open_to(flow, "new", CREW)) == ["go"]
    assert engine.moves_open_to(flow, "new", SYSTEM) == {}
    assert engine.moves_open_to(flow, "done", CREW) == {}


def test_a_case_that_does_not_exist_cannot_be_moved(session: Session, flows: Flows) -> None:
    with pytest.raises(NotFound):
        engine.move(session, CREW, flows, -1, "go", version=1, calendar=CALENDAR)


def test_a_promise_without_a_limit_does_not_run(walk: Walk) -> None:
    names = [c.name for c in clocks(walk.session, [walk.case.id])[walk.case.id]]
    assert "never" not in names


def test_lateness_is_told_once_and_only_when_it_is_there(walk: Walk) -> None:
    def told(minute: int) -> list[str]:
        with clock.frozen(START + minute * MINUTE):
            return note_late(walk.session, flows=("visit",))

    assert told(45) == []
    assert told(46) == ["V-1"]
    assert told(47) == []
    assert note_late(walk.session, flows=("another",)) == []


def test_a_paused_promise_is_never_late(walk: Walk) -> None:
    walk.move("pause", DISPATCHER)
    with clock.frozen(START + 100 * MINUTE):
        assert note_late(walk.session, flows=("visit",)) == []


def test_the_history_of_a_case_begins_with_its_start(walk: Walk) -> None:
    (first,) = engine.history(walk.session, walk.case.id)
    assert (first.version, first.move, first.from_step, first.to_step) == (1, "start", None, "new")


def test_what_was_promised_is_kept_with_the_case(walk: Walk) -> None:
    kept = walk.session.execute(
        text("SELECT limits FROM foundation.flow_case WHERE id = :id"), {"id": walk.case.id}
    ).scalar_one()
    assert kept["arrive"] == {"minutes": 45, "working_days": None}


def test_no_flow_file_is_left_behind(tmp_path: Path) -> None:
    assert load_flows(tmp_path, forms=set(), effects=set()).all() == []
