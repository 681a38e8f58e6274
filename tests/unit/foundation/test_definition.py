"""A flow that a case would stumble over is refused when it is loaded."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.datafiles import DataFileRefused
from foundation.flow.definition import Flow, Flows, Move, Step, load_flows, problems, reachable

SOUND = """
name = "visit"
version = 1
title = "试验"
source = "a test"
start = "new"
[steps.new]
status = "new"
[steps.new.moves.go]
to = "done"
roles = ["crew"]
form = "report"
effect = "tell"
[steps.new.moves.lapse]
to = "done"
system = true
[steps.done]
status = "done"
[promises.visit]
starts_at = "new"
ends_at = ["done"]
"""
FORMS, EFFECTS = {"report"}, {"tell"}


def load(folder: Path, text: str) -> Flows:
    (folder / "visit.toml").write_text(text, encoding="utf-8")
    return load_flows(folder, forms=FORMS, effects=EFFECTS)


def why(folder: Path, text: str) -> str:
    with pytest.raises(DataFileRefused) as refused:
        load(folder, text)
    assert str(refused.value.facts["file"]).startswith("visit.toml")
    return str(refused.value.facts["why"])


def test_a_sound_flow_loads_and_knows_where_it_ends(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no flow", encoding="utf-8")
    flow = load(tmp_path, SOUND).current("visit")
    assert flow.steps["new"].moves["go"].roles == ("crew",)
    assert (flow.is_end("new"), flow.is_end("done")) == (False, True)
    assert problems(flow, forms=FORMS, effects=EFFECTS) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('start = "new"', 'start = "begin"', "start 'begin' is no step"),
        ('to = "done"\nroles', 'to = "gone"\nroles', "new.go leads to unknown step 'gone'"),
        ('form = "report"', 'form = "tale"', "new.go has unknown form 'tale'"),
        ('effect = "tell"', 'effect = "sing"', "new.go has unknown effect 'sing'"),
        ('roles = ["crew"]', "roles = []", "new.go: nobody may make it"),
        ('ends_at = ["done"]', 'ends_at = ["gone"]', "promise visit names unknown step 'gone'"),
        ('starts_at = "new"', 'starts_at = "old"', "promise visit names unknown step 'old'"),
        (
            "[promises.visit]",
            '[steps.attic]\nstatus = "x"\n[promises.visit]',
            "step 'attic' cannot be reached",
        ),
        (
            '[steps.done]\nstatus = "done"',
            '[steps.done]\nstatus = "done"\n[steps.done.moves.back]\nto = "new"\nsystem = true',
            "no case can end",
        ),
        ('roles = ["crew"]', 'roles = ["king"]', "'king' is not a valid Role"),
        ('status = "done"', 'status = "done"\ncolour = "red"', "unknown key 'colour'"),
        ('source = "a test"', "", "names no source"),
    ],
)
def test_a_flow_that_cannot_work_is_refused_with_the_reason(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in SOUND
    assert why(tmp_path, SOUND.replace(old, new)) == said


def test_running_cases_keep_their_version_and_new_ones_take_the_newest() -> None:
    old, new = (
        Flow("visit", version, "", "a test", "new", {"new": Step("new")}) for version in (1, 2)
    )
    flows = Flows([new, old])
    assert flows.current("visit") is new
    assert flows.version("visit", 1) is old
    assert flows.all() == [old, new]


names = st.sampled_from("abcdef")


@given(st.dictionaries(names, st.lists(names, max_size=4), min_size=1))
def test_what_can_be_reached_is_closed_under_moving(graph: dict[str, list[str]]) -> None:
    steps = {
        name: Step(name, {str(i): Move(to) for i, to in enumerate(targets)})
        for name, targets in graph.items()
    }
    start = min(steps)
    found = reachable(steps, start)
    assert start in found
    for step in found:
        assert {move.to for move in steps[step].moves.values()} & set(steps) <= found
